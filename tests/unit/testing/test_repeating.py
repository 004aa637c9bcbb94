"""Every delivery twice: what shows by it, and what does not."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select

from ramet import Application, Clock, Contract, Database, Event, calling, command, on, query
from ramet.errors import InternalError, Unavailable
from ramet.events.base import Delivery, Done, Message, Outlet, Sink, Subscription
from ramet.events.brokers.memory import MemoryBroker
from ramet.telemetry.context import Context
from ramet.testing import Placement, VirtualClock, running
from ramet.testing.repeating import Repeating, RepeatingBroker
from ramet.transport.base import Call, Peer

metadata = MetaData()
notes = Table("notes", metadata, Column("id", Integer, primary_key=True), Column("text", String))
heard = Table("heard", metadata, Column("id", Integer, primary_key=True), Column("text", String))


class Noted(Event):
    text: str


class Notes(Contract, version="1.0.0", publishes=(Noted,)):
    @command
    async def write(self, text: str) -> int: ...

    @query
    async def count(self) -> int: ...

    @query
    async def times_heard(self) -> int: ...

    @query
    async def times_asked(self) -> int: ...

    @query
    async def times_written(self) -> int: ...


class NotesService(Notes, tables=metadata):
    db: Database
    clock: Clock

    async def startup(self) -> None:
        self.asked = self.written = 0

    async def write(self, text: str) -> int:
        self.written += 1
        await self.db.execute(insert(notes).values(text=text))
        await self.publish(Noted(text=text))
        return self.written

    async def count(self) -> int:
        return await self.db.scalar(select(func.count()).select_from(notes)) or 0

    async def times_heard(self) -> int:
        return await self.db.scalar(select(func.count()).select_from(heard)) or 0

    async def times_asked(self) -> int:
        self.asked += 1
        return self.asked

    async def times_written(self) -> int:
        return self.written

    @on(Noted)
    async def hear(self, event: Noted) -> None:
        await self.db.execute(insert(heard).values(text=event.text))


PAD = Application("pad", services=[NotesService])


async def test_a_command_with_a_key_is_executed_twice_and_committed_once() -> None:
    async with running(PAD, placement="apart") as app:
        async with calling(key="once"):
            assert await app.client(Notes).write("a") == 2  # what it counts in memory is not taken back

        assert await app.client(Notes).count() == 1
        assert await app.client(Notes).times_written() == 2


async def test_a_command_without_a_key_is_delivered_once_for_nobody_may_repeat_it() -> None:
    async with running(PAD, placement="apart") as app:
        assert await app.client(Notes).write("a") == 1
        assert await app.client(Notes).write("a") == 2
        assert await app.client(Notes).count() == 2


async def test_an_event_is_handled_twice_and_that_is_committed_once() -> None:
    async with running(PAD, placement="apart", clock=VirtualClock()) as app:
        for text in ("a", "b", "c"):
            await app.client(Notes).write(text)

        await app.advance("1m")  # whatever was delivered has been handled by now

        assert await app.client(Notes).times_heard() == 3


class Placed(Event, key="order"):
    order: str


class Letters(Contract, version="1.0.0", publishes=(Placed,)):
    @command
    async def place(self, order: str) -> None: ...

    @command
    async def write_to(self, order: str) -> None: ...


class LettersService(Letters, tables=metadata):
    db: Database

    async def startup(self) -> None:
        self.sent: list[str] = []

    async def place(self, order: str) -> None:
        await self.publish(Placed(order=order))

    async def write_to(self, order: str) -> None:
        self.sent.append(f"a letter about {order}")

    @on(Placed)
    async def tell(self, event: Placed) -> None:
        self.sent.append(f"thank you for {event.order}")
        await self.db.execute(insert(heard).values(text=event.order))


POST = Application("post", services=[LettersService])


@pytest.mark.parametrize(("placement", "times"), [("together", 1), ("apart", 2)])
async def test_what_is_sent_from_where_nothing_is_taken_back_is_sent_twice(placement: Placement, times: int) -> None:
    async with running(POST, placement=placement, clock=VirtualClock()) as app:
        await app.client(Letters).place("17")
        async with calling(key="k"):
            await app.client(Letters).write_to("17")
        await app.advance("1m")

        sent = app.service(Letters).sent

    assert sorted(sent) == ["a letter about 17"] * times + ["thank you for 17"] * times


async def test_a_query_is_executed_twice_so_one_that_counts_its_calls_shows_by_a_jump() -> None:
    async with running(PAD, placement="apart") as app:
        assert await app.client(Notes).times_asked() == 2
        assert await app.client(Notes).times_asked() == 4


class Forgetful:
    """Answers as a command would whose recorded answer is lost, and which then does not answer the same."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    async def __call__(self, call: Call, _: Peer) -> bytes:
        self.calls.append(call)
        return answer(len(self.calls))


