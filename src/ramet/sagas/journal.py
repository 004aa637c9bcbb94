"""Where sagas are remembered: an append-only log in the service's database, beside a row for each saga.

The row says what a saga is and, while something is wrong or when it has ended, how it stands; the steps it has done are
in the log alone, so that a step costs one insert. Nothing is read while a saga runs.

In a database that several processes share, the row names the worker that runs the saga (storage/leases.py). Whoever
takes a saga over writes the next line of its log. Since the lines are numbered without gaps, that line is the fence: a
worker that was thought dead and goes on writes the same number, and is refused.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import asdict

from ramet.contract.struct import Event
from ramet.sagas.definition import Definition, StepShape, event_name
from ramet.sagas.progress import ENDED, Entry, Kind, Progress, Trouble, TurnedBack
from ramet.storage.base import Row, Storage, Write
from ramet.storage.leases import Leases, worker_of
from ramet.telemetry.context import Caller, Context

CHANNEL = "ramet_saga"
"""Notified when an event has come for a saga that another process runs."""

SIGNALS_KEPT_SECONDS = 7 * 86_400.0
"""How long an event is kept for a saga that has not been started."""

ENDED_KEPT_SECONDS = 30 * 86_400.0
"""How long a saga that has ended is kept: it can be shown, and its key starts no other one."""

SCHEMA: tuple[str, ...] = (
    """CREATE TABLE IF NOT EXISTS ramet_saga (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, business_key TEXT NOT NULL, definition TEXT NOT NULL,
        state TEXT NOT NULL, context TEXT NOT NULL, started_at DOUBLE PRECISION NOT NULL,
        status TEXT NOT NULL, reason TEXT, trouble TEXT, ended_at DOUBLE PRECISION, owner TEXT,
        UNIQUE (name, business_key))""",
    "CREATE INDEX IF NOT EXISTS ramet_saga_live ON ramet_saga (id) WHERE ended_at IS NULL",
    """CREATE TABLE IF NOT EXISTS ramet_saga_log (
        saga TEXT NOT NULL, n INTEGER NOT NULL, kind TEXT NOT NULL, step TEXT NOT NULL,
        data TEXT, at DOUBLE PRECISION NOT NULL, PRIMARY KEY (saga, n))""",
    """CREATE TABLE IF NOT EXISTS ramet_saga_definition (
        version TEXT PRIMARY KEY, name TEXT NOT NULL, shape TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS ramet_signal (
        saga TEXT NOT NULL, business_key TEXT NOT NULL, event TEXT NOT NULL, event_id TEXT NOT NULL,
        payload TEXT NOT NULL, at DOUBLE PRECISION NOT NULL, PRIMARY KEY (saga, business_key, event, event_id))""",
)

INSERT = """INSERT INTO ramet_saga (id, name, business_key, definition, state, context, started_at, owner, status)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'running') ON CONFLICT (name, business_key) DO NOTHING"""
INSERT_NEW = INSERT.partition(" ON CONFLICT")[0]
FIRST = "SELECT id FROM ramet_saga WHERE name = ? AND business_key = ?"
_LIVE = "SELECT id, owner FROM ramet_saga WHERE name = ? AND business_key = ? AND ended_at IS NULL"
_LOG = "INSERT INTO ramet_saga_log (saga, n, kind, step, data, at) VALUES (?, ?, ?, ?, ?, ?)"
_STANDING = "UPDATE ramet_saga SET status = ?, reason = ?, trouble = ?, ended_at = ? WHERE id = ?"
_OWN_STANDING = f"{_STANDING} AND owner = ?"
_OWN = "SELECT 1 FROM ramet_saga WHERE id = ? AND owner = ?"
_TAKEN = "DELETE FROM ramet_signal WHERE saga = ? AND business_key = ? AND event = ? AND event_id = ?"
_FORGET = "DELETE FROM ramet_signal WHERE saga = ? AND business_key = ?"
_SIGNAL = """INSERT INTO ramet_signal (saga, business_key, event, event_id, payload, at)
    VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""
_SIGNALS = """SELECT event_id, payload FROM ramet_signal
    WHERE saga = ? AND business_key = ? AND event = ? ORDER BY at, event_id LIMIT 1"""
_SIGNALLED = """SELECT DISTINCT s.id FROM ramet_signal g
    JOIN ramet_saga s ON s.name = g.saga AND s.business_key = g.business_key WHERE s.ended_at IS NULL"""
_OWN_SIGNALLED = f"{_SIGNALLED} AND s.owner = ? AND g.at >= ?"
_STALE = """DELETE FROM ramet_signal WHERE at < ? AND NOT EXISTS (SELECT 1 FROM ramet_saga s
    WHERE s.name = ramet_signal.saga AND s.business_key = ramet_signal.business_key AND s.ended_at IS NULL)"""
