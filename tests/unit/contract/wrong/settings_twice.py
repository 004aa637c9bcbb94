#: 14: The settings Folders cannot be read: Path is not a type that settings can have. Use numbers, strings, durations, Secrets and tuples of them.
#: 23: OrdersService asks for settings twice: Limits and Folders. Make one class of them: both would be read from the same table.
"""The settings of a service are one table."""

from __future__ import annotations
from pathlib import Path
from ramet import Contract, Settings


class Limits(Settings):
    most: int = 5


class Folders(Settings):
    inbox: Path


class Orders(Contract, version="1.0.0"): ...


class OrdersService(Orders):
    limits: Limits
    folders: Folders
