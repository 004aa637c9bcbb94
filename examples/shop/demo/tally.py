"""What was counted and timed: by the customers from outside, by hooks from inside."""

from __future__ import annotations

import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager

from ramet.events.moments import Attempt, Outcome
from ramet.sagas.moments import Happened, Moment
from ramet.sagas.progress import Status

RECENT_SECONDS = 10.0


class Tally:
    def __init__(self) -> None:
        self.opened = time.monotonic()
        self.counts: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self._recent: defaultdict[str, deque[float]] = defaultdict(deque)
        self._latencies: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=2000))

    def open(self) -> None:
        """From here on time counts."""
        self.opened = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.opened

    def count(self, what: str) -> None:
        self.counts[what] += 1
        self._recent[what].append(time.monotonic())

    def rate(self, what: str) -> float:
        """How often in a second, of late."""
        times, now = self._recent[what], time.monotonic()
        while times and times[0] < now - RECENT_SECONDS:
            times.popleft()
        return len(times) / min(RECENT_SECONDS, max(self.seconds, 1.0))

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        begin = time.monotonic()
        yield
        self._latencies[what].append(time.monotonic() - begin)

    def latencies(self) -> Iterator[tuple[str, float, float]]:
        """What was timed, with its median and 99th percentile in milliseconds."""
        for what, values in sorted(self._latencies.items()):
            ordered = sorted(values)
            yield what, ordered[len(ordered) // 2] * 1000, ordered[len(ordered) * 99 // 100] * 1000

    def event(self, attempt: Attempt) -> None:
        """A hook for events."""
        self.count(f"event {attempt.outcome}")
        if attempt.outcome is Outcome.HANDLED:
            self._latencies["an event handled"].append(attempt.age_seconds)

    def saga(self, moment: Moment) -> None:
        """A hook for sagas."""
        if moment.happened is Happened.STARTED:
            self.count("placed")
        elif moment.happened is Happened.ENDED:
            self.count("confirmed" if moment.status is Status.COMPLETED else "cancelled")
        elif moment.happened is Happened.TURNED_BACK:
            self.reasons[moment.error or ""] += 1
        elif moment.happened is Happened.PARKED:
            self.count("parked")
        elif moment.happened is Happened.RETRIED:
            self.count("unparked")
