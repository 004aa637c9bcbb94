"""The port: one service's own database, as Ramet sees it.

Services see a `Database` (database.py), the packages above this one see a `Storage`. Ramet's own rows (inbox, outbox,
saga journal) are written as plain SQL through the driver, in the same transaction as the service's own: `?` marks a
parameter, and the SQL stays within what SQLite and PostgreSQL share (`ON CONFLICT`, `RETURNING`, partial indexes).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, NamedTuple

from ramet.storage.history import NO_HISTORY, History

if TYPE_CHECKING:  # SQLAlchemy costs 200 ms; it is imported when an adapter is wired
    from sqlalchemy import CursorResult, Executable
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

Row = tuple[Any, ...]
USED_TOO_LATE = "The database was used after the work it belongs to had ended: finish what uses it before returning."


class Write(NamedTuple):
    """One SQL statement and the rows it is executed for, each a tuple of parameters."""

    sql: str
    rows: Sequence[Row]


class Conflict(BaseException):
    """What this unit has read was changed by another commit before its own first write. Nothing was written.

    Never seen by services: `work.transact` runs the work again in an `eager` unit. Not an `Exception`, so that no
    `except Exception` of a service keeps it from getting there.
    """


class Unit(ABC):
    """A unit of work: one transaction, opened by its first use, ended by exactly one `commit` or `rollback`.

    Units of one storage that write are executed one after the other where the engine demands it (SQLite). What a unit
    has done is seen by nobody else before its commit.
    """

    conflicted: bool
    """A `Conflict` was raised, whatever became of it."""

    committed: bool
    """`commit` has made everything durable, also when it ended with a cancellation that arrived meanwhile."""

    operations: int
    """How many statements it was asked for; a session, and the connection itself, count as several."""

    @property
    @abstractmethod
    def busy(self) -> bool:
        """Whether a statement of it, or what has to come before, is waiting for the database right now."""

    @abstractmethod
    async def read(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Execute a statement of SQLAlchemy that only reads; the result is buffered. Begins nothing, unless eager.

        What was read before the first write is still true at the first write, or that raises Conflict.
        """

    @abstractmethod
    async def run(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Execute a statement of SQLAlchemy inside the transaction, beginning it; the result is buffered."""

    async def prepare(self) -> None:  # noqa: B027 - there is nothing to put
        """Wait for what `put` needs. Raises: StorageError."""

    def put(self, statement: Executable, parameters: Any = None) -> Awaitable[CursorResult[Any]] | None:  # noqa: ARG002 - an engine's
        """Execute a statement that writes with what else is put before `send`, in this order; then its result is there.

        Only in a `whole` unit that was prepared and has done nothing else. None where this cannot be put. Raises Apart
        where one of those that were put has failed: the unit can then only be rolled back.
        """
        return None

    def translated(self, error: BaseException) -> BaseException:
        """Called after the rollback with what the work has raised: what is to be raised instead, or the same."""
        return error

    def send(self, failed: Callable[[int], object]) -> None:  # noqa: B027 - nothing was put
        """Execute what was put; `failed` is told which of them has failed, by its number, -1 where it was none."""

    @abstractmethod
    async def connection(self) -> AsyncConnection:
        """SQLAlchemy's connection inside the transaction; the first call begins it. Its own commit is never called."""

    @abstractmethod
    def session(self, wrote: Callable[[], object] | None = None) -> AbstractAsyncContextManager[AsyncSession]:
        """An ORM session of this unit: leaving it flushes; its own `commit` and `rollback` are refused.

        `wrote` is called before each statement that writes. Its SELECTs are a `read`; its first flush, or another
        statement, begins the transaction. It is closed for good when it is left, at the latest when the unit ends.
        """

    @abstractmethod
    async def fetch(self, sql: str, *parameters: Any) -> list[Row]:
        """Rows as this transaction sees them, through the driver."""

    @abstractmethod
    async def execute(self, sql: str, *parameters: Any) -> int:
        """Execute now, inside the transaction, through the driver; returns the number of rows written.

        Rows written this way are Ramet's own, and a Conflict for nobody.
        """

    @abstractmethod
    def defer(self, write: Write) -> None:
        """Write these rows as the last thing before the commit, in the order given; begins nothing by itself."""

    @abstractmethod
    def after_commit(self, notify: Callable[[], None], unknown: Callable[[], None] | None = None) -> None:
        """Call `notify` once the transaction is durable; never if it is rolled back.

        Where nobody knows, which `commit` raises CommitUnknown for, `unknown` is called instead.
        """

    @abstractmethod
    async def commit(self) -> None:
        """Write what was deferred and make everything durable. Returns only when it is.

        A cancellation does not interrupt it; it is raised afterwards, and `committed` says what came of it.
        Raises: DuplicateRow where a deferred row exists already (everything is rolled back); StorageError.
        """

    @abstractmethod
    async def rollback(self) -> None:
        """Undo everything. Harmless when nothing was begun."""


class Storage(ABC):
    """One service's database. Opened once, shared by everything that works for the service in this process."""

    service: str
    shared: bool = False
    """Several processes may have this database open at the same time, each with a storage of its own."""
    process: str = ""
    """What this process is called by those others, where there may be any."""
    rehearses: bool = False
    """For tests: work with a key is done, taken back, and done once more, as after a crash just before its commit."""

    @abstractmethod
    async def open(self, schema: Sequence[str], history: History = NO_HISTORY) -> None:
        """Connect, and execute the idempotent statements that create Ramet's own tables (`CREATE … IF NOT EXISTS`).

        Before that, tables that are there already are brought up to date by the `history`, under the same lock: of
        several that open a database at the same time one does it.
        Raises: StorageError with the location and the remedy, also where the tables are of a release that is too new.
        """

    @abstractmethod
    async def close(self) -> None:
        """Finish what is being committed and disconnect."""

    @abstractmethod
    def unit(self, *, eager: bool = False, whole: bool = False) -> Unit:
        """A new unit of work; nothing is begun before its first use. An eager one begins at its first read, too.

        A `whole` one is for much work that can be done again in smaller units: a statement that fails may end all of
        it, which spares a savepoint for each, and where those who write wait for each other it is eager.
        """

    @abstractmethod
    async def read(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Execute a statement of SQLAlchemy that only reads, on what is committed; the result is buffered.

        Raises: EffectInQuery where it tries to write.
        """

    @abstractmethod
    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A read-only SQLAlchemy connection that sees what is committed."""

    @abstractmethod
    def reading_session(self) -> AbstractAsyncContextManager[AsyncSession]:
        """A read-only ORM session that sees what is committed; flushing a change raises EffectInQuery."""

    @abstractmethod
    async def fetch(self, sql: str, *parameters: Any) -> list[Row]:
        """Rows as committed, through the driver."""

    async def exists(self, sql: str, *parameters: Any) -> bool:
        """Whether this SELECT finds a committed row; where a round trip costs, it may be one with what is written."""
        return bool(await self.fetch(sql, *parameters))

    @abstractmethod
    async def write(self, *writes: Write) -> tuple[int, ...]:
        """Ramet's own rows in one transaction, durable when this returns; calls made together share one commit.

        Returns the number of rows written by each.
        Raises: DuplicateRow (nothing of this call is written); StorageError.
        """

    async def write_apart(self, write: Write) -> int:
        """As `write`, but waiting for nothing else that this process writes: a sign of life must not be held up."""
        (count,) = await self.write(write)
        return count

    async def evict(self, process: str) -> None:  # noqa: B027 - where nothing is shared there is nobody to evict
        """End whatever another process has in this database, above all its locks; it may come back.

        Done to one that is silent: frozen inside a transaction it would hold everybody up. Raises: StorageError.
        """

    @abstractmethod
    def write_later(self, *writes: Write) -> None:
        """Ramet's own rows that a crash may lose: written with the next commit, at the latest some moments later.

        They cost no commit of their own while there is traffic. In the order given; one that fails is logged.
        """

    @abstractmethod
    def notify(self, channel: str) -> None:
        """Wake those who listen, in every process that has this database open. Costs next to nothing, never blocks.

        Notifications of one moment are one, and one may be lost with a connection: who listens also looks from time to
        time. Called after a commit, never inside a transaction.
        """

    @abstractmethod
    def listen(self, channel: str, wake: Callable[[], None]) -> None:
        """Call `wake` after each `notify` of this channel, also of this process, until the storage is closed.

        It is called after a reconnection, too, since what was notified meanwhile is lost.
        """

    @abstractmethod
    def maintenance(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection in a transaction of its own, for changing tables; committed when the block ends well.

        Foreign keys are not enforced inside, and checked at its end. Raises: StorageError where one is broken.
        """
