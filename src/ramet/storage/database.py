"""`Database`: what a service annotates to be given its own database.

Statements are SQLAlchemy's, Core or ORM. What a statement may do follows from the work it is executed in: a query only
reads; a command, an event handler or a schedule reads until its first statement that writes, which opens the
transaction that holds everything after it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, TypeVarTuple, cast, overload

from ramet.errors import OutsideWork
from ramet.storage.base import Storage, Unit
from ramet.storage.statements import gives_objects, refuse_forbidden, writes
from ramet.telemetry.scope import Scope, Work, may_have_effects, scope_of

if TYPE_CHECKING:  # SQLAlchemy is imported with the adapter
    from sqlalchemy import CursorResult, Executable, ScalarResult
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.sql.selectable import TypedReturnsRows

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
"""The values of a statement's parameters; a sequence of mappings executes it once for each."""


class Database:
    """The database of the service that annotates it; nobody else's.

    Results are buffered. Errors of a statement are SQLAlchemy's own (`sqlalchemy.exc.IntegrityError`, …); where the
    database itself fails the work ends with StorageError.
    """

    ramet_need: ClassVar[str] = "database"
    """How the reading of declarations, which knows no storage, recognises the annotation."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._service = storage.service

    @overload
    async def execute(self, statement: TypedReturnsRows[*Ts], parameters: Parameters = None) -> CursorResult[*Ts]: ...

    @overload
    async def execute(self, statement: Executable, parameters: Parameters = None) -> CursorResult[*tuple[Any, ...]]: ...

    async def execute(self, statement: Executable, parameters: Parameters = None) -> Any:
        """Execute a statement.

        Mapped objects that it selects belong to no session: to change them, load them in a `session()`.
        Raises: EffectInQuery where a query, or a saga step, tries to write.
        """
        if gives_objects(statement):
            async with self.session() as session:
                return (await session.execute(statement, parameters)).freeze()()
        if writes(statement):
            return await self._writing(statement).run(statement, parameters)
        unit = self._unit()
        if unit is None:
            return await self._storage.read(statement, parameters)
        return await unit.read(statement, parameters)

    @overload
    async def scalar(self, statement: TypedReturnsRows[T], parameters: Parameters = None) -> T | None: ...

    @overload
    async def scalar(self, statement: Executable, parameters: Parameters = None) -> Any: ...

    async def scalar(self, statement: Executable, parameters: Parameters = None) -> Any:
        """The first column of the first row; None where there is no row."""
        return (await self.execute(statement, parameters)).scalar()

    @overload
    async def scalars(self, statement: TypedReturnsRows[T], parameters: Parameters = None) -> ScalarResult[T]: ...

    @overload
    async def scalars(self, statement: Executable, parameters: Parameters = None) -> ScalarResult[Any]: ...

    async def scalars(self, statement: Executable, parameters: Parameters = None) -> ScalarResult[Any]:
        """The first column of every row."""
        return (await self.execute(statement, parameters)).scalars()

    def session(self) -> AbstractAsyncContextManager[AsyncSession]:
        """An ORM session of this work: `async with self.db.session() as session`.

        Leaving the block flushes; the changes are committed with the work. In a query it reads, from one snapshot, and
        flushing a change raises EffectInQuery. Objects keep what was loaded after the block.
        """
        return self._session()

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[AsyncSession]:
        unit = self._unit()
        async with self._storage.reading_session() if unit is None else unit.session(self._wrote) as session:
            yield session

    def _unit(self) -> Unit | None:
        """The unit of the running work; None where it only reads."""
        scope = scope_of(self._service)
        if scope is None or scope.work is Work.QUERY or scope.unit is None:
            return None
        return cast("Unit", scope.unit)

    def _writing(self, statement: Executable) -> Unit:
        refuse_forbidden(statement)
        return cast("Unit", self._wrote().unit)

    def _wrote(self) -> Scope:
        scope = may_have_effects(self._service, "write to its database")
        if scope.unit is None:
            raise OutsideWork(f"{scope.work} {self._service}.{scope.name} has no transaction: run it with `transact`.")
        scope.wrote = True
        return scope
