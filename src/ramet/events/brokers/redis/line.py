"""Connections to Redis: commands travel together, and answers come in their order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from ramet.clock import Clock
from ramet.errors import MissingExtra, described
from ramet.events.brokers.redis.options import RedisOptions

try:
    from redis.asyncio.connection import AbstractConnection, ConnectionPool
    from redis.exceptions import AuthenticationError, NoPermissionError, ReadOnlyError, RedisError, ResponseError
except ImportError as error:
    raise MissingExtra("redis", "redis", "The broker Redis") from error

Refused = ResponseError
CONNECT_SECONDS = 2.0
SILENCE_SECONDS = 10.0
RECONNECT_SECONDS = 0.5
FAILURES = (TimeoutError, OSError, RedisError)
"""What a command ends with that was refused, or had no answer."""
REFUSALS = (AuthenticationError, NoPermissionError)
"""What does not get better by waiting."""
Command = tuple[Any, ...]
log = logging.getLogger("ramet.events.redis")


class Line:
    """One connection, made when it is used, and again when it is used after it was lost."""

    def __init__(self, options: RedisOptions) -> None:
        pool = ConnectionPool.from_url(
            options.url,
            protocol=2,
            socket_timeout=SILENCE_SECONDS,
            socket_connect_timeout=CONNECT_SECONDS,
            **options.tls(),
        )
        self._connection: AbstractConnection = pool.make_connection()  # type: ignore[no-untyped-call]  # the library's own

    async def ask(self, *commands: Command) -> list[Any]:
        """An answer to each; one that was refused has its error as its answer. Raises: FAILURES."""
        connection, answers = self._connection, list[Any]()
        try:
            await connection.connect()  # type: ignore[no-untyped-call]  # the library's own
            await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
            for _ in commands:
                try:
                    answers.append(await self.hear())
                except ReadOnlyError:
                    raise
                except Refused as error:
                    answers.append(error)
        except BaseException as error:
            await connection.disconnect(nowait=True)  # what comes yet would be taken for other answers
            if isinstance(error, RuntimeError):  # what uvloop says of a transport that has just gone
                raise ConnectionError(str(error)) from error
            raise
        return answers

    async def hear(self) -> Any:
        """The next answer, or message where one has subscribed. Raises: FAILURES, in silence too."""
        return await self._connection.read_response()

    async def hang_up(self) -> None:
        """Disconnect. Harmless when there is no connection."""
        try:
            await self._connection.disconnect()
        except FAILURES as error:
            log.debug("closed with %s", described(error))


class Pipe:
    """Commands of many over one line: those that gather while answers are awaited travel together.

    `lost` and `back` are told when the connection goes and when it is there again; without it every command fails at
    once. With `confirmed` a lot waits until as many servers have it as the options want.
    """

    def __init__(
        self,
        options: RedisOptions,
        clock: Clock,
        *,
        lost: Callable[[BaseException], None],
        back: Callable[[], None],
        confirmed: bool = False,
    ) -> None:
        self._options = options
        self._line = Line(options)
        self._clock = clock
        self._confirmation = [options.confirmation] if confirmed and options.confirmation else []
        self._lost = lost
        self._back = back
        self._waiting: list[tuple[Command, asyncio.Future[Any]]] = []
        self._some = asyncio.Event()
        self._failure: BaseException | None = None

    def send(self, *command: Any) -> asyncio.Future[Any]:
        """Its answer. The future fails with FAILURES."""
        future = asyncio.get_running_loop().create_future()
        if self._failure is not None:
            future.set_exception(self._failure)
        else:
            self._waiting.append((command, future))
            self._some.set()
        return future

    async def run(self) -> None:
        """Carry, for ever."""
        while True:
            if self._failure is not None:
                await self._mend()
            while not self._waiting:
                self._some.clear()
                await self._some.wait()
            lot, self._waiting = self._waiting, []
            try:
                answers = await self._line.ask(*(command for command, _ in lot), *self._confirmation)
                if self._confirmation:
                    await self._confirm(answers.pop())
            except FAILURES as error:
                self._failure = error
                self._lost(error)
                _fail([*lot, *self._waiting], error)
                self._waiting = []
            except BaseException:
                _fail(lot, ConnectionError("it was given up"))
                raise
            else:
                for (_, future), answer in zip(lot, answers, strict=True):
                    _answer(future, answer)

    async def hang_up(self) -> None:
        """Disconnect; nothing is carried any more."""
        self._failure = ConnectionError("it is closed")
        _fail(self._waiting, self._failure)
        await self._line.hang_up()

    async def _confirm(self, answer: Any) -> None:
        """Wait until what was sent is where the options want it; for that it need not be sent again, but the question
        must come over the same connection: any failure of that is one of the lot."""
        is_told = False
        while True:
            if isinstance(answer, Refused):
                raise answer
            if self._options.confirms(answer):
                return
            if not is_told:
                log.warning("events wait until enough servers have them: %s says %s", self._confirmation, answer)
            is_told = True
            (answer,) = await self._line.ask(*self._confirmation)

    async def _mend(self) -> None:
        while self._failure is not None:
            await self._clock.sleep(self._clock.jitter(RECONNECT_SECONDS))
            try:
                (answer,) = await self._line.ask(("PING",))
                self._failure = answer if isinstance(answer, Refused) else None
            except FAILURES as error:
                log.debug("no connection to %s: %s", self._options.shown, described(error))
                self._failure = error
        self._back()


def _answer(future: asyncio.Future[Any], answer: Any) -> None:
    if future.done():  # nobody waits any more
        return
    if isinstance(answer, Refused):
        future.set_exception(answer)
    else:
        future.set_result(answer)


def _fail(lot: list[tuple[Command, asyncio.Future[Any]]], error: BaseException) -> None:
    for _, future in lot:
        if not future.done():
            future.set_exception(error)
