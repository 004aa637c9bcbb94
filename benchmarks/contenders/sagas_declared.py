"""The sagas of Ramet that are measured: bare ones of four trivial steps, and full ones with four participants."""

from __future__ import annotations

from benchmarks.contenders import participants
from ramet import Contract, Database, Refusal, Saga, Struct, command, step


class Refused(Refusal):
    pass


class Keeping:
    """What each of the four participants does."""

    db: Database

    async def enter(self, order: str, amount: int) -> None:
        if amount < 0:
            raise Refused
        await self.db.execute(*participants.enter(order, amount))

    async def withdraw(self, order: str) -> None:
        await self.db.execute(*participants.withdraw(order))


class Stock(Contract, version="1.0.0"):
    @command(refuses=Refused)
    async def enter(self, order: str, amount: int) -> None: ...

    @command
    async def withdraw(self, order: str) -> None: ...


class Money(Contract, version="1.0.0"):
    @command(refuses=Refused)
    async def enter(self, order: str, amount: int) -> None: ...

    @command
    async def withdraw(self, order: str) -> None: ...


class Parcels(Contract, version="1.0.0"):
    @command(refuses=Refused)
    async def enter(self, order: str, amount: int) -> None: ...

    @command
    async def withdraw(self, order: str) -> None: ...


class Letters(Contract, version="1.0.0"):
    @command(refuses=Refused)
    async def enter(self, order: str, amount: int) -> None: ...

    @command
    async def withdraw(self, order: str) -> None: ...


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
        await self.stock.withdraw(state.order)

    @step
    async def charge(self, state: State) -> State:
        await self.money.enter(state.order, 1)
        return Full.State(order=state.order, last=state.last, passed=2)

    @charge.undo
    async def refund(self, state: State) -> None:
        await self.money.withdraw(state.order)

    @step
    async def ship(self, state: State) -> State:
        await self.parcels.enter(state.order, 1)
        return Full.State(order=state.order, last=state.last, passed=3)

    @ship.undo
    async def recall(self, state: State) -> None:
        await self.parcels.withdraw(state.order)

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
