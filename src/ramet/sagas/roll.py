"""Which sagas this process goes on with: each is in memory, on its way there, or asleep until a moment.

What waits for an event alone is not on the roll: the event brings it back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from ramet.clock import Clock
from ramet.sagas import machine
from ramet.sagas.definition import Definition
from ramet.sagas.journal import SavedSaga
from ramet.sagas.live import Live, revive
from ramet.sagas.waking import Agenda


class Place(Enum):
    """Where a saga is that is not in memory."""

    QUEUED = "queued"
    READING = "reading"
    ASLEEP = "asleep"


class Absent:
    """A saga that is not in memory.

    `doubtful` when a crash may have hidden attempts; `failures` counts how often in a row it could not go on, and
    `looks` are the further seconds after which it is looked for, where it may not be there at all.
    """

    __slots__ = ("doubtful", "failures", "id", "looks", "place")

    def __init__(self, name: str, *, doubtful: bool = False, failures: int = 0, looks: tuple[float, ...] = ()) -> None:
        self.id = name
        self.doubtful = doubtful
        self.failures = failures
        self.looks = looks
        self.place = Place.QUEUED


class Roll:
    """Knows one thing of each saga; at most `size` are in memory or being read. `woken` is told whose time has come."""

    def __init__(self, clock: Clock, size: int, woken: Callable[[str], None]) -> None:
        self._size = size
        self._sagas: dict[str, Live | Absent] = {}
        self._queue: deque[Absent] = deque()
        self._agenda = Agenda(clock, woken)
        self._inside = 0

    def __contains__(self, saga: object) -> bool:
        """Whether it is in memory, or will be."""
        return saga in self._sagas

    def live(self, saga: str) -> Live | None:
        """The saga in memory."""
        found = self._sagas.get(saga)
        return found if isinstance(found, Live) else None

    def absent(self, saga: str) -> Absent | None:
        """The saga on its way there, or asleep."""
        found = self._sagas.get(saga)
        return found if isinstance(found, Absent) else None

    @property
    def has_room(self) -> bool:
        """Whether one more may be in memory."""
        return self._inside < self._size

    @property
    def is_quiet(self) -> bool:
        """Whether none is in memory or on its way there."""
        return not (self._inside or self._queue)

    # -- what becomes of a saga ----------------------------------------------------------------------------------

    def admit(self, live: Live) -> None:
        """It is in memory."""
        self._inside += 1 - _is_inside(self._sagas.get(live.id))
        self._sagas[live.id] = live

    def queue(self, absent: Absent) -> None:
        """It is to be read as soon as there is room."""
        self._place(absent, Place.QUEUED)
        self._queue.append(absent)

    def sleep(self, absent: Absent, until: float) -> None:
        """It is not needed before `until`, seconds since the epoch."""
        self._place(absent, Place.ASLEEP)
        self._agenda.add(until, absent.id)

    def remind(self, saga: str, at: float) -> None:
        """Tell of a saga that stays in memory, too."""
        self._agenda.add(at, saga)

    def next(self) -> Iterator[Absent]:
        """Those to be read now, as far as there is room."""
        while self._queue and self.has_room:
            absent = self._queue.popleft()
            if self._sagas.get(absent.id) is absent and absent.place is Place.QUEUED:
                self._place(absent, Place.READING)
                yield absent

    def remove(self, saga: Live | Absent) -> None:
        """It is no concern of this process, or an event will bring it back; not if another one took its place."""
        if self._sagas.get(saga.id) is saga:
            self._inside -= _is_inside(saga)
            del self._sagas[saga.id]

    def clear(self) -> None:
        """All are somebody else's."""
        for one in self._sagas.values():
            if isinstance(one, Live):
                one.stale = True
        self._sagas.clear()
        self._queue.clear()
        self._agenda.stop()
        self._inside = 0

    def rest(self) -> None:
        """Tell of nobody any more."""
        self._agenda.stop()

    def _place(self, absent: Absent, place: Place) -> None:
        self._inside += (place is Place.READING) - _is_inside(self._sagas.get(absent.id))
        absent.place = place
        self._sagas[absent.id] = absent


def _is_inside(saga: Live | Absent | None) -> bool:
    return saga is not None and (isinstance(saga, Live) or saga.place is Place.READING)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recovery:
    """What a start, or a worker that takes over, has to go on with, by id.

    `ready` can go on now, `waiting` at a time or, where that is None, with an event.
    """

    ready: list[str] = field(default_factory=list)
    waiting: list[tuple[str, float | None]] = field(default_factory=list)


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
