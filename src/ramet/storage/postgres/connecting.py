"""How connections to one service's schema are made, each kind with what it is allowed to do."""

from __future__ import annotations

import logging
import socket
from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import Any

import asyncpg

from ramet.clock import SystemClock
from ramet.errors import ConfigurationError, StorageError
from ramet.storage.address import Address, quoted
from ramet.storage.postgres.carrier import soon
from ramet.storage.postgres.channel import Channel
from ramet.storage.postgres.dialect import Kin
from ramet.storage.postgres.failures import FAILURES, failure, is_lost, unreachable
from ramet.storage.postgres.options import PostgresOptions
from ramet.storage.postgres.pipeline import Connection, Pipeline
from ramet.storage.postgres.steps import Steps, fits
from ramet.tasks import Spawn

log = logging.getLogger("ramet.storage")
_clock = SystemClock()  # how long a server is away is real, also where the application's time is not


MOST_BYTES_OF_A_NAME = 63
_UNSUPPORTED = "unsupported startup parameter"
_WHO = "SELECT pg_catalog.pg_backend_pid(), pg_catalog.current_setting('search_path')"


def application_name(process: str) -> str:
    """How the names begin under which the server lists the connections of a process."""
    return f"ramet {process} "


class Connector:
    """Makes connections; a server that is away is asked again for `connect_seconds`, less and less often."""

    def __init__(self, address: Address, schema: str, options: PostgresOptions, spawn: Spawn) -> None:
        for name, file in address.files:
            if not Path(file).is_file():
                raise ConfigurationError(f"{name} of {address} is {file}, where there is no file: name one.")
        self.process = _clock.id()
        self._address = address
        self._schema = schema
        self._options = options
        self._spawn = spawn
        self._kin: Kin | None = None
        self._is_pipelined: bool | None = None
        self._is_pooled = False  # by somebody who lets no settings through: they follow as a statement

    async def unit(self) -> Channel:
        """For units of work."""
        return await self._channel({"default_transaction_isolation": self._options.isolation, **self._impatient})

    async def writer(self) -> Channel:
        """For Ramet's own rows."""
        return await self._channel(self._impatient)

    async def maintainer(self) -> Channel:
        """For changing tables, however long that thinks between two statements."""
        return await self._channel({})

    async def preparer(self) -> Any:
        """A connection of asyncpg for creating what is not there."""
        return await self._recognised(self._impatient)

    async def _recognised(self, settings: Mapping[str, str]) -> Any:
        """The first connection, having seen whether a pooler is in between, and of what kind."""
        raw = await self.raw(settings)
        pid, path = await self._soon(raw, raw.fetchrow(_WHO))
        if pid == raw.get_server_pid():
            return raw
        other = await self.raw({})
        try:
            await self._soon(other, other.execute("BEGIN"))  # in what the first one had, if it may
            now, _ = await self._soon(raw, raw.fetchrow(_WHO))
        except asyncpg.PostgresError:  # its prepared statements are elsewhere
            now = None
        finally:
            other.terminate()
        if now == pid and path == quoted(self._schema):
            return raw
        raw.terminate()
        if now == pid and not self._is_pooled:
            self._is_pooled = True
            return await self._recognised(settings)
        raise StorageError(
            f"At {self._address} is a pooler that gives each transaction another connection: let it keep one for each "
            "client (PgBouncer: pool_mode = session), or name the server itself."
        )

    async def _soon(self, raw: Any, operation: Awaitable[Any]) -> Any:
        return await soon(raw, self._options.answer_seconds, operation)

    @property
    def _impatient(self) -> Mapping[str, str]:
        return {"idle_in_transaction_session_timeout": f"{self._options.idle_seconds:g}s"}

    async def reader(self) -> Channel:
        """For queries."""
        return await self._channel({"default_transaction_read_only": "on"})

    async def listener(self) -> Any:
        """For notifications, which need not be durable."""
        return await self._dial({"synchronous_commit": "off"})

    async def look_at(self, raw: Any) -> None:
        """Find out by this connection, which is of no use afterwards, whether asyncpg can be pipelined."""
        self._is_pipelined = await fits(raw, self._options.connect_seconds)
        if not self._is_pipelined and not raw.is_closed():
            log.warning(
                "asyncpg %s does not let statements travel together: each takes a round trip of its own, which is "
                "slower; see which versions are meant in the requirements of ramet[postgres].",
                asyncpg.__version__,
            )

    async def _channel(self, settings: Mapping[str, str]) -> Channel:
        if self._is_pipelined is None:
            await self.look_at(trial := await self._recognised(settings))
            trial.terminate()
        raw = await self.raw(settings)
        try:
            limit = self._options.answer_seconds
            if self._kin is None:
                self._kin = await Kin.of(raw, limit)
            pipeline = Pipeline(raw, limit) if self._is_pipelined else Steps(raw, limit, self._spawn)
            return await Channel.connect(raw, self._kin, pipeline)
        except FAILURES as error:
            raw.terminate()
            raise failure(error, str(self._address)) from error
        except BaseException:
            raw.terminate()
            raise

    async def raw(self, settings: Mapping[str, str]) -> Any:
        """A connection of asyncpg. Raises: StorageUnavailable where the server stays away; StorageError."""
        wait, until = self._options.retry_seconds, _clock.monotonic() + self._options.connect_seconds
        while True:
            try:
                return await self._dial(settings)
            except FAILURES as error:
                if _UNSUPPORTED in str(error) and not self._is_pooled:
                    self._is_pooled = True
                    continue
                if is_lost(error) and _clock.monotonic() + wait > until:
                    raise unreachable(error, self._schema, self._address.place) from error
                if not is_lost(error):
                    raise failure(error, f"{self._address}, schema {self._schema}") from error
            await _clock.sleep(_clock.jitter(wait))
            wait = min(wait * 2, self._options.retry_most_seconds)

    async def _dial(self, settings: Mapping[str, str]) -> Any:
        name = f"{application_name(self.process)}{self._schema}"
        settings = {
            "search_path": quoted(self._schema),
            "synchronous_commit": self._options.synchronous_commit,
            "client_min_messages": "warning",
            "jit": "off",
            **settings,
        }
        try:
            connect: Any = asyncpg.connect  # its annotation wants whole seconds
            raw = await connect(
                **self._address.arguments(),
                timeout=self._options.connect_seconds,
                connection_class=Connection,
                statement_cache_size=500,
                max_cached_statement_lifetime=0,
                server_settings={
                    "application_name": name[:MOST_BYTES_OF_A_NAME],
                    **({} if self._is_pooled else settings),
                },
            )
            if self._is_pooled:
                calls = ", ".join(f"set_config(${2 * n + 1}, ${2 * n + 2}, false)" for n in range(len(settings)))
                parts = (part for setting in settings.items() for part in setting)
                await self._soon(raw, raw.fetch(f"SELECT {calls}", *parts))
            _watched(raw, self._options.answer_seconds)
        except TimeoutError as error:
            raise ConnectionError(f"no answer within {self._options.connect_seconds:g} s") from error
        return raw


def _watched(raw: Any, seconds: float) -> None:
    """Let the operating system find out where the server has vanished, or a firewall has forgotten the connection."""
    transport = getattr(raw, "_transport", None)
    plug = transport and transport.get_extra_info("socket")
    if plug is None or plug.family not in (socket.AF_INET, socket.AF_INET6):
        return
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    whole = max(1, int(seconds))
    limits = {"TCP_KEEPIDLE": max(1, whole // 3), "TCP_KEEPINTVL": max(1, whole // 6), "TCP_KEEPCNT": 4}
    for name, value in (*limits.items(), ("TCP_USER_TIMEOUT", whole * 1000)):
        if hasattr(socket, name):
            plug.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