_OLD = "SELECT id FROM ramet_saga WHERE ended_at < ? LIMIT ?"
_FORGET_LOG = "DELETE FROM ramet_saga_log WHERE saga = ?"
_FORGET_SAGA = "DELETE FROM ramet_saga WHERE id = ?"
_DEFINITION = "INSERT INTO ramet_saga_definition (version, name, shape) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_ADOPT = "UPDATE ramet_saga SET definition = ? WHERE name = ? AND definition <> ? AND ended_at IS NULL"
COLUMNS = """s.id, s.name, s.business_key, s.definition, s.state, s.context, s.started_at,
    s.status, s.reason, s.trouble, s.ended_at, s.owner"""
_ONE = f"SELECT {COLUMNS} FROM ramet_saga s WHERE s.id = ?"
_ONE_LOG = "SELECT n, kind, step, data, at FROM ramet_saga_log WHERE saga = ? ORDER BY n"
_IN_FLIGHT = "s.ended_at IS NULL"
_ORPHANED = f"{_IN_FLIGHT} AND NOT EXISTS ({worker_of('s.owner')})"
_TAKE_LOG = f"{_LOG} ON CONFLICT (saga, n) DO NOTHING"
_TAKE_ROW = """UPDATE ramet_saga SET owner = ?, definition = ? WHERE id = ? AND ended_at IS NULL
    AND EXISTS (SELECT 1 FROM ramet_saga_log l WHERE l.saga = ? AND l.n = ? AND l.data = ?)"""
_OWN_GLANCES = f"""SELECT s.id, s.name, s.trouble, CASE WHEN s.status = 'running' AND s.reason IS NULL
        THEN (SELECT count(*) FROM ramet_saga_log l WHERE l.saga = s.id AND l.kind = 'did') END
    FROM ramet_saga s WHERE {_IN_FLIGHT} AND s.status <> 'parked' AND s.owner = ? AND s.id > ? ORDER BY s.id LIMIT ?"""
_TAKEN_OVER = "SELECT id FROM ramet_saga WHERE owner = ? AND id >= ? AND id <= ? AND ended_at IS NULL"

_NAMES = {kind: kind.value for kind in Kind}
PURGED_TOGETHER = 500


class LogRow(NamedTuple):
    """A line of the log as it is stored."""

    n: int
    kind: str
    step: str
    data: str | None
    at: float


class SavedSaga(NamedTuple):
    """A saga as it is stored, with its log."""

    id: str
    name: str
    key: str
    definition: str
    state: str
    context: str
    started_at: float
    status: str
    reason: str | None
    trouble: str | None
    ended_at: float | None
    owner: str | None
    log: tuple[LogRow, ...] = ()


class Glance(NamedTuple):
    """What can be seen of a saga without reading its log: `did` is how many steps it has done, None if it stops."""

    id: str
    name: str
    trouble: str | None
    did: int | None


class Record(NamedTuple):
    """What is written, in one go, of one happening."""

    id: str
    log: Sequence[Row]
    standing: Row | None
    forgotten: Row | None
    taken: Row | None = None


class Shapes(msgspec.Struct, frozen=True):
    """The shapes of the definitions that sagas in flight were started with, by version."""

    by_version: dict[str, tuple[tuple[StepShape, ...], ...]]