def answer(number: int) -> bytes:
    return msgspec.msgpack.encode([number])


def call(method: str, *, key: str | None = None, withdraw: bool = False) -> Call:
    return Call(method, b"", Context.root("test"), key, withdraw=withdraw)


PEER = Peer(name="test")


@pytest.mark.parametrize(
    ("one", "times"),
    [
        (call("notes.write", key="k"), 2),
        (call("notes.write"), 1),
        (call("notes.count"), 2),
        (call("notes.write", key="k", withdraw=True), 1),
    ],
    ids=["a command with a key", "a command without", "a query", "a withdrawal"],
)
async def test_what_may_be_repeated_is_answered_twice(one: Call, times: int) -> None:
    service = Forgetful()

    got = await Repeating(service, {"notes.count"})(one, PEER)

    assert (len(service.calls), got) == (times, answer(times))


async def test_a_second_answer_that_differs_is_noted_for_commands_and_not_for_queries() -> None:
    repeating = Repeating(Forgetful(), {"notes.count"})

    await repeating(call("notes.count"), PEER)
    assert repeating.differences == []

    await repeating(call("notes.write", key="k"), PEER)
    assert repeating.differences == ["notes.write with the key k"]


class Counter(Contract, version="1.0.0"):
    """Its service keeps its count where no transaction is rolled back: in memory."""

    @command
    async def second_time_lucky(self) -> int: ...

    @command
    async def never_lucky(self) -> int: ...

    @command
    async def busy_at_first(self) -> int: ...


class CounterService(Counter):
    async def startup(self) -> None:
        self.count = 0

    async def second_time_lucky(self) -> int:
        self.count += 1
        if self.count == 1:
            raise RuntimeError("not yet")
        return self.count

    async def never_lucky(self) -> int:
        raise RuntimeError("never")

    async def busy_at_first(self) -> int:
        self.count += 1
        if self.count == 1:
            raise Unavailable("The card network does not answer.")
        return self.count


COUNTER = Application("counter", services=[CounterService])


async def test_a_command_whose_second_answer_differs_fails_the_test_with_its_name() -> None:
    async def told() -> int:
        async with running(COUNTER, placement="apart") as app, calling(key="k"):
            return await app.client(Counter).second_time_lucky()

    with pytest.raises(AssertionError, match=r"did not answer what they had answered: counter\.second_time_lucky with"):
        await told()


async def test_a_command_that_fails_each_time_answers_the_same_each_time() -> None:
    async with running(COUNTER, placement="apart") as app:
        with pytest.raises(InternalError):
            async with calling(key="k"):
                await app.client(Counter).never_lucky()


async def test_a_command_that_cannot_be_executed_now_may_be_the_next_time() -> None:
    async with running(COUNTER, placement="apart") as app, calling(key="k"):
        assert await app.client(Counter).busy_at_first() == 3


class Kept(Sink):
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.given: list[tuple[Delivery, Done]] = []

    def put(self, delivery: Delivery, done: Done) -> None:
        self.given.append((delivery, done))

    async def room(self) -> int:
        return 10


async def test_an_event_is_put_twice_and_is_done_when_both_are() -> None:
    broker, sink, finished = RepeatingBroker(MemoryBroker()), Kept(), []
    await broker.subscribe(Subscription("notes.hear", frozenset({"notes.Noted"}), sink))
    (outlet,) = broker.outlets({"notes.Noted"})
    assert isinstance(outlet, Outlet)

    outlet.sink.put(Delivery(Message(id="1", topic="notes.Noted")), lambda: finished.append(1))

    assert [delivery.again for delivery, _ in sink.given] == [False, True]
    sink.given[1][1]()
    assert finished == []
    sink.given[0][1]()
    assert finished == [1]
    assert await outlet.sink.room() == 5
