"""What every storage must do for recorded answers."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import pytest

from ramet.errors import Cancelled, Refusal
from ramet.storage.answers import AnswerCodec, Answers
from ramet.storage.base import Storage, Unit
from ramet.storage.tables import purge_answers
from ramet.telemetry.scope import Scope, Work


class Full(Refusal):
    """There is no room for {what}."""

    what: str


CODEC: AnswerCodec[str] = AnswerCodec(
    str.encode, bytes.decode, lambda no: str(no).encode(), lambda b: Full(what=b.decode())
)


class AnswersSuite(ABC):
    """A key is worked on once."""

    @abstractmethod
    def opened(self) -> AbstractAsyncContextManager[Storage]:
        """The storage, open."""

    @staticmethod
    def scope(storage: Storage) -> Scope:
        """A new execution."""
        return Scope(storage.service, Work.COMMAND, "take")

    def adding(self, answer: str | Refusal, scope: Scope) -> Callable[[], Awaitable[str]]:
        """A body that adds one to the item, waits a moment, and gives this answer."""

        async def body() -> str:
            assert isinstance(scope.unit, Unit)
            await scope.unit.execute("UPDATE suite_item SET n = n + ? WHERE id = ?", 1, 1)
            await asyncio.sleep(0)
            if isinstance(answer, Refusal):
                raise answer
            return answer

        return body

    async def once(self, answers: Answers, storage: Storage, key: str, answer: str | Refusal) -> str:
        """Work once."""
        scope = self.scope(storage)
        return await answers.once(scope, key, self.adding(answer, scope), CODEC)

    @staticmethod
    async def total(storage: Storage) -> int:
        """How often it was done."""
        ((n,),) = await storage.fetch("SELECT n FROM suite_item WHERE id = 1")
        return int(n)

    async def test_a_repeated_key_is_given_the_recorded_answer(self) -> None:
        async with self.opened() as storage:
            answers = Answers(storage, "take", lambda: 1.0)
            assert await self.once(answers, storage, "k", "first") == "first"
            assert await self.once(answers, storage, "k", "second") == "first"
            again = Answers(storage, "take", lambda: 1.0)
            assert await self.once(again, storage, "k", "third") == "first"
            assert await self.once(again, storage, "other", "fourth") == "fourth"
            assert await self.total(storage) == 2

    async def test_of_two_at_the_same_time_one_works_and_both_are_answered(self) -> None:
        async with self.opened() as storage:
            answers = Answers(storage, "take", lambda: 1.0)
            given = await asyncio.gather(*(self.once(answers, storage, "k", str(n)) for n in range(5)))
            assert given == ["0"] * 5
            assert await self.total(storage) == 1

    async def test_of_two_that_do_not_know_each_other_one_is_committed(self) -> None:
        async with self.opened() as storage:
            given = await asyncio.gather(
                *(self.once(Answers(storage, "take", lambda: 1.0), storage, "k", str(n)) for n in range(5))
            )
            assert len(set(given)) == 1
            assert await self.total(storage) == 1

    async def test_a_refusal_is_an_answer_that_undoes_the_work(self) -> None:
        async with self.opened() as storage:
            answers = Answers(storage, "take", lambda: 1.0)
            for _ in range(2):
                with pytest.raises(Full):
                    await self.once(answers, storage, "k", Full(what="tea"))
            with pytest.raises(Full):
                await self.once(answers, storage, "k", "yes")
            assert await self.total(storage) == 0

    async def test_a_failure_is_no_answer(self) -> None:
        async with self.opened() as storage:
            answers = Answers(storage, "take", lambda: 1.0)

            async def fails() -> str:
                raise LookupError

            with pytest.raises(LookupError):
                await answers.once(self.scope(storage), "k", fails, CODEC)
            assert await self.once(answers, storage, "k", "now") == "now"

    async def test_a_key_withdrawn_in_time_is_never_worked_on(self) -> None:
        async with self.opened() as storage:
            answers = Answers(storage, "take", lambda: 1.0)
            assert await answers.withdraw("k") is False
            with pytest.raises(Cancelled):
                await self.once(answers, storage, "k", "late")
            assert await answers.withdraw("k") is False
            assert await self.total(storage) == 0

    async def test_a_key_withdrawn_too_late_says_so(self) -> None:
        async with self.opened() as storage:
            answers = Answers(storage, "take", lambda: 1.0)
            await self.once(answers, storage, "k", "done")
            assert await answers.withdraw("k") is True
            with pytest.raises(Full):
                await self.once(answers, storage, "no", Full(what="tea"))
            assert await answers.withdraw("no") is False

    async def test_a_key_withdrawn_meanwhile_undoes_the_work(self) -> None:
        async with self.opened() as storage:
            answers = Answers(storage, "take", lambda: 1.0)
            ended, happened = await asyncio.gather(
                self.once(answers, storage, "k", "racing"), answers.withdraw("k"), return_exceptions=True
            )
            assert (ended, happened) == ("racing", True) or (isinstance(ended, Cancelled) and happened is False)
            assert await self.total(storage) == int(happened is True)

    async def test_answers_are_removed_in_time(self) -> None:
        async with self.opened() as storage:
            now = 0.0
            answers = Answers(storage, "take", lambda: now)
            for now in (1.0, 2.0, 3.0):
                await self.once(answers, storage, str(now), "x")
            assert await purge_answers(storage, 2.5, at_once=1) == 2
            assert await storage.fetch("SELECT key FROM ramet_inbox") == [("3.0",)]
