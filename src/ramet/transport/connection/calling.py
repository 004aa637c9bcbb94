"""The calling side of a connection: a channel whose answers come in any order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from math import inf
from typing import Any

from ramet.clock import Clock
from ramet.errors import DeadlineExceeded, Denied, InvalidArguments, OutcomeUnknown, Overloaded, RametError, Unavailable
from ramet.tasks import Spawn
from ramet.transport.base import Call, Channel
from ramet.transport.connection.connection import Connection
from ramet.transport.options import TransportOptions
from ramet.transport.wire.framing import GOAWAY, REFUSED, REPLIES, REPLY, TROUBLE, WELCOME
from ramet.transport.wire.messages import TOGETHER, Trouble, Welcome, by_proof, error_of
from ramet.transport.wire.protocol import CallerWire

ABOUT_BYTES = 150
"""Of a call that are not its arguments."""

Waiting = tuple["asyncio.Future[bytes]", float, str]
"""Where the answer is to go, until when (monotonic), and what was called."""


class CallingConnection(Connection, Channel):
    """A connection that has been dialled; `welcome` is done when the other side has let it in, or fails.

    It is not `usable` while the other side does not answer a ping.
    """

    def __init__(
        self, wire: CallerWire, token: bytes, where: str, *, clock: Clock, spawn: Spawn, options: TransportOptions
    ) -> None:
        super().__init__(wire, clock=clock, spawn=spawn, options=options)
        self._wire = wire
        self._hello = wire.hello(application=options.application, name=options.name, token=token)
        self._where = where
        self._number = 0
        self._written = 0
        self._limit = options.calls_limit
        self._waiting: dict[int, Waiting] = {}
        self._queue: dict[asyncio.Future[None], Call] = {}
        self._leaving = False
        self._connected = False
        self.usable = False
        self._idle: asyncio.Future[None] | None = None
        self.welcome: asyncio.Future[Welcome] = self._loop.create_future()

    async def call(self, call: Call) -> bytes:
        """As every channel's."""
        answer = self.begin(call)
        try:
            return await answer
        except asyncio.CancelledError:
            self.forget(answer)
            raise

    def begin(self, call: Call) -> Awaitable[bytes]:
        """As every channel's."""
        waiting = self._waiting
        if self._paused or self._leaving or len(waiting) >= self._limit:
            return self._call_later(call)
        context = call.context
        deadline = context.deadline
        if not deadline > (now := self._monotonic()):
            raise DeadlineExceeded(f"{call.method}: the time was up before the call was sent.")
        if context.proof:
            call = by_proof(call)
        number, size, gathered = self._number + 1, len(call.arguments), self._gathered
        if not (waiting or gathered or self._pending):
            self._transport.write(self._wire.request(number, call, now))
            self._number = self._written = number
        elif size >= self._flush_bytes:
            frame = self._wire.request(number, call, now)
            if gathered:
                self._seal()
            self._number = number
            self._send(frame)
        else:
            self._number = number
            gathered.append(call)
            self._gathered_bytes += size + ABOUT_BYTES
        future: asyncio.Future[bytes] = self._loop.create_future()
        waiting[number] = (future, deadline, call.method)
        if gathered and (not self._scheduled or self._gathered_bytes >= self._flush_bytes):
            self._flush_soon()
        if deadline < self._alarm.at:
            self._alarm.set(deadline)
        return future

    async def _call_later(self, call: Call) -> bytes:
        while self._paused or self._leaving or len(self._waiting) >= self._limit:
            await self._turn(call)
        return await self.call(call)

    def forget(self, answer: Awaitable[bytes]) -> None:
        """As every channel's."""
        number = next((number for number, entry in self._waiting.items() if entry[0] is answer), None)
        if number is not None:
            del self._waiting[number]
            self._send(self._wire.cancel(number))
            self._settle()

    @property
    def in_flight(self) -> int:
        """As every channel's; those that wait until the link takes more are counted."""
        return len(self._waiting) + len(self._queue)

    async def close(self) -> None:
        """As every channel's."""
        self._leaving = True
        self._judge()
        try:
            if self.in_flight and self._connected:
                self._idle = self._loop.create_future()
                await self._idle
        finally:
            self._flush()
            self._reason = self._reason or "it was closed"
            self._transport.close()
        await asyncio.shield(self.lost)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce oneself."""
        super().connection_made(transport)
        self._transport.write(self._hello)

    def data_received(self, data: bytes) -> None:
        """Hand the answers to those who wait for them."""
        self._heard = True
        waiting = self._waiting
        for kind, number, value in self._wire.receive(data):
            if kind == REPLIES:
                answers = value
            elif kind == REPLY:
                answers = ((number, value),)
            else:
                self._event(kind, number, value)
                continue
            for each, answer in answers:
                try:
                    waiting.pop(each)[0].set_result(answer)
                except (KeyError, asyncio.InvalidStateError):
                    pass  # nobody waits for it any more
        if self._leaving:
            self._settle()

    def resume_writing(self) -> None:
        """Let those go on who wait until the link takes more."""
        super().resume_writing()
        if not self._paused:
            for future in self._queue:
                if not future.done():
                    future.set_result(None)

    def give_up(self) -> None:
        """Nobody wants this connection any more."""
        if not self.welcome.cancel() and not self.welcome.cancelled():
            self.welcome.exception()  # seen
        if self._transport is not None:
            self.abort("it was given up")

    async def _turn(self, call: Call) -> None:
        """Wait until the link takes more. Raises: what a call that was not sent ends with."""
        self._check_open(call)
        if self.in_flight >= self._limit:
            raise Overloaded(f"{call.method} was not sent: {self._limit} calls to {self._where} are in flight already.")
        while self._paused:
            future: asyncio.Future[None] = self._loop.create_future()
            self._queue[future] = call
            self._alarm.set(call.context.deadline)
            try:
                await future
            finally:
                del self._queue[future]
                self._settle()
        self._check_open(call)

    def _check_open(self, call: Call) -> None:
        if self._leaving:
            raise Unavailable(f"{call.method} was not sent to {self._where}: {self._reason or 'it is being closed'}.")

    def _frames(self, gathered: list[Call]) -> list[bytes]:
        first, now = self._number - len(gathered) + 1, self._monotonic()
        frames: list[bytes] = []
        for at in range(0, len(gathered), TOGETHER):
            number, calls = first + at, gathered[at : at + TOGETHER]
            frame = self._wire.requests(number, calls, now)
            frames += [frame] if frame is not None else self._one_by_one(number, calls, now)
        return frames

    def _one_by_one(self, first: int, gathered: Sequence[Call], now: float) -> Iterator[bytes]:
        for number, call in enumerate(gathered, first):
            try:
                yield self._wire.request(number, call, now)
            except InvalidArguments as error:
                entry = self._waiting.pop(number, None)
                if entry is not None:
                    _fail(entry[0], error)

    def _flush(self) -> None:
        super()._flush()
        if not self._paused or not self._pending:
            self._written = self._number

    def _event(self, kind: int, number: int, value: Any) -> None:
        if kind == TROUBLE:
            entry = self._waiting.pop(number, None)
            if entry is not None and not entry[0].done():
                entry[0].set_exception(error_of(value, entry[2]))
        elif kind == GOAWAY:
            self._leaving = True
            self._judge()
            self._reason = "it is about to end"
        elif kind == WELCOME:
            self._limit = min(self._limit, value.calls_limit or self._limit)
            self._connected = True
            self._judge()
            if not self.welcome.done():
                self.welcome.set_result(value)
        elif kind == REFUSED:
            self._refused(value)
        else:
            super()._event(kind, number, value)

    def _refused(self, trouble: Trouble) -> None:
        sentence = f"{self._where} lets nobody in like this: {trouble.sentence}"
        error: RametError = Denied(sentence) if trouble.code == "denied" else Unavailable(sentence)
        if not self.welcome.done():
            self.welcome.set_exception(error)
        self.abort("it was refused")

    def _judge(self) -> None:
        self.usable = self._connected and not self._leaving and not self._silent

    def _busy(self) -> bool:
        return bool(self._waiting or self._queue)

    def _overdue(self, now: float) -> float:
        for number, (future, deadline, method) in tuple(self._waiting.items()):
            if deadline <= now and number in self._waiting:  # one that turned out not to be sendable is gone
                del self._waiting[number]
                self._send(self._wire.cancel(number))
                _fail(future, DeadlineExceeded(f"{method}: {self._where} did not answer in time."))
        for waiter, call in tuple(self._queue.items()):
            if call.context.deadline <= now:
                _fail(waiter, DeadlineExceeded(f"{call.method}: the time was up before {self._where} took the call."))
        self._settle()
        waiting = min((deadline for _, deadline, _ in self._waiting.values()), default=inf)
        queueing = (call.context.deadline for future, call in self._queue.items() if not future.done())
        return min(waiting, min(queueing, default=inf))

    def _settle(self) -> None:
        """Disconnect when the other side wants to end, or this one, and nothing is in flight."""
        if self._leaving and not self._busy():
            if self._idle is None:
                self._flush()
                self._transport.close()
            elif not self._idle.done():
                self._idle.set_result(None)

    def _forsaken(self, reason: str) -> None:
        self._connected, self._leaving = False, True
        self._judge()
        self._reason = reason
        waiting, self._waiting = self._waiting, {}
        for number, (future, _, method) in waiting.items():
            if number <= self._written:
                _fail(future, OutcomeUnknown(f"{method} was sent to {self._where}, and no answer came: {reason}."))
            else:
                _fail(future, Unavailable(f"{method} was not sent to {self._where}: {reason}."))
        for waiter, call in self._queue.items():
            _fail(waiter, Unavailable(f"{call.method} was not sent to {self._where}: {reason}."))
        if not self.welcome.done():
            self.welcome.set_exception(Unavailable(f"{self._where} cannot be reached: {reason}."))
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    def _who(self) -> str:
        return self._where


def _fail(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
