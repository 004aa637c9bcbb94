"""Which adapter serves which port: the only module of the runtime that names them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from ramet.events.base import Broker
from ramet.events.brokers.memory import MemoryBroker
from ramet.model.topology import Deployment
from ramet.storage.base import Storage
from ramet.storage.sqlite.options import SqliteOptions
from ramet.storage.sqlite.storage import SqliteStorage

if TYPE_CHECKING:
    from sqlalchemy import MetaData

    from ramet.storage.migrations import Migrations

Synchronous = Literal["FULL", "NORMAL", "OFF"]


@dataclass(frozen=True, kw_only=True)
class Engines:
    """What the runtime borrows: a database for each service, and a broker."""

    storage: Callable[[str], Storage]
    broker: Callable[[], Broker]


def embedded(deployment: Deployment, folder: Path, *, readonly: bool = False) -> Engines:
    """Everything inside this process: SQLite files below the deployment's data folder, and the broker in memory."""
    data = folder / deployment.data
    options = SqliteOptions(synchronous=cast("Synchronous", deployment.durability.upper()), readonly=readonly)
    return Engines(
        storage=lambda service: SqliteStorage(service, data / f"{service}.sqlite", options), broker=MemoryBroker
    )


def kept(deployment: Deployment, folder: Path) -> list[str]:
    """The services that have a database in the deployment's data folder."""
    return sorted(path.stem for path in (folder / deployment.data).glob("*.sqlite"))


def temporary() -> Engines:
    """For tests: temporary files without a sync to the disk, gone when closed."""
    return Engines(storage=SqliteStorage, broker=MemoryBroker)


def migrations(storage: Storage, folder: Path, tables: MetaData) -> Migrations:
    """The migrations of a service; Alembic costs more than starting, and is imported here and now."""
    from ramet.storage.migrations import Migrations

    return Migrations(storage, folder, tables)
