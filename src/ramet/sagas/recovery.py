"""What a start, or a worker that takes over, has to go on with, if its release can."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ramet.sagas import machine
from ramet.sagas.definition import Definition
from ramet.sagas.journal import Journal, SavedSaga
from ramet.sagas.live import revive
from ramet.sagas.progress import Status
from ramet.sagas.release import objection, refusal


@dataclass(frozen=True, kw_only=True, slots=True)
class Recovery:
    """The sagas in flight, by id: `ready` can go on now, `waiting` at a time or, where that is None, with an event."""

    ready: list[str] = field(default_factory=list)
    waiting: list[tuple[str, float | None]] = field(default_factory=list)


async def recover(service: str, journal: Journal, definitions: Mapping[str, Definition], now: float) -> Recovery:
    """Read every saga in flight. Raises: IncompatibleRelease, which names those that cannot go on."""
    shapes = await journal.shapes(definitions.values())
    recovery = Recovery()
    stranded: list[tuple[SavedSaga, str]] = []
    async for saga in journal.live():
        definition = definitions.get(saga.name)
        reason = objection(saga, definition, shapes)
        if reason is not None:
            stranded.append((saga, reason))
        elif definition is not None and saga.status != Status.PARKED:
            sort_in(recovery, saga, definition, now)
    if stranded:
        raise refusal(service, stranded)
    await journal.adopt(definitions.values())
    return recovery


def sort_in(recovery: Recovery, saga: SavedSaga, definition: Definition, now: float) -> None:
    """Put a saga where it belongs; the parked are not asked.

    One whose row is behind its log, as another worker has left it, is ready to be corrected; and so is one that cannot
    be understood: what is wrong with it is said, and the others go on, when it is read by itself.
    """
    try:
        live = revive(saga, definition, doubtful=True)
        progress, todo = live.progress, machine.todo(definition, live.progress, now)
    except Exception:  # noqa: BLE001 - whatever it was, of what was stored or of what the saga's author wrote
        recovery.ready.append(saga.id)
        return
    if progress.status is live.stands and progress.reason is None and not todo.run and not todo.overdue:
        recovery.waiting.append((saga.id, todo.until))
    else:
        recovery.ready.append(saga.id)
