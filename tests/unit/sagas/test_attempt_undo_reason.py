"""An undo that asks for it is told why the saga goes back."""

from __future__ import annotations

from ramet import Contract, Refusal, Saga, SagaRef, Struct, command, query, step
from ramet.testing import running


class Bank(Contract, version="1.0.0"):
    class Declined(Refusal):
        """The card was declined: {why}."""

        why: str

    @command(refuses=Declined)
    async def charge(self) -> None: ...

    @command
    async def give_up(self, why: str) -> None: ...

    @command
    async def buy(self) -> SagaRef: ...

    @query
    async def reasons(self) -> tuple[str, ...]: ...


class Purchase(Saga):
    class State(Struct):
        """Nothing has to be remembered."""

    bank: Bank

    @step
    async def begin(self, state: State) -> State:
        return state

    @begin.undo
    async def close(self, state: State, reason: str) -> None:
        await self.bank.give_up(reason)

    @step
    async def charge(self, state: State) -> State:
        await self.bank.charge()
        return state


class BankService(Bank, sagas=(Purchase,)):
    async def startup(self) -> None:
        self.told: list[str] = []

    async def charge(self) -> None:
        raise self.Declined(why="it is empty")

    async def give_up(self, why: str) -> None:
        self.told.append(why)

    async def buy(self) -> SagaRef:
        return await self.start(Purchase, key="1", state=Purchase.State())

    async def reasons(self) -> tuple[str, ...]:
        return tuple(self.told)


async def test_an_undo_is_told_the_sentence_of_the_refusal() -> None:
    async with running(BankService) as app:
        bank = app.client(Bank)
        await bank.buy()
        await app.eventually(bank.reasons)
        assert await bank.reasons() == ("The card was declined: it is empty.",)
