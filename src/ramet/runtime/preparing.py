"""Before a service starts: its own tables."""

from __future__ import annotations

from ramet.contract.declared import DeclaredService
from ramet.storage.base import Storage


async def create_tables(service: DeclaredService, storage: Storage) -> None:
    """Create the tables of a service as its metadata says, where they are not there yet."""
    tables = service.cls.__ramet_line__.tables
    if tables is None:
        return
    unit = storage.unit()
    try:
        connection = await unit.connection()
        await connection.run_sync(tables.create_all)
        await unit.commit()
    except BaseException:
        await unit.rollback()
        raise
