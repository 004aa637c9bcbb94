"""The services' own tables: migrated when the application starts, or by `ramet db`."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec
from sqlalchemy import Connection, MetaData, inspect
from sqlalchemy.engine import ObjectKind

from ramet.contract.declared import Declared, DeclaredService
from ramet.errors import ConfigurationError, StorageError, StorageUnavailable
from ramet.model.topology import Deployment
from ramet.runtime.configuration import Configuration
from ramet.runtime.deployments import LOCAL
from ramet.runtime.wiring import Engines, engines, kept, migrations, temporary, temporary_on_server
from ramet.storage.address import quoted
from ramet.storage.base import Storage
from ramet.storage.revisions import Revision, is_current, revisions

if TYPE_CHECKING:
    from ramet.storage.migrations import Migrations, Progress, Status

Told = Callable[["Progress"], None]
T = TypeVar("T")


class Untried(ConfigurationError):
    """There is no database on which migrations could be tried."""


class Migrated(msgspec.Struct, frozen=True, kw_only=True):
    """What was applied to one service's database."""

    service: str
    revisions: tuple[Revision, ...]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """How the declared tables of a service differ from what its migrations lead to, a line each."""

    service: str
    lines: tuple[str, ...]


def preparation(deployment: Deployment) -> Callable[[DeclaredService, Storage], Awaitable[None]]:
    """`prepare` for the databases of a deployment."""
    return partial(prepare, options=_options(deployment))


async def prepare(service: DeclaredService, storage: Storage, *, options: str = "") -> None:
    """Bring a service's tables up to date: by its migrations, or where it has none by creating what is not there.

    Raises: StorageError where the database lacks a column that the code declares.
    """
    tables = tables_of(service)
    if tables is None:
        return
    folder = folder_of(service)
    if not revisions(folder):
        await create_tables(service, storage)
        return
    if not await is_current(storage, folder):
        await _migrations(service, storage, options).migrate()
    if (lacking := await _lacking_there(storage, tables)) is not None:
        raise StorageError(
            f"The database of {service.name} has every migration and {lacking}, which the code declares: write the "
            f"migration that makes it with `ramet db revision {service.name} -m MESSAGE`, or put the code back."
        )


async def create_tables(service: DeclaredService, storage: Storage) -> None:
    """Create the tables of a service as its metadata says, where they are not there yet.

    Raises: StorageError where one is there without a column that the code declares.
    """
    tables = tables_of(service)
    if tables is None:
        return
    if storage.shared:  # replicas that start together take turns
        async with storage.maintenance() as connection:
            await connection.run_sync(_create, service.name, tables)
        return
    unit = storage.unit()
    try:
        connection = await unit.connection()
        await connection.run_sync(_create, service.name, tables)
        await unit.commit()
    except BaseException:
        await unit.rollback()
        raise


def _create(connection: Connection, service: str, tables: MetaData) -> None:
    tables.create_all(connection)
    lacking = _lacking(connection, tables)
    if lacking is not None:
        raise StorageError(
            f"The database of {service} has {lacking}: it was made before the code declared that, and the service has "
            "no migrations. Remove the database if it holds nothing that is to be kept; else put the code back, and "
            f"begin with migrations before the change: `ramet db revision {service} -m first`."
        )


async def _lacking_there(storage: Storage, tables: MetaData) -> str | None:
    """As `_lacking`, which costs tens of milliseconds on a server, where there is something to be said only."""
    try:
        for table in tables.tables.values():
            schema = f"{quoted(table.schema)}." if table.schema else ""
            columns = ", ".join(f"t.{quoted(column.name)}" for column in table.columns)
            await storage.fetch(f"SELECT {columns} FROM {schema}{quoted(table.name)} AS t WHERE 0 = 1")
    except StorageUnavailable:
        raise
    except StorageError:
        async with storage.reading() as connection:
            return await connection.run_sync(_lacking, tables)
    return None


def _lacking(connection: Connection, tables: MetaData) -> str | None:
    """A table or a column that is declared and not there, in words."""
    there = inspect(connection)
    for schema in {table.schema for table in tables.tables.values()}:
        declared = [table for table in tables.tables.values() if table.schema == schema]
        found = there.get_multi_columns(
            schema=schema, filter_names=[table.name for table in declared], kind=ObjectKind.ANY
        )
        has = {name: {column["name"].lower() for column in columns} for (_, name), columns in found.items()}
        for table in declared:
            if table.name not in has:
                return f"no table {table.name}"
            for column in table.columns:
                if not column.system and column.name.lower() not in has[table.name]:
                    return f"the table {table.name} without the column {column.name}"
    return None


