"""Migrations of one service with Alembic: `<package>/migrations/versions/*.py`, and nothing to configure.

Each `migrate` is one transaction: all pending revisions are applied, or none. On SQLite tables are changed in Alembic's
batch mode, with foreign keys checked at the end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import msgspec
from alembic.autogenerate import compare_metadata, produce_migrations, render_python_code
from alembic.operations import Operations
from alembic.operations.ops import DowngradeOps, UpgradeOps
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.script import ScriptDirectory
from alembic.util import CommandError, rev_id
from sqlalchemy import Connection, MetaData, inspect

from ramet.errors import ConfigurationError, StorageError
from ramet.storage.base import Storage
from ramet.storage.revisions import Revision, applied, heads, revisions, unapplied

_TEMPLATE = '''"""{message}"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {before}


def upgrade() -> None:
    {upgrade}


def downgrade() -> None:
    {downgrade}
'''


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Where a database is: the revisions it has as its newest, and those to be applied, in order."""

    service: str
    applied: tuple[str, ...]
    pending: tuple[Revision, ...]


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """A revision was applied, the `done`th of `total`; nothing is durable before the last."""

    service: str
    revision: Revision
    done: int
    total: int


class Migrations:
    """The migrations in `folder` (which may not exist yet), the database they are for, and the tables they lead to.

    `options` are those of `ramet db` that name the deployment the database belongs to, such as " -d split".
    """

    def __init__(self, storage: Storage, folder: Path, tables: MetaData, options: str = "") -> None:
        self._storage = storage
        self._folder = folder
        self._tables = tables
        self._options = options

    async def status(self) -> Status:
        """What is applied, and what is pending. Raises: StorageError where the database is ahead of the folder."""
        known, has = revisions(self._folder), await applied(self._storage)
        if unknown := has - {one.id for one in known}:
            raise StorageError(
                f"The database of {self._storage.service} has the revision {', '.join(sorted(unknown))}, which is not "
                f"in {self._folder}: install the release that has it, or restore the database that belongs to this one."
            )
        return Status(service=self._storage.service, applied=tuple(sorted(has)), pending=unapplied(known, has))

    async def migrate(self, progress: Callable[[Progress], None] = lambda _: None) -> tuple[Revision, ...]:
        """Apply what is pending, in one transaction; returns it."""
        pending = (await self.status()).pending
        by_id = {one.id: one for one in pending}
        done: list[str] = []

        def tell(*, step: MigrationInfo, **_: Any) -> None:
            done.append(str(step.up_revision_id))
            revision = by_id[done[-1]]
            progress(Progress(service=self._storage.service, revision=revision, done=len(done), total=len(pending)))

        def apply(connection: Connection) -> None:
            script = _scripts(self._folder)
            self._run(connection, lambda rev, _: script._upgrade_revs("heads", rev), tell)  # noqa: SLF001 - as Alembic's own commands do

        if pending:
            await self._in_transaction(apply)
        return pending

    async def adopt(self, *, anyway: bool = False) -> None:
        """Note that a database which was made without migrations is what the newest revision would have made of it.

        Raises: ConfigurationError where there is no revision; StorageError where it is not what the code declares,
        unless it is taken so `anyway`.
        """
        service = self._storage.service
        if not revisions(self._folder):
            raise ConfigurationError(
                f"{service} has no migrations that its database could be up to date with: write the first one with "
                f"`ramet db revision {service} -m first`, and adopt it then."
            )
        if not anyway and (different := await self.check()):
            raise StorageError(
                f"The database of {service} is not what the code declares: {', '.join(different)}. "
                "Adopted it would stay so. Adopt it with the code that it was made by, and then write a revision of "
                "the change; or take it as it is with --anyway."
            )

        def stamp(connection: Connection) -> None:
            script = _scripts(self._folder)
            self._run(connection, lambda rev, _: script._stamp_revs("heads", rev))  # noqa: SLF001 - as Alembic's own commands do

        await self._in_transaction(stamp)

    async def revision(self, message: str) -> Path:
        """Write a new revision that leads from the newest one to the tables as they are declared now.

        The database must have every earlier revision; a temporary one, just migrated, is best.
        Raises: StorageError where it has not, and where nothing has changed.
        """
        status = await self.status()
        if status.pending:
            raise StorageError(
                f"The database of {status.service} lacks {len(status.pending)} migrations: apply them with "
                f"`ramet db migrate{self._options}` before a new one is made."
            )
        known = revisions(self._folder)
        text = await self._reading(lambda connection: self._render(connection, message, sorted(heads(known))))
        if text is None:
            raise StorageError(f"The tables of {status.service} are what its migrations lead to: nothing to migrate.")
        versions = self._folder / "versions"
        versions.mkdir(parents=True, exist_ok=True)
        file = versions / f"{len(known) + 1:04}_{re.sub(r'[^a-z0-9]+', '_', message.lower()).strip('_')[:40]}.py"
        file.write_text(text, encoding="utf-8")
        return file

    async def check(self) -> tuple[str, ...]:
        """How the declared tables differ from the database, a line each; empty where they are the same."""
        differences = await self._reading(lambda connection: compare_metadata(self._context(connection), self._tables))
        return tuple(_flat(differences))

    # -- Alembic -------------------------------------------------------------------------------------------------

    async def _in_transaction(self, work: Callable[[Connection], Any]) -> Any:
        try:
            async with self._storage.maintenance() as connection:
                return await connection.run_sync(work)
        except CommandError as error:
            raise ConfigurationError(f"The migrations in {self._folder} cannot be used: {error}.") from error

    async def _reading(self, work: Callable[[Connection], Any]) -> Any:
        async with self._storage.reading() as connection:
            return await connection.run_sync(work)

    def _context(self, connection: Connection, **options: Any) -> MigrationContext:
        context = MigrationContext.configure(
            connection,
            opts={
                "target_metadata": self._tables,
                "render_as_batch": True,
                "compare_type": True,
                "include_name": _is_of_the_service,
                "user_module_prefix": None,
                **options,
            },
        )
        context.autocommit_block = _one_transaction  # type: ignore[method-assign]  # Alembic's own would fail without a word
        return context

    def _run(
        self,
        connection: Connection,
        steps: Callable[[Any, Any], Sequence[Any]],
        tell: Callable[..., None] | None = None,
    ) -> None:
        self._refuse_stranger(connection, adopting=tell is None)
        context = self._context(connection, fn=steps, on_version_apply=(tell,) if tell else ())
        with Operations.context(context):
            context.run_migrations()

    def _refuse_stranger(self, connection: Connection, *, adopting: bool) -> None:
        there = set(inspect(connection).get_table_names())
        strangers = (
            sorted(there & set(self._tables.tables)) if "alembic_version" not in there and not adopting else None
        )
        if strangers:
            raise StorageError(
                f"The database of {self._storage.service} has the table {strangers[0]} and no migrations: it was made "
                "without them. If it is what the code declares, note that it is up to date with "
                f"`ramet db adopt {self._storage.service}{self._options}`."
            )

    def _render(self, connection: Connection, message: str, before: Sequence[str]) -> str | None:
        context = self._context(connection)
        script = produce_migrations(context, self._tables)
        upgrade, downgrade = script.upgrade_ops, script.downgrade_ops
        if upgrade is None or downgrade is None or upgrade.is_empty():
            return None

        def code(operations: UpgradeOps | DowngradeOps) -> str:
            return render_python_code(operations, render_as_batch=True, migration_context=context)

        follows = repr(before[0]) if len(before) == 1 else repr(tuple(before)) if before else "None"
        return _TEMPLATE.format(
            message=message.replace('"', "'"),
            revision=rev_id(),
            before=follows.replace("'", '"'),
            upgrade=code(upgrade),
            downgrade=code(downgrade),
        )


def _one_transaction() -> NoReturn:
    raise ConfigurationError(
        "A migration says autocommit_block(), and all pending migrations are one transaction: execute by hand before "
        "the release what cannot be in one, such as CREATE INDEX CONCURRENTLY, and let the migration say "
        "if_not_exists=True."
    )


def _scripts(folder: Path) -> ScriptDirectory:
    return ScriptDirectory(str(folder), version_locations=[str(folder / "versions")])


def _is_of_the_service(name: str | None, kind: str, _parents: Any) -> bool:
    return kind != "table" or name is None or not (name.startswith("ramet_") or name == "alembic_version")


def _flat(differences: Iterable[Any]) -> Iterable[str]:
    """Alembic's differences as lines: `add column item.price`."""
    for difference in differences:
        if isinstance(difference, list):
            yield from _flat(difference)
            continue
        kind, *things = difference
        names = [name for thing in things if (name := _name(thing))]
        yield f"{kind.replace('_', ' ')} {'.'.join(names)}"


def _name(thing: Any) -> str:
    if isinstance(thing, str):
        return thing
    return str(getattr(thing, "name", None) or "")
