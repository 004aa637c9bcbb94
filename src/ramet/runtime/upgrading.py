"""Ramet's own tables in every service's database, brought up to date beside whatever works there."""

from __future__ import annotations

import msgspec

from ramet.contract.declared import Declared
from ramet.errors import StorageError
from ramet.model.topology import Deployment
from ramet.runtime.configuration import Configuration
from ramet.runtime.tables import HISTORY, SCHEMA
from ramet.runtime.wiring import engines, kept
from ramet.storage.base import Storage
from ramet.storage.history import NO_HISTORY, NOTED, History


class Upgraded(msgspec.Struct, frozen=True, kw_only=True):
    """The version of Ramet's tables in one service's database, before and now."""

    service: str
    before: int
    now: int


async def upgrade(declared: Declared, configuration: Configuration, deployment: Deployment) -> list[Upgraded]:
    """Every database that is there. Raises: StorageError; those that were upgraded before stay so."""
    storage = engines(deployment, configuration.folder, declared).storage
    files = kept(deployment, configuration.folder) if deployment.storage == "sqlite" else None
    names = [one.name for one in declared.services if files is None or one.name in files]
    return [
        Upgraded(
            service=name,
            before=await _noted(storage(name), NO_HISTORY),
            now=await _noted(storage(name), HISTORY),
        )
        for name in names
    ]


async def _noted(storage: Storage, history: History) -> int:
    """The version that is noted once it was opened; 1 where nothing is."""
    await storage.open(SCHEMA if history.steps else (), history)
    try:
        rows = await storage.fetch(NOTED)
    except StorageError:
        return 1
    finally:
        await storage.close()
    return int(rows[0][0]) if rows else 1
