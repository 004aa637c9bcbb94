"""What operators see of sagas; works on the database alone, whether the service runs or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from ramet.contract.struct import Struct
from ramet.errors import NotFound, described
from ramet.sagas import machine
from ramet.sagas.definition import Definition, due
from ramet.sagas.journal import Journal, SavedSaga, Shapes, troubles
from ramet.sagas.live import revive
from ramet.sagas.progress import ENDED, Kind, Status, Trouble
from ramet.sagas.release import objection, step_reached
from ramet.storage.base import Storage

PAGE = 200


class SagaSummary(Struct):
    """One saga in a list: `at` is the step it is at, `until` when it goes on or tries again by itself."""

    id: str
    name: str
    key: str
    status: Status
    at: str
    started: datetime
    ended: datetime | None = None
    reason: str | None = None
    error: str | None = None
    attempts: int = 0
    until: datetime | None = None


class SagaEntry(Struct):
    """A line of a saga's log; `data` is the state after a step or undo, or why and what is undone."""

    happened: Kind
    step: str
    at: datetime
    data: Any = None


class SagaHistory(Struct):
    """A saga with all that happened to it; `initial` is the state it was started with, `state` the newest."""

    saga: SagaSummary
    initial: Any
    state: Any
    trace: str
    log: tuple[SagaEntry, ...]


class Views:
    """Lists and histories of one service's sagas as a release with these `definitions` sees them; None: no release."""

    def __init__(self, storage: Storage, definitions: Iterable[Definition] | None = None) -> None:
        self._storage = storage
        self._journal = Journal(storage)
        self._strands = storage.shared and definitions is not None  # with one process, it refuses to start
        self._definitions = {one.name: one for one in definitions or ()}

    async def sagas(
        self, *, status: Status | None = None, name: str | None = None, key: str | None = None, limit: int = 100
    ) -> tuple[SagaSummary, ...]:
        """The newest sagas first, at most `limit`; with RUNNING those that wait are found too."""
        if status is Status.STRANDED:
            left = [one async for one in self._stranded() if name in {None, one.name} and key in {None, one.key}]
            return tuple([await self._summary(one) for one in left[: -limit - 1 : -1]])
        wanted = Status.RUNNING if status is Status.WAITING else status
        asked = (("status", wanted.value if wanted else None), ("name", name), ("business_key", key))
        filters = [(f"{column} = ?", value) for column, value in asked if value is not None]
        where = " AND ".join(condition for condition, _ in filters) or "1 = 1"
        sql = f"SELECT id FROM ramet_saga WHERE {where} ORDER BY id DESC LIMIT ?"
        rows = await self._storage.fetch(sql, *(value for _, value in filters), limit)
        found = [await self._journal.load(row[0]) for row in rows]
        summaries = [await self._summary(one) for one in found if one is not None]
        return tuple(one for one in summaries if status is not Status.WAITING or one.status is Status.WAITING)

    async def show(self, saga: str) -> SagaHistory:
        """One saga, with its log. Raises: NotFound."""
        saved = await self._journal.load(saga)
        if saved is None:
            raise NotFound(f"There is no saga {saga}: `ramet sagas list` shows all.")
        states = [row.data for row in saved.log if row.kind in (Kind.DID, Kind.UNDID) and row.data is not None]
        return SagaHistory(
            saga=await self._summary(saved),
            initial=msgspec.json.decode(saved.state),
            state=msgspec.json.decode(states[-1] if states else saved.state),
            trace=msgspec.json.decode(saved.context)["trace"],
            log=tuple(
                SagaEntry(happened=Kind(row.kind), step=row.step, at=_moment(row.at), data=_shown(row.kind, row.data))
                for row in saved.log
            ),
        )

    async def counts(self) -> dict[str, int]:
        """How many sagas there are in each status; those that wait count as running."""
        rows = await self._storage.fetch("SELECT status, count(*) FROM ramet_saga GROUP BY status")
        found = Counter({row[0]: row[1] for row in rows})
        async for saga in self._stranded():
            found.update({saga.status: -1, Status.STRANDED.value: 1})
        return {status: count for status, count in found.items() if count}

    async def _stranded(self) -> AsyncIterator[SavedSaga]:
        """The sagas that nobody has and that this release cannot go on with, the oldest first."""
        if not self._strands:
            return
        shapes, last = await self._journal.shapes(()), ""
        while page := await self._journal.orphans(last, PAGE):
            for saga in page:
                if objection(saga, self._definitions.get(saga.name), shapes) is not None:
                    yield saga
            last = page[-1].id

    async def _elsewhere(self, saved: SavedSaga) -> tuple[Status, str, str | None] | None:
        """Where a saga of another release stands, and what is wrong where no process of that lives; None for others."""
        if not self._strands or saved.ended_at is not None:
            return None
        definition = self._definitions.get(saved.name)
        same = definition if definition is not None and definition.version == saved.definition else None
        shapes = Shapes({same.version: same.shape}) if same else await self._journal.shapes(())
        reason = objection(saved, definition, shapes)
        if reason is None:
            return None
        if await self._journal.is_orphan(saved.id):
            wrong = f"{reason}: it waits for a process of the release that started it"
            return Status.STRANDED, step_reached(saved, shapes), wrong
        return None if same else (Status(saved.status), step_reached(saved, shapes), None)

    async def _summary(self, saved: SavedSaga) -> SagaSummary:
        status, at, until, wrong = Status(saved.status), saved.log[-1].step if saved.log else "", None, None
        definition = self._definitions.get(saved.name)
        if (found := await self._elsewhere(saved)) is not None:
            status, at, wrong = found
        elif definition is not None and status not in ENDED:
            try:
                status, at, until = _standing(saved, definition)
            except Exception as error:  # noqa: BLE001 - another release's saga, or a broken one: the row must do
                wrong = f"It cannot go on with this release: {described(error)}"
        trouble = _trouble(saved, at)
        return SagaSummary(
            id=saved.id,
            name=saved.name,
            key=saved.key,
            status=status,
            at=at,
            started=_moment(saved.started_at),
            ended=None if saved.ended_at is None else _moment(saved.ended_at),
            reason=saved.reason,
            error=wrong or (trouble.error if trouble else None),
            attempts=trouble.attempts if trouble else 0,
            until=None if until is None else _moment(until),
        )


def _trouble(saved: SavedSaga, step: str) -> Trouble | None:
    try:
        return troubles(saved.trouble).get(step)
    except msgspec.DecodeError:
        return None


def _standing(saved: SavedSaga, definition: Definition) -> tuple[Status, str, float | None]:
    progress = revive(saved, definition, doubtful=False).progress
    if progress.plan:
        return progress.status, progress.plan[0].step, machine.todo(definition, progress, 0.0).until
    open_steps = [one for one in definition.stages[progress.stage] if one.name not in progress.executed]
    step = open_steps[0]
    trouble = [progress.trouble[one.name] for one in open_steps if one.name in progress.trouble]
    if step.declaration.kind == "wait" and progress.status is Status.RUNNING and not trouble:
        return Status.WAITING, step.name, due(step, progress.state, progress.since)
    if trouble:
        return progress.status, step.name, min(one.retry_at for one in trouble) or None
    return progress.status, step.name, None


def _shown(kind: str, data: str | None) -> Any:
    return data if data is None or kind in (Kind.PARKED, Kind.TAKEN_OVER) else msgspec.json.decode(data)


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
