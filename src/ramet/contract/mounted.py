"""`Mounted`: an existing ASGI or WSGI application beside the services."""

from __future__ import annotations

from typing import Any

from ramet.contract.struct import Struct


class Mounted(Struct):
    """Runs a web application unchanged, at `prefix`, in the same process as the services.

    `app` is the application, or the place where it is found (`"shop_legacy.wsgi:application"`). It is asked whether it
    speaks ASGI or WSGI; `interface` says so where that cannot be seen. Inside it, `ramet.client(Inventory)` gives a
    client of any contract of the application.
    """

    name: str
    app: Any
    prefix: str = "/"
    interface: str = "auto"
