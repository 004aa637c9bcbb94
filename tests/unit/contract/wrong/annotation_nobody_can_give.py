#: 14: OrdersService.folder asks for Path, which the runtime cannot give. It gives contracts, a Database, Settings and the Clock; give this a value, or mark it ClassVar.
#: 15: OrdersService.settings asks for Settings that say nothing. Declare a class of your own: `class OrdersSettings(Settings)`.
"""The runtime gives only what it knows."""

from __future__ import annotations
from pathlib import Path
from ramet import Contract, Settings


class Orders(Contract, version="1.0.0"): ...


class OrdersService(Orders):
    folder: Path
    settings: Settings
    size: int = 5
    _cache: dict[str, int]
