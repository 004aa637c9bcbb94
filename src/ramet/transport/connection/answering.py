"""The answering side of a connection: runs each request under its context, and sends the answers as they come."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Coroutine
from itertools import starmap
from math import inf
from typing import Any

from msgspec.structs import replace

from ramet.clock import Clock
from ramet.errors import CallError, Denied, Overloaded
from ramet.identity.grants import denial
from ramet.tasks import Spawn
from ramet.telemetry.context import current_context
from ramet.transport.admission import Admission
from ramet.transport.base import Call, Peer, Serve, Vouch
from ramet.transport.compression import Compression
from ramet.transport.connection.connection import APART_BYTES, Connection
from ramet.transport.connection.eager import Eager, StandIn
from ramet.transport.options import TransportOptions
from ramet.transport.wire.framing import CANCEL, HEAD_BYTES, HELLO, REQUESTS
from ramet.transport.wire.messages import TOGETHER, Calls, Hello, Welcome, plain, put_off, weight
from ramet.transport.wire.protocol import AnswererWire

log = logging.getLogger("ramet.transport")

Admit = Callable[[Hello], tuple[Peer, int]]
"""Who it is that says hello, and the version of the protocol to speak with it. Raises: RefusedError."""

USUALLY_WAITS, CALLS_AS_TASKS = 8, 64
"""So many calls of a method that waited, more than did not, give it tasks for so many further calls."""
METHODS_LIMIT = 4096
BACKLOG_BYTES = 2**20
"""Of answers that the other side has not taken yet: who leaves more waiting is not listened to meanwhile."""


FOREVER = float("inf")
CLOCK_LOOKED_AT_SECONDS = 60.0
"""So often, because the clock may be set."""
EXPIRED_GRACE_SECONDS = 30.0
"""For so long what is in flight may go on on a connection whose proof has expired."""


class RefusedError(Exception):
    """Somebody is not let in, for a reason: a code of `TROUBLES`, and a sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Known:
    """A method that the other side may call: what stands before it, and how usual it is that its calls wait."""

    __slots__ = ("admission", "waits")

    def __init__(self, admission: Admission | None) -> None:
        self.admission = admission
        self.waits = 0


class Flight:
    """A request that is being answered: by whom, until when (monotonic), and how many bytes it holds.

    It holds a place of its `admission` since then, too; None where it holds none, or is admitted on its way.
    """

    __slots__ = ("admission", "deadline", "inside_since", "overdue", "size", "task")

    def __init__(
        self,
        task: asyncio.Task[Any] | StandIn,
        deadline: float,
        size: int,
        admission: Admission | None,
        inside_since: float,
    ) -> None:
        self.task = task
        self.deadline = deadline
        self.size = size
        self.admission = admission
        self.inside_since = inside_since
        self.overdue = False


