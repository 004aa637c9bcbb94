"""One connection of either side: bytes in and out, back-pressure, deadlines, and whether the other side is there.

What is to be sent is collected and written in one piece, but never more than a few KB: without that bound both sides
would work in turns instead of at the same time.
"""

from __future__ import annotations

import asyncio
import logging
from sys import maxsize
from typing import Any
from zlib import crc32

from ramet.clock import Alarm, Clock
from ramet.tasks import Spawn
from ramet.transport.options import TransportOptions
from ramet.transport.wire.framing import PING, PONG
from ramet.transport.wire.protocol import BROKEN, Wire

APART_BYTES = 16_384
"""From here on pieces are handed to the system as they are: to put them together would cost more.

By uvloop, that is. asyncio's own `writelines` puts them together up to Python 3.11, and tells nobody from 3.12 on that
the other side takes no more.
"""
log = logging.getLogger("ramet.transport")


class Connection(asyncio.Protocol):
    """What both sides have in common. `lost` is done when the connection is gone, and says why."""

    def __init__(self, wire: Wire, *, clock: Clock, spawn: Spawn, options: TransportOptions) -> None:
        self._loop = asyncio.get_running_loop()
        self._clock = clock
        self._monotonic = clock.monotonic
        self._spawn = spawn
        self._options = options
        self._protocol = wire
        self._flush_bytes = options.flush_bytes
        self._apart_bytes = maxsize if isinstance(self._loop, asyncio.BaseEventLoop) else APART_BYTES
        self._transport: Any = None
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._gathered: list[Any] = []
        self._gathered_bytes = 0  # about
        self._scheduled = False
        self._paused = False
        self._heard = False
        self._silent = False
        self._alarm = Alarm(clock, self._look_after_deadlines)
        self._background: list[asyncio.Task[Any]] = []
        self._reason = ""
        self.lost: asyncio.Future[str] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = transport
        if transport.get_extra_info("sslcontext") is None:  # which takes a limit of 0 for "always full"
            self._transport.set_write_buffer_limits(0)  # write at once, and know at once when that is not possible
        self._background = [self._spawn(self._keep_alive())]

    def connection_lost(self, exc: Exception | None) -> None:
        """End: the background first, then whoever waits for something."""
        for task in self._background:
            task.cancel()
        self._alarm.stop()
        self._background = []
        self._pending.clear()
        self._gathered.clear()
        self._paused = True  # for good: there is nothing to write to
        reason = self._reason or (f"the connection failed: {exc}" if exc else "the other side disconnected")
        self._forsaken(reason)
        if not self.lost.done():
            self.lost.set_result(reason)

    def pause_writing(self) -> None:
        """The other side, or the link, takes no more."""
        self._paused = True

    def resume_writing(self) -> None:
        """It takes more."""
        self._paused = False
        self._flush()

    def abort(self, reason: str) -> None:
        """Disconnect now."""
        self._reason = self._reason or reason
        self._transport.abort()

    def _send(self, frame: bytes) -> None:
        """Send a frame, with the others and after what has gathered."""
        if self._gathered:
            self._seal()
        self._pending.append(frame)
        self._pending_bytes += len(frame)
        self._flush_soon()

    def _flush_soon(self) -> None:
        """Write what is to be sent: at the end of this turn of the loop, or now that it is much."""
        if self._pending_bytes + self._gathered_bytes >= self._flush_bytes:
            self._flush()
        elif not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def _send_apart(self, head: bytes, body: bytes) -> None:
        """Send a large frame, whose pieces are not put together."""
        if self._gathered:
            self._seal()
        self._pending.append(head)
        self._pending_bytes += len(head)
        self._send(body)

    def _seal(self) -> None:
        """Make frames of what has gathered."""
        gathered, self._gathered, self._gathered_bytes = self._gathered, [], 0
        frames = self._frames(gathered)
        self._pending += frames
        self._pending_bytes += sum(map(len, frames))

    def _frames(self, gathered: list[Any], /) -> list[bytes]:
        """As few as that can be."""
        raise NotImplementedError

    def _flush(self) -> None:
        self._scheduled = False
        if self._gathered:
            self._seal()
        pending = self._pending
        if not pending:
            return
        if self._paused:
            self._held_up()
            return
        if len(pending) == 1:
            self._transport.write(pending[0])
        elif self._pending_bytes < self._apart_bytes:
            self._transport.write(b"".join(pending))
        else:
            self._transport.writelines(pending)
        pending.clear()
        self._pending_bytes = 0

    def _held_up(self) -> None:
        """There is something to write that the other side, or the link, does not take now."""

    def _event(self, kind: int, number: int, value: Any) -> None:
        """What concerns both sides."""
        if kind == PING:
            self._send(self._protocol.pong(number))
        elif kind == BROKEN and self._transport.is_closing():
            pass  # it was refused, or is gone: what it had sent besides is not looked at, and takes no answer away
        elif kind == BROKEN:
            log.warning("A connection with %s is closed: %s", self._who(), value)
            self.abort(f"the protocol was broken: {value}")
        else:
            assert kind == PONG, kind

    async def _keep_alive(self) -> None:
        """Ask a silent peer whether it is there, and give it up when it says nothing to that.

        Not only what it says is a sign of life, but also that it takes something, of which the buffers on the way may
        show nothing: so whoever is in the middle of a frame says that he takes it. Each turn counts once, so that a
        pause of this process is not taken for one of the other. A peer of whom nobody waits for anything is left alone
        for longer: with many connections, most are idle.
        """
        every, silence, backlog, idle = self._options.ping_after_seconds, 0.0, 0, 0.0
        while True:
            await self._clock.sleep(self._until_turn(every))
            left = self._transport.get_write_buffer_size()
            heard, self._heard, backlog = self._heard or left < backlog, False, left
            idle = 0.0 if heard or self._busy() else idle + every
            if 0.0 < idle < self._options.ping_idle_seconds and not silence:
                continue
            silence = 0.0 if heard else silence + every
            self._silent = silence >= 2 * every
            self._judge()
            if silence >= self._options.dead_after_seconds:
                self.abort(f"the other side has been silent for {silence:g} s")
                return
            if silence and self._protocol.is_open:
                self._send(self._protocol.ping(0))
            elif self._protocol.is_open and self._protocol.is_within_frame:
                self._send(self._protocol.pong(0))

    def _judge(self) -> None:
        """What is known of the other side has changed."""

    def _until_turn(self, every: float) -> float:
        """Seconds until it is the turn of all connections of this process, which is woken once for all of them."""
        phase = crc32(self._options.name.encode()) / 2**32 * every
        left = (phase - self._monotonic()) % every
        return left if left > every / 2 else left + every

    def _busy(self) -> bool:
        """Whether anything is in flight."""
        raise NotImplementedError

    def _look_after_deadlines(self) -> None:
        self._alarm.set(self._overdue(self._monotonic()))

    def _overdue(self, now: float, /) -> float:
        """End what should have been done by now; until when the next one has time (infinite: there is none)."""
        raise NotImplementedError

    def _forsaken(self, reason: str, /) -> None:
        """The connection is lost: tell whoever waits for something."""
        raise NotImplementedError

    def _who(self) -> str:
        """The other side, for the log."""
        raise NotImplementedError
