"""The sagas of Ramet that are measured: bare ones of four trivial steps, and full ones with four participants."""

from __future__ import annotations

from benchmarks.contenders import participants
from ramet import Contract, Database, Refusal, Saga, Struct, command, step


class Refused(Refusal):
    pass


class Book:
    """A participant: what its contract says."""

    @command(refuses=Refused)
    async def enter(self, order: str, amount: int) -> None: ...

    @command
    async def withdraw(self, order: str, amount: int) -> None: ...


class Keeping:
    """A participant: what its service does."""

    db: Database

    async def startup(self) -> None:
        await self.db.execute(participants.beginning())

    async def enter(self, order: str, amount: int) -> None:
        if amount < 0:
            raise Refused
        for statement in participants.enter(order, amount):
            await self.db.execute(statement)

    async def withdraw(self, order: str, amount: int) -> None:
        for statement in participants.withdraw(order, amount):
            await self.db.execute(statement)


class Stock(Book, Contract, version="1.0.0"):
    pass


class Money(Book, Contract, version="1.0.0"):
    pass


class Parcels(Book, Contract, version="1.0.0"):
    pass


class Letters(Book, Contract, version="1.0.0"):
    pass


class StockService(Keeping, Stock, tables=participants.metadata):
    pass


class MoneyService(Keeping, Money, tables=participants.metadata):
    pass


class ParcelsService(Keeping, Parcels, tables=participants.metadata):
    pass


class LettersService(Keeping, Letters, tables=participants.metadata):
    pass


class Bare(Saga):
    class State(Struct):
        passed: int = 0

    @step
    async def first(self, state: State) -> State:
        return Bare.State(passed=state.passed + 1)

    @step
    async def second(self, state: State) -> State:
        return Bare.State(passed=state.passed + 1)

    @step
    async def third(self, state: State) -> State:
        return Bare.State(passed=state.passed + 1)

    @step
    async def fourth(self, state: State) -> State:
        return Bare.State(passed=state.passed + 1)


class Full(Saga):
    class State(Struct):
        order: str
        last: int
        passed: int = 0

    stock: Stock
    money: Money
    parcels: Parcels
    letters: Letters

    @step
    async def take(self, state: State) -> State:
        await self.stock.enter(state.order, 1)
        return Full.State(order=state.order, last=state.last, passed=1)

    @take.undo
    async def give_back(self, state: State) -> None:
        await self.stock.withdraw(state.order, 1)

    @step
    async def charge(self, state: State) -> State:
        await self.money.enter(state.order, 1)
        return Full.State(order=state.order, last=state.last, passed=2)

    @charge.undo
    async def refund(self, state: State) -> None:
        await self.money.withdraw(state.order, 1)

    @step
    async def ship(self, state: State) -> State:
        await self.parcels.enter(state.order, 1)
        return Full.State(order=state.order, last=state.last, passed=3)

    @ship.undo
    async def recall(self, state: State) -> None:
        await self.parcels.withdraw(state.order, 1)

    @step
    async def tell(self, state: State) -> State:
        await self.letters.enter(state.order, state.last)
        return Full.State(order=state.order, last=state.last, passed=4)


class Orders(Contract, version="1.0.0"):
    @command
    async def bare(self, order: str) -> None: ...

    @command
    async def full(self, order: str, last: int) -> None: ...


class OrdersService(Orders, sagas=(Bare, Full)):
    async def bare(self, order: str) -> None:
        await self.start(Bare, key=order, state=Bare.State())

    async def full(self, order: str, last: int) -> None:
        await self.start(Full, key=order, state=Full.State(order=order, last=last))


SERVICES = (StockService, MoneyService, ParcelsService, LettersService, OrdersService)
