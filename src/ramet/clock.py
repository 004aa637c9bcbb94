"""Time, identifiers and chance: the only module that asks the operating system for them."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import os
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Protocol

_LATE_SECONDS = 0.001
"""What is called later is called late rather than early: loops count in milliseconds, from the begin of a turn."""
_TAILS, _TAIL_BYTES = 256, 10
_VERSION = bytes(0x70 | byte & 0x0F for byte in range(256))
_VARIANT = bytes(0x80 | byte & 0x3F for byte in range(256))
"""What follows the time in an identifier of RFC 9562: version, 12 bits of chance, variant, 62 bits of chance."""


def in_seconds(duration: float | timedelta) -> float:
    """A timedelta as a number of seconds, which any other number is already."""
    return duration.total_seconds() if isinstance(duration, timedelta) else duration


class Timer(Protocol):
    """What will be called later, unless it is cancelled."""

    def cancel(self) -> object:
        """It is not called any more."""


class Clock(ABC):
    """Where the application gets time, identifiers and chance from.

    `monotonic` never goes back and is what deadlines are measured in; `now` is the wall clock in UTC.
    Everything that waits in Ramet waits in `sleep`, or for `call_later`.
    """

    monotonic: Callable[[], float]
    """Seconds since an arbitrary moment."""

    @abstractmethod
    def time(self) -> float:
        """Seconds since the epoch, UTC."""

    @abstractmethod
    async def sleep(self, seconds: float | timedelta) -> None:
        """Wait for seconds or a timedelta; zero or less gives way to other tasks once."""

    @abstractmethod
    def call_later(self, seconds: float, call: Callable[[], object]) -> Timer:
        """Call it after so many seconds."""

    @abstractmethod
    def random(self) -> float:
        """A number in [0, 1)."""

    @abstractmethod
    def bits(self, count: int) -> int:
        """That many random bits."""

    def now(self) -> datetime:
        """The moment, as an aware datetime in UTC."""
        return datetime.fromtimestamp(self.time(), UTC)

    def id(self) -> str:
        """A new identifier, 32 hexadecimal characters, ordered by time to the millisecond (RFC 9562, version 7)."""
        bits = self.bits(74)
        value = (int(self.time() * 1000) << 80) | (7 << 76) | ((bits >> 62) << 64) | (2 << 62) | (bits & (1 << 62) - 1)
        return f"{value:032x}"

    def jitter(self, seconds: float) -> float:
        """Between half of `seconds` and all of it, so that what failed together does not come back together."""
        return seconds * (0.5 + self.random() / 2)


class SystemClock(Clock):
    """The machine's own."""

    def __init__(self) -> None:
        self.monotonic = time.monotonic
        self._since = self._until = 0.0
        self._head = ""
        self._tails: list[str] = []
        os.register_at_fork(after_in_child=self._forget_chance)

    def time(self) -> float:
        return time.time()

    async def sleep(self, seconds: float | timedelta) -> None:
        await asyncio.sleep(max(0.0, in_seconds(seconds)))

    def call_later(self, seconds: float, call: Callable[[], object]) -> Timer:
        return asyncio.get_running_loop().call_later(seconds + _LATE_SECONDS, call)

    def random(self) -> float:
        return random.random()  # noqa: S311 - jitter and sampling, no secret

    def bits(self, count: int) -> int:
        return int.from_bytes(os.urandom((count + 7) // 8)) >> (-count % 8)

    def id(self) -> str:
        """As every clock's, at a fraction of the cost: each request and each event needs one."""
        if not self._since <= (now := time.time()) < self._until:
            millisecond = int(now * 1000)
            self._since, self._until = millisecond / 1000, (millisecond + 1) / 1000
            self._head = f"{millisecond:012x}"
        tails = self._tails
        if not tails:
            tails += _tails()
        return self._head + tails.pop()

    def _forget_chance(self) -> None:
        """A child process must not hand out what its parent does."""
        self._tails.clear()


class Alarm:
    """Calls `ring` at the earliest moment it was set to, and is then set no more: one timer for many deadlines.

    Moments are the clock's `monotonic`.
    """

    __slots__ = ("_clock", "_ring", "_timer", "at")

    def __init__(self, clock: Clock, ring: Callable[[], object]) -> None:
        self.at = inf
        """The moment; infinite while it is not set."""
        self._clock = clock
        self._ring = ring
        self._timer: Timer | None = None

    def set(self, at: float) -> None:
        """Ring at this moment, or earlier where it was set so before."""
        if at >= self.at:
            return
        self.stop()
        self.at = at
        self._timer = self._clock.call_later(max(at - self._clock.monotonic(), 0.0), self._rings)

    def stop(self) -> None:
        """Do not ring."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self.at = None, inf

    def _rings(self) -> None:
        self._timer, self.at = None, inf
        self._ring()


def _tails() -> list[str]:
    """What follows the time in identifiers, for hundreds of which one system call brings the chance."""
    chance = bytearray(os.urandom(_TAIL_BYTES * _TAILS))
    chance[::_TAIL_BYTES] = chance[::_TAIL_BYTES].translate(_VERSION)
    chance[2::_TAIL_BYTES] = chance[2::_TAIL_BYTES].translate(_VARIANT)
    text = chance.hex()
    return [text[start : start + 2 * _TAIL_BYTES] for start in range(0, len(text), 2 * _TAIL_BYTES)]


class VirtualClock(Clock):
    """Time that moves only when told: `await clock.advance(60)` wakes, in order, whatever would have woken by then.

    Identifiers and chance come from `seed`, so that a run can be repeated.
    """

    def __init__(self, *, start: datetime = datetime(2030, 1, 1, tzinfo=UTC), seed: int = 0) -> None:
        self._start = start.timestamp()
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = itertools.count()
        self._chance = random.Random(seed)  # noqa: S311 - repeatable by design
        self.monotonic = lambda: self._elapsed

    def time(self) -> float:
        return self._start + self._elapsed

    async def sleep(self, seconds: float | timedelta) -> None:
        seconds = in_seconds(seconds)
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        await self._wake_after(seconds)

    def call_later(self, seconds: float, call: Callable[[], object]) -> Timer:
        if seconds <= 0:
            return asyncio.get_running_loop().call_soon(call)
        timer = self._wake_after(seconds)
        timer.add_done_callback(lambda _: None if timer.cancelled() else call())
        return timer

    def _wake_after(self, seconds: float) -> asyncio.Future[None]:
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._count), future))
        return future

    def random(self) -> float:
        return self._chance.random()

    def bits(self, count: int) -> int:
        return self._chance.getrandbits(count)

    @property
    def next_wake(self) -> float | None:
        """Seconds until the first sleeper wakes; None when nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] - self._elapsed if self._sleepers else None

    async def advance(self, by: float | timedelta) -> None:
        """Move time forward by seconds or a timedelta, letting the woken do their work at their moment."""
        target = self._elapsed + in_seconds(by)
        await self.settle()
        while (wait := self.next_wake) is not None and self._elapsed + wait <= target:
            self._elapsed, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)
            await self.settle()
        self._elapsed = max(self._elapsed, target)
        await self.settle()

    async def settle(self, turns: int = 50) -> None:
        """Let everything that is ready run."""
        for _ in range(turns):
            await asyncio.sleep(0)