def tables_of(service: DeclaredService) -> MetaData | None:
    """The tables a service declares."""
    return service.cls.__ramet_line__.tables


def folder_of(service: DeclaredService) -> Path:
    """Where its migrations are: beside the module that declares it."""
    file = getattr(sys.modules.get(service.cls.__module__), "__file__", None) or "."
    return Path(file).parent / "migrations"


def _options(deployment: Deployment) -> str:
    """The options of `ramet db` that name a deployment."""
    return "" if deployment.name == LOCAL else f" -d {deployment.name}"


class Databases:
    """The databases of one application, service by service, while nothing runs on them."""

    def __init__(self, declared: Declared, configuration: Configuration, deployment: Deployment) -> None:
        self.declared, self.configuration, self.deployment = declared, configuration, deployment
        self._services = {service.name: service for service in declared.services if tables_of(service) is not None}
        self._engines = engines(deployment, configuration.folder, declared)
        self._readonly = engines(deployment, configuration.folder, declared, readonly=True)
        self._options = _options(deployment)
        self.on_a_server = deployment.storage != "sqlite"
        self._kept = frozenset(self._services if self.on_a_server else kept(deployment, configuration.folder))

    def chosen(self, name: str | None) -> Sequence[DeclaredService]:
        """One service by its name, or all that have tables. Raises: ConfigurationError."""
        if name is None:
            return tuple(self._services.values())
        if name not in self._services:
            known = ", ".join(self._services) or "none"
            raise ConfigurationError(f'There is no service "{name}" with tables; there are {known}.')
        return (self._services[name],)

    async def status(self, service: DeclaredService) -> Status:
        """What is applied, and what is pending; also while the application runs."""
        async with self._opened(service, self._readonly if service.name in self._kept else temporary()) as found:
            return await found.status()

    async def migrate(self, service: DeclaredService, told: Told) -> Migrated:
        """Apply what is pending."""
        async with self._opened(service, self._engines) as found:
            return Migrated(service=service.name, revisions=await found.migrate(told))

    async def adopt(self, service: DeclaredService, *, anyway: bool) -> None:
        """Note that a database made without migrations is up to date; it is compared, unless it is so `anyway`."""
        async with self._opened(service, self._engines) as found:
            await found.adopt(anyway=anyway)

    async def revision(self, service: DeclaredService, message: str) -> Path:
        """Write the next migration, from what the earlier ones lead to."""
        return await self._tried(service, lambda found: found.revision(message))

    async def check(self, service: DeclaredService, *, database: bool) -> Difference:
        """Compare the declared tables with what the migrations lead to, or with the `database` as it is.

        Raises: Untried where there is no database to try them on.
        """
        if not database:
            return Difference(service=service.name, lines=await self._tried(service, lambda found: found.check()))
        async with self._opened(service, self._engines) as found:
            return Difference(service=service.name, lines=await found.check())

    async def _tried(self, service: DeclaredService, work: Callable[[Migrations], Awaitable[T]]) -> T:
        """Apply all migrations to a temporary database: a file, or where that does not do, one of the server."""
        async with self._opened(service, temporary()) as found:
            try:
                await found.migrate()
            except Exception as error:
                if not self.on_a_server:
                    raise
                trouble = error
            else:
                return await work(found)
        try:
            async with temporary_on_server(self.deployment) as engines, self._opened(service, engines) as found:
                await found.migrate()
                return await work(found)
        except StorageUnavailable as error:
            reason = next(iter(str(trouble).splitlines()), type(trouble).__name__)
            raise Untried(
                f"The migrations of {service.name} cannot be tried on an SQLite file ({reason}), nor on a server: "
                f"{error}"
            ) from error

    @asynccontextmanager
    async def _opened(self, service: DeclaredService, engines: Engines) -> AsyncIterator[Migrations]:
        storage = engines.storage(service.name)
        await storage.open(())
        try:
            yield _migrations(service, storage, self._options)
        finally:
            await storage.close()


def _migrations(service: DeclaredService, storage: Storage, options: str) -> Migrations:
    tables = tables_of(service)
    assert tables is not None
    return migrations(storage, folder_of(service), tables, options)