class AnsweringConnection(Connection):
    """A connection that was accepted; `on_begun` is called when it can be spoken over, which TLS may prevent, and
    `on_introduced` when it is known who the other side is.

    `vouch` is asked for each call that speaks for a user; None believes whatever is said. `admission_of` says what
    stands before the answers of a method; None lets everything in. What is answered without a wait takes no place.
    """

    def __init__(
        self,
        answer: Serve,
        admit: Admit,
        compression: Compression | None,
        *,
        clock: Clock,
        spawn: Spawn,
        options: TransportOptions,
    ) -> None:
        self._wire = AnswererWire(options.frame_limit_bytes)
        super().__init__(self._wire, clock=clock, spawn=spawn, options=options)
        self._answer = answer
        self._admit = admit
        self._compression = compression
        self._peer = Peer(name="")
        self._eager = Eager(spawn, self._loop)
        self._in_flight: dict[int, Flight] = {}
        self._bytes = 0
        self._known: dict[str, Known] = {}
        self._draining = False
        self._deaf = False
        self._skew_seconds = options.skew_seconds
        self.on_begun: Callable[[AnsweringConnection], None] | None = None
        self.on_introduced: Callable[[AnsweringConnection], None] | None = None
        self.vouch: Vouch | None = None
        self.admission_of: Callable[[str], Admission | None] = lambda _: None

    @property
    def in_flight(self) -> int:
        """How many requests are being answered."""
        return len(self._in_flight)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give the other side some time to introduce itself."""
        super().connection_made(transport)
        link = transport.get_extra_info("socket")
        if link is not None and link.family == socket.AF_UNIX:
            self._skew_seconds = self._options.dead_after_seconds  # who has waited for longer has gone
        if self.on_begun is not None:
            self.on_begun(self)
        self._background.append(self._spawn(self._hurry()))

    def data_received(self, data: bytes) -> None:
        """Take requests, and answer those that need not wait for anything, in one piece."""
        self._heard = True
        self._scheduled = True  # at the end of this, which is sooner than the turn's
        for kind, number, value in self._wire.receive(data):
            if kind == REQUESTS:
                self._requests(number, value)
            else:
                self._event(kind, number, value)
        self._flush()

    def resume_writing(self) -> None:
        """The other side takes answers again, so it may ask again."""
        super().resume_writing()
        if self._deaf and not self._paused:
            self._deaf = False
            self._transport.resume_reading()

    def _frames(self, gathered: list[tuple[int, bytes]]) -> list[bytes]:
        if len(gathered) == 1:
            return [self._wire.reply(*gathered[0])]
        frames: list[bytes] = []
        for at in range(0, len(gathered), TOGETHER):
            answers = gathered[at : at + TOGETHER]
            frame = self._wire.replies(answers)
            frames += [frame] if frame is not None else starmap(self._wire.reply, answers)
        return frames

    def _held_up(self) -> None:
        if self._pending_bytes > BACKLOG_BYTES and not self._deaf and not self._transport.is_closing():
            self._deaf = True
            self._transport.pause_reading()

    def go_away(self) -> None:
        """Tell the other side that this process is about to end; further requests are not executed."""
        self._draining = True
        if self._protocol.is_open:
            self._send(self._wire.goaway())
        else:
            self.abort("this process is about to end")

    def _requests(self, first: int, calls: Calls) -> None:
        """Begin with those that have come together; where both sides have one clock, as on a host, deadlines stand.

        Whether they have is known of a Unix socket: what is missing was spent on the way, as when this process was
        frozen. Elsewhere it is guessed.
        """
        now = self._monotonic()
        ahead = now - calls.now
        if 0 <= ahead < self._skew_seconds:
            ahead = 0.0
        with self._eager:
            for number, call in enumerate(calls.calls, first):
                if ahead:
                    put_off(call, ahead)
                self._request(number, call, now)

    def _request(self, number: int, call: Call, now: float) -> None:
        """Run it, if it may be: at once and without a task, unless calls of this method usually wait for something."""
        method, context = call.method, call.context
        if self._draining or ((self._in_flight or self._pending_bytes) and self._is_too_much(number)):
            return self._refuse(number, method)
        if not context.deadline > now:
            return self._trouble(number, "deadline", f"{method}: the time was up before the call arrived.")
        known = self._known.get(method) or self._known_now(method)
        if known is None:
            return self._denied(number, method)
        if self.vouch is not None and (context.caller is not None or context.tenant is not None or context.proof):
            try:
                call = replace(call, context=self.vouch(context, self._peer))
            except Denied as error:
                log.warning("%s was denied to %s: %s", plain(method), self._peer.name, error)
                return self._trouble(number, "denied", f"{method} was denied: {error}")
        admission, waits = known.admission, known.waits
        if admission is not None and admission.is_full:
            return self._begin_as_task(number, call, self._work(number, call, admission), None, now)
        work = self._work(number, call, self._answer)
        if waits >= USUALLY_WAITS:
            known.waits = waits - 1
            return self._begin_as_task(number, call, work, admission, now)
        task = self._eager.start(work)
        if task is not None:
            known.waits = waits + 1 if waits + 1 < USUALLY_WAITS else USUALLY_WAITS + CALLS_AS_TASKS
            self._enter(number, call, task, admission, now)
        elif waits:
            known.waits = waits - 1
        return None

    def _is_too_much(self, number: int) -> bool:
        in_flight, options = self._in_flight, self._options
        held = max(self._bytes, self._pending_bytes)  # by calls, or by answers that those of one frame already have
        return len(in_flight) >= options.calls_limit or held > options.calls_limit_bytes or number in in_flight

    def _refuse(self, number: int, method: str) -> None:
        if number in self._in_flight:
            self._draining = True
            self.abort(f"the protocol was broken: request {number} came twice")
        elif self._draining:
            self._trouble(number, "unavailable", f"{method} was not executed: its process is ending.")
        else:
            self._trouble(number, "overloaded", f"{method} was refused: too much is in flight already.")

    def _known_now(self, method: str) -> Known | None:
        """None where the other side has not been granted its contract; who has is remembered."""
        may_call = self._peer.may_call
        if may_call is not None and method.rpartition(".")[0] not in may_call:
            return None
        if len(self._known) >= METHODS_LIMIT:
            self._known.clear()
        known = self._known[method] = Known(self.admission_of(method))
        return known

    def _begin_as_task(
        self, number: int, call: Call, work: Coroutine[Any, Any, None], admission: Admission | None, now: float
    ) -> None:
        task: asyncio.Task[None] = self._spawn(work)
        task.add_done_callback(lambda _: self._leave(number))  # one that is cancelled before it begins cannot do it
        self._enter(number, call, task, admission, now)

    def _enter(
        self,
        number: int,
        call: Call,
        task: asyncio.Task[Any] | StandIn,
        admission: Admission | None,
        now: float,
    ) -> None:
        size = weight(call)
        self._in_flight[number] = Flight(task, call.context.deadline, size, admission, now)
        self._bytes += size
        if admission is not None:
            admission.enter()
        self._alarm.set(call.context.deadline)

    async def _work(self, number: int, call: Call, answering: Serve) -> None:
        """Answer one call under its context, and send what came of it."""
        current_context.set(call.context)
        try:
            answer = await answering(call, self._peer)
        except asyncio.CancelledError:
            self._cancelled(number, call.method)
            raise
        except Overloaded as error:
            self._trouble(number, "overloaded", str(error))
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException:  # be it SystemExit: the others of its connection go on
            mark = self._clock.id()
            log.exception("%s: %s failed", mark, plain(call.method))
            self._trouble(number, "failed", mark)
        else:
            try:
                if (size := len(answer)) < APART_BYTES and size <= self._wire.peer_limit:
                    self._gathered.append((number, answer))
                    self._gathered_bytes += size + HEAD_BYTES
                    if not self._scheduled or self._gathered_bytes >= self._flush_bytes:
                        self._flush_soon()
                else:
                    self._send_apart(*self._wire.reply_apart(number, answer))
            except CallError as error:
                self._trouble(number, "too-large", f"{call.method}: {error}.")
        if self._in_flight:
            self._leave(number)

    def _cancelled(self, number: int, method: str) -> None:
        flight = self._leave(number)
        if flight is not None and flight.overdue:
            self._trouble(number, "deadline", f"{method} was not done in time.")
        else:
            self._trouble(number, "outcome-unknown", f"{method} was cancelled while it was executed.")

    def _leave(self, number: int) -> Flight | None:
        flight = self._in_flight.pop(number, None)
        if flight is not None:
            self._bytes -= flight.size
            if flight.admission is not None:
                flight.admission.leave(flight.inside_since)
        return flight

    def _trouble(self, number: int, code: str, sentence: str) -> None:
        self._send(self._wire.trouble(number, code, sentence))

    def _denied(self, number: int, method: str) -> None:
        log.warning("%s may not call %s", self._peer.name, plain(method))
        self._trouble(number, "denied", denial(self._peer.name, method.rpartition(".")[0]))

    def _event(self, kind: int, number: int, value: Any) -> None:
        if kind == CANCEL:
            flight = self._in_flight.get(number)
            if flight is not None:
                flight.task.cancel()
        elif kind == HELLO:
            self._hello(value)
        else:
            super()._event(kind, number, value)

    def _hello(self, hello: Hello) -> None:
        try:
            self._peer, version = self._admit(hello)
        except RefusedError as error:
            log.warning("A connection of %s was refused: %s", plain(hello.name) or "somebody", error)
            self._send(self._wire.refuse(error.code, str(error)))
            self._flush()
            self._transport.close()
            return
        if self.on_introduced is not None:
            self.on_introduced(self)
        compression = self._compression
        if compression is not None and compression.name not in hello.compressions:
            compression = None
        welcome = Welcome(
            version=version,
            name=self._options.name,
            compression=compression.name if compression is not None else "",
            frame_limit_bytes=self._options.frame_limit_bytes,
            calls_limit=self._options.calls_limit,
        )
        self._send(self._wire.welcome(hello, welcome, compression, self._options.compress_from_bytes or 0))
        if self._peer.until < FOREVER:
            self._background.append(self._spawn(self._expire(self._peer.until)))

    async def _hurry(self) -> None:
        await self._clock.sleep(self._options.handshake_seconds)
        if not self._wire.is_open:
            self.abort("it did not introduce itself in time")

    async def _expire(self, until: float) -> None:
        """Let the other side come again with another proof when this one is no longer good."""
        while (left := until - self._clock.time()) > 0:
            await self._clock.sleep(min(left, CLOCK_LOOKED_AT_SECONDS))
        log.info("The proof of %s has expired: it is to come again with another.", self._peer.name)
        self.go_away()
        await self._clock.sleep(EXPIRED_GRACE_SECONDS)
        self.abort("its proof had expired")

    def _busy(self) -> bool:
        return bool(self._in_flight)

    def _overdue(self, now: float) -> float:
        for flight in tuple(self._in_flight.values()):
            if flight.deadline <= now and not flight.overdue:
                flight.overdue = True
                flight.task.cancel()
        return min((flight.deadline for flight in self._in_flight.values() if not flight.overdue), default=inf)

    def _forsaken(self, _: str) -> None:
        for flight in tuple(self._in_flight.values()):
            flight.task.cancel()

    def _who(self) -> str:
        return self._peer.name or "somebody"