class Journal:
    """The tables of one service's sagas. `leases` is set where several workers run them, each its own."""

    def __init__(self, storage: Storage) -> None:
        self.leases: Leases | None = None
        self._storage = storage

    @property
    def worker(self) -> str | None:
        """Whom the sagas of this process belong to; None where nobody else could run them."""
        return None if self.leases is None else self.leases.worker

    def is_own(self, saga: SavedSaga) -> bool:
        """Whether this process runs the saga."""
        return self.leases is None or saga.owner == self.leases.worker

    async def write(self, records: Iterable[Record]) -> Collection[str]:
        """Make these happenings durable together; returns the sagas that belong to another worker by now.

        Of those, what had no line in the log was not written.
        Raises: DuplicateRow when somebody else has told one of them; nothing is written then.
        """
        log: list[Row] = []
        standings: list[Row] = []
        taken: list[Row] = []
        forgotten: list[Row] = []
        for one in records:
            log.extend(one.log)
            if one.taken is not None:
                taken.append(one.taken)
            if one.standing is not None:
                standings.append(one.standing)
            if one.forgotten is not None:
                forgotten.append(one.forgotten)
        taken_and_forgotten = ((_TAKEN, taken), (_FORGET, forgotten))
        if self.leases is None:
            pairs = ((_LOG, log), (_STANDING, standings), *taken_and_forgotten)
            await self._storage.write(*(Write(sql, rows) for sql, rows in pairs if rows))
            return ()
        worker = self.leases.worker
        own = [(*row, worker) for row in sorted(standings, key=_id_of)]
        pairs = ((_LOG, sorted(log)), (_OWN_STANDING, own), *taken_and_forgotten)
        writes = [Write(sql, rows) for sql, rows in pairs if rows]
        counts = dict(zip((write.sql for write in writes), await self._storage.write(*writes), strict=True))
        return () if counts.get(_OWN_STANDING, 0) == len(own) else await self._foreign(own)

    async def _foreign(self, standings: Iterable[Row]) -> Collection[str]:
        rows = [row[-2:] for row in standings]
        return {row[0] for row in rows if not await self._storage.fetch(_OWN, *row)}

    async def load(self, id: str) -> SavedSaga | None:  # noqa: A002 - the column's name
        """One saga with its log; None if there is none."""
        rows = await self._storage.fetch(_ONE, id)
        if not rows:
            return None
        log = await self._storage.fetch(_ONE_LOG, id)
        return SavedSaga(*rows[0])._replace(log=tuple(LogRow(*row) for row in log))

    async def find(self, saga: str, key: str) -> str | None:
        """The saga with this name and key, if it has not ended; where another worker runs it, it is told to look."""
        for found, owner in await self._storage.fetch(_LIVE, saga, key):
            if owner == self.worker:
                return str(found)
            self._storage.notify(CHANNEL)
        return None

    async def live(self, size: int = 500) -> AsyncIterator[SavedSaga]:
        """Every saga that has not ended, with its log, in pages."""
        last = ""
        while page := await self._page(_IN_FLIGHT, last, size):
            for saga in page:
                yield saga
            last = page[-1].id

    async def orphans(self, after: str, size: int) -> list[SavedSaga]:
        """Sagas that have not ended and belong to no worker that lives: the first of those with a greater id."""
        return await self._page(_ORPHANED, after, size)

    async def is_orphan(self, saga: str) -> bool:
        """Whether it has not ended, and belongs to no worker that lives."""
        return bool(await self._storage.fetch(f"SELECT 1 FROM ramet_saga s WHERE {_ORPHANED} AND s.id = ?", saga))

    async def own(self, after: str, size: int) -> list[Glance]:
        """Sagas of this worker that have neither ended nor are parked: the first of those with a greater id."""
        return [Glance(*row) for row in await self._storage.fetch(_OWN_GLANCES, self.worker, after, size)]

    async def _page(self, condition: str, after: str, size: int) -> list[SavedSaga]:
        sql = f"SELECT {COLUMNS} FROM ramet_saga s WHERE {condition} AND s.id > ? ORDER BY s.id LIMIT ?"
        rows = await self._storage.fetch(sql, after, size)
        if not rows:
            return []
        sql = f"""SELECT l.saga, l.n, l.kind, l.step, l.data, l.at FROM ramet_saga_log l JOIN ramet_saga s
            ON s.id = l.saga WHERE {condition} AND l.saga > ? AND l.saga <= ? ORDER BY l.saga, l.n"""
        logs: dict[str, list[LogRow]] = {}
        for saga, *entry in await self._storage.fetch(sql, after, rows[-1][0]):
            logs.setdefault(saga, []).append(LogRow(*entry))
        return [SavedSaga(*row)._replace(log=tuple(logs.get(row[0], ()))) for row in rows]

    async def take_over(self, sagas: Sequence[SavedSaga], definitions: Mapping[str, Definition], at: float) -> set[str]:
        """Make sagas, sorted by id, this worker's, as far as nobody else has told anything of them since they were
        read; returns which."""
        worker, ours, lines = self.worker, [], []
        for one in sagas:
            n = len(one.log)
            lines.append((one.id, n, Kind.TAKEN_OVER.value, "", worker, at))
            ours.append((worker, definitions[one.name].version, one.id, one.id, n, worker))
        await self._storage.write(Write(_TAKE_LOG, lines), Write(_TAKE_ROW, ours))
        rows = await self._storage.fetch(_TAKEN_OVER, worker, sagas[0].id, sagas[-1].id)
        return {row[0] for row in rows} & {one.id for one in sagas}

    async def signal(self, saga: str, key: str, event: str) -> tuple[str, str] | None:
        """The oldest event of this name that waits for the saga: its id and payload."""
        rows = await self._storage.fetch(_SIGNALS, saga, key, event)
        return (rows[0][0], rows[0][1]) if rows else None

    async def signalled(self, since: float = 0.0) -> set[str]:
        """The sagas for which an event is there; in a shared database, this worker's, and the event as new as that."""
        own = () if self.leases is None else (self.leases.worker, since)
        return {row[0] for row in await self._storage.fetch(_OWN_SIGNALLED if own else _SIGNALLED, *own)}

    def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake` when an event may have come for a saga of this process."""
        self._storage.listen(CHANNEL, wake)

    async def tidy(self, now: float) -> None:
        """Throw away what nobody needs any more."""
        await self.sweep(now - SIGNALS_KEPT_SECONDS)
        await self.purge(now - ENDED_KEPT_SECONDS)

    async def sweep(self, before: float) -> None:
        """Forget events older than `before` whose saga is not in flight."""
        await self._storage.write(Write(_STALE, [(before,)]))

    async def purge(self, before: float) -> int:
        """Forget the sagas that ended before that moment, with their logs, in small transactions; returns how many."""
        forgotten = 0
        while rows := await self._storage.fetch(_OLD, before, PURGED_TOGETHER):
            await self._storage.write(Write(_FORGET_LOG, rows), Write(_FORGET_SAGA, rows))
            forgotten += len(rows)
        return forgotten

    async def shapes(self, definitions: Iterable[Definition]) -> Shapes:
        """Store the shapes of these definitions, and give all that are known."""
        rows = [(one.version, one.name, msgspec.json.encode(one.shape).decode()) for one in definitions]
        if rows:
            await self._storage.write(Write(_DEFINITION, rows))
        known = await self._storage.fetch("SELECT version, shape FROM ramet_saga_definition")
        kind = tuple[tuple[StepShape, ...], ...]
        return Shapes({version: msgspec.json.decode(shape, type=kind) for version, shape in known})

    async def adopt(self, definitions: Iterable[Definition]) -> None:
        """The sagas in flight go on with these definitions."""
        rows = [(one.version, one.name, one.version) for one in definitions]
        if rows:
            await self._storage.write(Write(_ADOPT, rows))


def record(
    id: str,  # noqa: A002 - the column's name
    key: str,
    definition: Definition,
    told: Sequence[Entry],
    first: int,
    progress: Progress | None,
) -> Record:
    """What is to be written of a saga: entries from number `first` on, and how it stands where its row has to change.

    Raises: TypeError or ValueError for what no journal can keep.
    """
    lines = enumerate(told, first)
    log = [(id, n, _NAMES[one.kind], one.step, _data(definition, one), one.at) for n, one in lines]
    if progress is None:
        return Record(id, log, None, None)
    is_over = definition.waits and progress.status in ENDED
    return Record(id, log, _standing(id, progress), (definition.name, key) if is_over else None)


def _id_of(standing: Row) -> str:
    return str(standing[-1])


def _data(definition: Definition, entry: Entry) -> str | None:
    if entry.data is None or entry.kind is Kind.PARKED:
        return entry.data  # type: ignore[no-any-return]  # the reason, as Entry says
    return definition.encode(entry.data)


def entries(definition: Definition, rows: Iterable[LogRow]) -> Iterable[Entry]:
    """The log as values. Raises: msgspec.ValidationError when a state does not fit this release's State."""
    for row in rows:
        data: Any = row.data
        if row.data is not None and row.kind in (Kind.DID, Kind.UNDID):
            data = definition.decode(row.data)
        elif row.data is not None and row.kind == Kind.TURNED_BACK:
            data = msgspec.json.decode(row.data, type=TurnedBack)
        yield Entry(Kind(row.kind), row.step, row.at, data)


def _standing(id: str, progress: Progress) -> Row:  # noqa: A002 - the column's name
    trouble = msgspec.json.encode(progress.trouble).decode() if progress.trouble else None
    ended = progress.since if progress.status in ENDED else None
    return progress.status.value, progress.reason, trouble, ended, id


def signal_write(saga: str, keys: Iterable[str], event: Event, identity: str, at: float) -> Write:
    """Keep an event for the sagas with these keys, until they take it."""
    payload = msgspec.json.encode(event).decode()
    return Write(_SIGNAL, [(saga, key, event_name(type(event)), identity, payload, at) for key in keys])


def troubles(text: str | None) -> dict[str, Trouble]:
    """What was stored of failures, by step."""
    return msgspec.json.decode(text, type=dict[str, Trouble]) if text else {}


class Carried(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a saga keeps of the context in which it was started."""

    trace: str
    caller: Caller | None = None
    tenant: str | None = None
    region: str | None = None
    baggage: dict[str, str] = {}
    proof: str = ""


def encode_context(context: Context) -> str:
    """A context as JSON, without what belongs to the one execution."""
    carried = Carried(
        trace=context.trace,
        caller=context.caller,
        tenant=context.tenant,
        region=context.region,
        baggage=context.baggage,
        proof=context.proof,
    )
    return msgspec.json.encode(carried).decode()


def decode_context(text: str, execution: str) -> Context:
    """The context of a saga, for one execution."""
    return Context(execution=execution, **asdict(msgspec.json.decode(text, type=Carried)))
