"""The inbox: a key is worked on once, and whoever comes again is given the answer that was recorded.

An answer is recorded in the transaction of the work itself, so that both exist or neither. Of two that arrive with one
key at the same time one works and the other waits for it; across processes the key's row decides. A caller that gives
up `withdraw`s the key: where the work has not happened by then it never will.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Generic, NamedTuple, TypeVar

from ramet.errors import Cancelled, DuplicateRow, Refusal, StorageError
from ramet.storage.base import Storage, Write
from ramet.storage.lots.lots import CommandLots
from ramet.storage.work import Body, transact
from ramet.telemetry.scope import FreshKey, Scope

T = TypeVar("T")

_INSERT = "INSERT INTO ramet_inbox (consumer, key, answer, at) VALUES (?, ?, ?, ?)"
_OFFER = f"{_INSERT} ON CONFLICT (consumer, key) DO NOTHING"
_SELECT = "SELECT answer FROM ramet_inbox WHERE consumer = ? AND key = ?"
_DONE, _REFUSED, _WITHDRAWN = b"a", b"r", b"w"


class AnswerCodec(NamedTuple, Generic[T]):
    """How an answer, or the refusal in its place, becomes bytes and returns."""

    encode: Callable[[T], bytes]
    decode: Callable[[bytes], T]
    encode_refusal: Callable[[Refusal], bytes]
    decode_refusal: Callable[[bytes], Refusal]


class Answers:
    """What one consumer (a command, an event handler) of a service has answered; `time` is the clock's.

    `lots`: what has gathered is committed together.
    """

    def __init__(
        self, storage: Storage, consumer: str, time: Callable[[], float], lots: CommandLots | None = None
    ) -> None:
        self._storage = storage
        self._transact = partial(transact, storage) if lots is None else lots.transact
        self._consumer = consumer
        self._time = time
        self._working: dict[str, asyncio.Future[None]] = {}

    async def once(self, scope: Scope, key: str, body: Body[T], codec: AnswerCodec[T]) -> T:
        """The answer recorded for `key`, or else that of `body`, run as one transaction and recorded in it.

        In a database of one process looking costs nothing; elsewhere it is left out for a key that is fresh. Where it
        was not, the row that is there decides, and what the body has written is rolled back.

        A refusal is an answer, too. Raises: the refusal; Cancelled where the key was withdrawn; what the body raises,
        and then nothing is recorded.
        """
        looks = not (isinstance(key, FreshKey) and self._storage.shared)
        key = str(key)
        while (working := self._working.get(key)) is not None:
            await asyncio.shield(working)
        ended = self._working[key] = asyncio.get_running_loop().create_future()
        try:
            recorded = await self._recorded(key) if looks else None
            if recorded is not None:
                return self._repeat(recorded, codec)
            return await self._work(scope, key, body, codec)
        finally:
            del self._working[key]
            ended.set_result(None)

    async def _work(self, scope: Scope, key: str, body: Body[T], codec: AnswerCodec[T]) -> T:
        try:
            return await self._transact(
                scope, body, lambda result: (self._row(_INSERT, key, _DONE + codec.encode(result)),)
            )
        except DuplicateRow:
            recorded = await self._recorded(key)
            if recorded is None:
                raise
            return self._repeat(recorded, codec)
        except Refusal as refusal:
            if await self._offer(key, _REFUSED + codec.encode_refusal(refusal)):
                raise
            return self._repeat(await self._certain(key), codec)
        except Exception:
            recorded = await self._recorded_elsewhere(key)
            if recorded is None:
                raise
            return self._repeat(recorded, codec)

    async def withdraw(self, key: str) -> bool:
        """See to it that the work of `key` does not happen any more; returns whether it has happened already."""
        if await self._offer(key, _WITHDRAWN):
            return False
        return (await self._certain(key))[:1] == _DONE

    async def _offer(self, key: str, answer: bytes) -> bool:
        (written,) = await self._storage.write(self._row(_OFFER, key, answer))
        return written == 1

    def _row(self, sql: str, key: str, answer: bytes) -> Write:
        return Write(sql, [(self._consumer, key, answer, self._time())])

    async def _recorded(self, key: str) -> bytes | None:
        rows = await self._storage.fetch(_SELECT, self._consumer, key)
        return bytes(rows[0][0] or b"") if rows else None

    async def _recorded_elsewhere(self, key: str) -> bytes | None:
        """The answer of another process that did the work meanwhile, which may be why it has failed here."""
        if not self._storage.shared:
            return None
        with suppress(StorageError):  # what the work raised says more
            return await self._recorded(key)
        return None

    async def _certain(self, key: str) -> bytes:
        recorded = await self._recorded(key)
        if recorded is None:
            raise StorageError(f"The answer of {self._consumer} to {key} was removed while it was being read.")
        return recorded

    def _repeat(self, recorded: bytes, codec: AnswerCodec[T]) -> T:
        kind, answer = recorded[:1], recorded[1:]
        if kind == _WITHDRAWN:
            raise Cancelled(f"{self._consumer} was called with a key that had been withdrawn: it was not executed.")
        if kind == _REFUSED:
            raise codec.decode_refusal(answer)
        return codec.decode(answer)
