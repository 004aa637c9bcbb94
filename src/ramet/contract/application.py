"""`Application`: the list of services that make one application."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ramet.contract.api import Api
from ramet.contract.external import External
from ramet.contract.mounted import Mounted
from ramet.contract.service import Contract

Part = type[Contract] | type[Api] | Mounted | External | str


class Application:
    """One application: its name and its services.

    A service is given as its class, an API as its class, an existing web application as `Mounted(…)`, a service in
    another language as `External(…)`; a string names a package or module in which all of them are found. The order has
    no meaning.

    >>> shop = Application("shop", services=["shop.orders", "shop.inventory"])
    """

    def __init__(self, name: str, *, services: Part | Sequence[Part], place: tuple[str, int] | None = None) -> None:
        self.name = name
        self.services: tuple[Part, ...]
        self.services = (services,) if isinstance(services, str | type | Mounted | External) else tuple(services)
        self.place = place or _caller()
        """Where the list of services is written: a file, and the line where it begins."""

    def __repr__(self) -> str:
        return f"Application({self.name!r}, services={list(self.services)!r})"


def _caller() -> tuple[str, int]:
    frame = sys._getframe(2)  # noqa: SLF001 - how the standard library's logging finds its caller
    return frame.f_code.co_filename, frame.f_lineno
