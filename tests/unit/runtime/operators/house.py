"""A small application for the tests of this folder: doors that are knocked at, opened and visited."""

from __future__ import annotations

from ramet import Contract, Event, Refusal, Saga, Struct, command, on, query, step


class Knocked(Event, key="door"):
    door: str


class Doors(Contract, version="1.0.0"):
    class Locked(Refusal):
        """The door {door} is locked."""

        door: str

    @command(refuses=Locked)
    async def open(self, door: str) -> bool: ...

    @command
    async def knock(self, door: str) -> None: ...

    @command
    async def enter(self, door: str) -> str: ...

    @query
    async def count(self) -> int: ...

    @query
    async def fall(self) -> int: ...

    @query
    async def hinges(self) -> int: ...


class Visit(Saga):
    class State(Struct):
        door: str

    doors: Doors

    @step(backoff="1h")
    async def go(self, state: State) -> State:
        await self.doors.open(state.door)
        return state


class DoorsService(Doors, sagas=(Visit,)):
    locked = True
    stuck = False
    broken = True

    async def open(self, door: str) -> bool:
        if self.stuck:
            raise ValueError("the handle is stuck")
        if self.locked:
            raise self.Locked(door=door)
        return True

    async def knock(self, door: str) -> None:
        await self.publish(Knocked(door=door))

    async def enter(self, door: str) -> str:
        return (await self.start(Visit, key=door, state=Visit.State(door=door))).id

    async def count(self) -> int:
        return 3

    async def fall(self) -> int:
        raise ValueError("down")

    async def hinges(self) -> int:
        return object()  # type: ignore[return-value]  # as somebody does who has forgotten to await

    @on(Knocked, attempts=1)
    async def answer(self, event: Knocked) -> None:
        if self.broken:
            raise ValueError("nobody is at home")
