"""The connection to NATS and what is asked of JetStream: the stream, the entries that say who reads what, readers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import msgspec

from ramet.clock import Clock
from ramet.errors import ConfigurationError, MissingExtra, Unavailable
from ramet.events.brokers.loops import Insist
from ramet.events.brokers.nats.options import DAY_SECONDS, NatsOptions
from ramet.events.brokers.nats.wire import Layout, Names, Stamp
from ramet.tasks import end, within

try:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.errors import ConnectionClosedError, Error, NoRespondersError
    from nats.js import JetStreamContext, api
    from nats.js.errors import (
        APIError,
        BucketNotFoundError,
        KeyNotFoundError,
        KeyWrongLastSequenceError,
        NoStreamResponseError,
        NotFoundError,
    )
    from nats.js.kv import KeyValue
except ImportError as error:
    raise MissingExtra("nats-py", "nats", "The broker NATS") from error

V = TypeVar("V", bound=msgspec.Struct)
RECONNECT_SECONDS = 0.25
IDLE_READER_SECONDS = 60.0
PULL_NANOSECONDS = 20_000_000_000
BEAT_NANOSECONDS = 4_000_000_000
NAME_TAKEN = 10058
WITHOUT_JETSTREAM = (10039, 10076)
LAYOUT = "layout"
STAMP = "stream"
OLDEST = (2, 9)
SEVERAL_FILTERS = (2, 10)
NEVER_FULL = 1 << 30
FAILURES = (TimeoutError, OSError, Error, RuntimeError)
"""What a question ends with where there is no connection or no answer; RuntimeError is what uvloop says of a transport
that has just gone."""
UNANSWERED = (NoRespondersError, NoStreamResponseError)
"""What a question to a bucket that is not there ends with, or to one without a leader."""
log = logging.getLogger("ramet.events.nats")


class Connection:
    """One connection, kept up for ever; `lost` and `back` are told when it goes and when it is there again."""

    def __init__(
        self, options: NatsOptions, names: Names, clock: Clock, *, lost: Callable[[], None], back: Callable[[], None]
    ) -> None:
        self._options = options
        self._names = names
        self._lost = lost
        self._back = back
        self.insist = Insist(
            clock=clock,
            patience_seconds=options.patience_seconds,
            failures=FAILURES,
            final=_is_without_jetstream,
            unreachable=self._unreachable,
        )
        self._kv: KeyValue | None = None
        self._listened: list[tuple[str, Callable[[Msg], None]]] = []
        self._layout: Layout | None = None
        self._first = ""
        self._created = ""
        self.era = ""
        """What tells positions of a stream that was made again from those of the first, which have none."""
        self._is_ending = False
        self._restoring = asyncio.Lock()
        self.gone = asyncio.Event()
        """Set where the library has given the connection up for good, as where a server has refused its credentials."""
        self.client = Client()
        self.js: JetStreamContext = self.client.jetstream()
        self.inbox = self.client.new_inbox()

    async def open(self) -> None:
        """Connect, and make sure that stream and bucket are there. Raises: Unavailable, ConfigurationError."""
        self._is_ending = False
        try:
            await self._connect()
            await self.insist(self._prepare)
        except BaseException:
            await self.close()
            raise

    async def renew(self) -> None:
        """Connect with a new client after `gone`, and hear what was listened to. Raises: as `open`."""
        self.client = Client()
        self.js = self.client.jetstream()
        self.gone.clear()  # by now: the new one may be given up as well, at any moment
        try:
            await self.open()
            for subject, hear in self._listened:
                await self._hear(subject, hear)
        except BaseException:
            await self.close()
            self.gone.set()
            raise

    async def restore(self) -> None:
        """Make the stream and the bucket again where an operator has deleted them. Raises: what `FAILURES` names."""
        async with self._restoring:
            await self._prepare()

    async def close(self) -> None:
        """Disconnect. Harmless when there is no connection."""
        self._is_ending = True
        client = self.client
        if client.is_closed or not client.options:
            return
        if (reconnecting := client._reconnection_task) is not None:  # noqa: SLF001 - it may lose a cancellation, and go on
            await end([reconnecting])
        if not client.is_connected:  # it would write what is left to a lost transport, which fails from Python 3.12 on
            client._pending, client._pending_data_size = [], 0  # noqa: SLF001 - it has no other way to give that up
        await client.close()

    @property
    def version(self) -> tuple[int, int]:
        """The server's version, to the minor number."""
        version = self.client.connected_server_version
        return version.major, version.minor

    @property
    def several_filters(self) -> bool:
        """Whether a reader can have several filters; without, it reads all and drops what it does not want."""
        return self.version >= SEVERAL_FILTERS

    async def ask(self, reader: str, batch: int) -> None:
        """Ask a reader for that many messages; they and what else is to be said come to the inbox."""
        question = {"batch": batch, "expires": PULL_NANOSECONDS, "idle_heartbeat": BEAT_NANOSECONDS}
        await self.client.publish(
            f"$JS.API.CONSUMER.MSG.NEXT.{self._names.stream}.{reader}",
            msgspec.json.encode(question),
            reply=f"{self.inbox}.read.{reader}",
        )

    async def bounds(self) -> tuple[int, int]:
        """The first and the last position of the stream."""
        try:
            info = await self.js.stream_info(self._names.stream)
        except NotFoundError:
            info = None
        if info is None or _stamp(info) != self._created:
            await self.restore()
            info = await self.js.stream_info(self._names.stream)
        return info.state.first_seq, info.state.last_seq

    async def get(self, key: str, kind: type[V]) -> tuple[V, int] | None:
        """An entry with its revision."""
        assert self._kv is not None
        try:
            entry = await self._kv.get(key)
        except KeyNotFoundError:
            return None
        except UNANSWERED:
            await self.restore()
            raise
        return msgspec.json.decode(entry.value or b"{}", type=kind), entry.revision or 0

    async def put(self, key: str, value: msgspec.Struct, *, revision: int) -> int | None:
        """Write an entry whose revision is this one (0: that does not exist); its new revision, None when it is not."""
        assert self._kv is not None
        try:
            return await self._kv.update(key, msgspec.json.encode(value), last=revision)
        except KeyWrongLastSequenceError:
            return None
        except UNANSWERED:
            await self.restore()
            raise

    async def decide(self, key: str, value: V) -> V:
        """What the entry says: this value, or what another process wrote before."""
        known = await self.get(key, type(value))
        if known is None and await self.put(key, value, revision=0) is None:
            known = await self.get(key, type(value))
        return value if known is None else known[0]

    async def agree(self, layout: Layout) -> Layout:
        """What all processes use: this, or what the first one said."""
        self._layout = await self.decide(LAYOUT, layout)
        return self._layout

    async def make_reader(self, name: str, *, after: int, filters: list[str]) -> None:
        """A consumer of JetStream that lives as long as it is used, and delivers from a position on, without memory."""
        config = api.ConsumerConfig(
            name=name,
            deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=after + 1,
            ack_policy=api.AckPolicy.NONE,
            replay_policy=api.ReplayPolicy.INSTANT,
            inactive_threshold=IDLE_READER_SECONDS,
            mem_storage=True,
            num_replicas=1,
            filter_subject=filters[0] if len(filters) == 1 else None,
            filter_subjects=filters if len(filters) > 1 else None,
        )
        await self.js.add_consumer(self._names.stream, config)

    async def drop_reader(self, name: str) -> None:
        """Forget a reader; one that is gone already is no matter."""
        try:
            await self.js.delete_consumer(self._names.stream, name)
        except NotFoundError:
            pass

    async def listen(self, subject: str, hear: Callable[[Msg], None]) -> None:
        """Subscribe for good, also across reconnections; what arrives is bounded by what was asked for."""
        self._listened.append((subject, hear))
        await self._hear(subject, hear)

    async def _hear(self, subject: str, hear: Callable[[Msg], None]) -> None:
        async def heard(message: Msg) -> None:
            hear(message)

        await self.client.subscribe(subject, cb=heard, pending_msgs_limit=NEVER_FULL, pending_bytes_limit=NEVER_FULL)

    async def _connect(self) -> None:
        options, tls = self._options, self._options.tls()
        connecting = self.client.connect(
            list(options.servers),
            max_reconnect_attempts=-1,
            reconnect_time_wait=RECONNECT_SECONDS,  # type: ignore[arg-type]  # any number of seconds will do
            ping_interval=5,
            max_outstanding_pings=2,
            connect_timeout=2,
            tls=tls,
            user_credentials=options.credentials,
            disconnected_cb=self._disconnected,
            reconnected_cb=self._reconnected,
            closed_cb=self._closed,
            error_cb=self._failed,
        )
        try:
            await within(options.patience_seconds, connecting)
        except FAILURES as error:
            raise self._unreachable(error) from error

    async def _prepare(self) -> None:
        if self.version < OLDEST:
            raise ConfigurationError(
                f"NATS at {self._options.shown} is version {'.'.join(map(str, self.version))}: 2.9 is the oldest that "
                "Ramet can use, 2.10 the oldest that can sync every event to the disk."
            )
        await self._ensure(lambda: self.js.stream_info(self._names.stream), self._begin)
        await self._ensure_bucket()
        await self._recognise()

    async def _recognise(self) -> None:
        """Positions that are written down already may be those of a stream that was deleted."""
        assert self._kv is not None
        created = _stamp(await self.js.stream_info(self._names.stream))
        with suppress(KeyWrongLastSequenceError):
            stamp = Stamp(created=self._first or created)  # also in a new bucket: for others the era goes on
            await self._kv.update(STAMP, msgspec.json.encode(stamp), last=0)
        self._first = msgspec.json.decode((await self._kv.get(STAMP)).value or b"", type=Stamp).created
        self._created, self.era = created, "" if self._first == created else f"{created}."

    async def _begin(self) -> None:
        if self._kv is not None:
            log.warning(
                "the stream %s was deleted, with what nobody had read yet: it is made again", self._names.stream
            )
        await self.js.add_stream(
            name=self._names.stream,
            subjects=[self._names.subjects],
            max_age=self._options.retention_days * DAY_SECONDS,
            num_replicas=self._options.replicas,
            storage=api.StorageType.FILE,
            duplicate_window=120,
            allow_direct=True,
        )

    async def _ensure_bucket(self) -> None:
        await self._ensure(lambda: self.js.key_value(self._names.bucket), self._begin_bucket)
        self._kv = await self.js.key_value(self._names.bucket)
        if self._layout is not None:  # which processes that start must find, also in a new one
            with suppress(KeyWrongLastSequenceError):
                await self._kv.update(LAYOUT, msgspec.json.encode(self._layout), last=0)

    async def _begin_bucket(self) -> None:
        if self._kv is not None:
            log.warning("the bucket %s is made again: what was handled is delivered again", self._names.bucket)
        await self.js.create_key_value(
            api.KeyValueConfig(
                bucket=self._names.bucket,
                history=1,
                replicas=self._options.replicas,
                storage=api.StorageType.FILE,
            )
        )

    @staticmethod
    async def _ensure(look: Callable[[], Awaitable[object]], make: Callable[[], Awaitable[object]]) -> None:
        """Make what is not there; several processes may do so at once."""
        try:
            await look()
        except (NotFoundError, BucketNotFoundError):
            try:
                await make()
            except APIError as error:
                if error.err_code != NAME_TAKEN:
                    raise
                await look()

    async def _disconnected(self) -> None:
        if not self.client.is_closed:
            log.warning("the connection to %s is lost", self._options.shown)
        self._give_up()
        self._lost()

    def _give_up(self) -> None:
        """Fail what waits for an answer, which cannot come any more; the library would wait until its time is over."""
        waiting = [*self.client._resp_map.values(), *self.client._pongs]  # noqa: SLF001 - it has no other way
        for answer in waiting:
            if not answer.done():
                answer.set_exception(ConnectionClosedError())
                answer.exception()  # nobody may wait for it, as for the answers to the library's own pings

    async def _closed(self) -> None:
        if not self._is_ending:
            self.gone.set()

    async def _reconnected(self) -> None:
        log.info("connected to %s again", self._options.shown)
        self._back()

    async def _failed(self, error: Exception) -> None:
        """Every attempt to reconnect that fails is told here; the loss itself was logged."""
        log.debug("NATS: %s", error)

    def _unreachable(self, error: BaseException) -> Exception:
        place = self._options.shown
        if _is_without_jetstream(error):
            return ConfigurationError(f"NATS at {place} runs without JetStream: start nats-server with --jetstream.")
        reason = str(error) or (str(self.client.last_error) if self.client.last_error else "no answer")
        return Unavailable(
            f"NATS at {place} cannot be used ({reason}): start a nats-server with JetStream there, or name another "
            "address as `broker` of the deployment in ramet.toml."
        )


def _stamp(info: api.StreamInfo) -> str:
    return f"{info.created:%Y%m%d%H%M%S%f}"


def _is_without_jetstream(error: BaseException) -> bool:
    return isinstance(error, APIError) and error.err_code in WITHOUT_JETSTREAM
