#: 1: nothing_in_it has no service, no Api and no Mounted application in it. Add a subclass of a contract, or take the name out of the list of services.
"""A contract alone is no service."""

from __future__ import annotations
from ramet import Contract


class Stock(Contract, version="1.0.0"): ...
