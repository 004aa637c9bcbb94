"""Commands that have gathered commit together: each as if it had been alone, whatever becomes of the others."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from ramet.errors import Cancelled, CommitUnknown, OutsideWork, StorageError
from ramet.storage.base import Unit, Write
from ramet.telemetry.scope import Apart, Committed, current_scope, may_call_command, told_by
from ramet.testing.engines.postgres import PostgresServer
from tests.integration.postgres.lots import KEYS, MANY, Act, MakeService, No, Service

pytestmark = pytest.mark.needs("postgresql")


async def test_those_that_have_gathered_are_one_transaction(service: Service) -> None:
    ends = await asyncio.gather(*(service.command(key, service.mark) for key in KEYS))
    assert ends == [f"answer to {key}" for key in KEYS]
    assert await service.marks() == await service.answered() == KEYS
    assert service.together(*KEYS)
    assert set(service.runs.values()) == {1}
    assert [await service.command(key, service.mark, fresh=False) for key in KEYS] == ends
    assert set(service.runs.values()) == {1}


async def test_one_that_comes_alone_waits_for_nobody(service: Service) -> None:
    for key in KEYS:
        await service.command(key, service.mark)
    assert len({id(service.units[key]) for key in KEYS}) == MANY


async def refuse(_: str) -> None:
    raise No


async def fail(_: str) -> None:
    raise LookupError("not there")


async def twice(service: Service) -> None:
    """Whoever runs by itself is as fast as the others: what is there already is so before all of them."""
    await service.db.execute(text("INSERT INTO mark VALUES ('warm mark')"))


@pytest.mark.parametrize(
    ("act", "error", "recorded"), [(refuse, No, True), (fail, LookupError, False), (None, IntegrityError, False)]
)
async def test_one_that_fails_harms_nobody(
    service: Service, act: Act | None, error: type[Exception], recorded: bool
) -> None:
    async def unlucky(key: str) -> object:
        await service.mark(key)
        return await (twice(service) if act is None else act(key))

    await service.warm("other")
    works = [service.command(key, service.mark) for key in KEYS if key != "10"]
    works.insert(10, service.command("10", unlucky, "other"))
    ends = await asyncio.gather(*works, return_exceptions=True)
    good = [key for key in KEYS if key != "10"]
    assert isinstance(ends.pop(10), error)
    assert ends == [f"answer to {key}" for key in good]
    assert await service.marks() == good
    assert await service.answered() == (KEYS if recorded else good)
    assert max(service.runs.values()) == 2


async def test_only_the_method_that_failed_goes_by_itself_afterwards(service: Service) -> None:
    await service.warm("other")
    works = [service.command(key, service.mark) for key in KEYS]
    await asyncio.gather(*works, service.command("no", refuse, "other"), return_exceptions=True)
    again = [f"again {key}" for key in KEYS]
    works = [service.command(key, service.mark) for key in again]
    others = [service.command(f"other {key}", service.mark, "other") for key in KEYS]
    await asyncio.gather(*works, *others)
    assert service.together(*again)
    assert len({id(service.units[f"other {key}"]) for key in KEYS}) == MANY


async def test_an_error_that_is_swallowed_is_not_committed(service: Service) -> None:
    async def careless(key: str) -> str:
        try:
            await twice(service)
        except IntegrityError:
            return await service.mark(f"{key} again")
        return "never"

    await service.warm("careless")
    works = [service.command(key, service.mark) for key in KEYS]
    ends = await asyncio.gather(*works[:10], service.command("careless", careless, "careless"), *works[10:])
    assert ends[10] == "answer to careless again"
    assert await service.marks() == [*KEYS, "careless again"]


async def test_one_that_is_cancelled_takes_only_itself_back(service: Service) -> None:
    reached = asyncio.Event()

    async def slow(key: str) -> None:
        await service.mark(key)
        reached.set()
        await service.db.execute(text("SELECT pg_sleep(0.1)"))

    await service.warm("slow")
    tasks = [asyncio.ensure_future(service.command(key, service.mark)) for key in KEYS[:10]]
    victim = asyncio.ensure_future(service.command("slow", slow, "slow"))
    tasks += [asyncio.ensure_future(service.command(key, service.mark)) for key in KEYS[10:]]
    await reached.wait()
    victim.cancel()
    assert await asyncio.gather(*tasks) == [f"answer to {key}" for key in KEYS]
    with pytest.raises(asyncio.CancelledError):
        await victim
    assert await service.marks() == await service.answered() == KEYS


async def test_cancelled_anywhere_one_is_committed_whole_or_not_at_all(service: Service) -> None:
    random = Random(7)
    told: dict[str, bool] = {}

    async def one(key: str) -> None:
        try:
            await service.command(key, service.mark)
        except asyncio.CancelledError as error:
            told[key] = told_by(error, Committed) is not None
            raise
        told[key] = True

    async def kill(task: asyncio.Task[None]) -> None:
        for _ in range(random.randrange(60)):
            await asyncio.sleep(0)
        task.cancel()

    for turn in range(30):
        tasks = [asyncio.ensure_future(one(f"{turn}/{key}")) for key in KEYS]
        kills = [asyncio.ensure_future(kill(task)) for task in tasks if random.random() < 0.2]
        await asyncio.wait([*tasks, *kills])
    there, answered = set(await service.marks()), set(await service.answered())
    assert there == answered
    assert there >= {key for key, is_told in told.items() if is_told}
    never = {f"{turn}/{key}" for turn in range(30) for key in KEYS} - there
    assert not any(told.get(key) for key in never)
    for key in never:
        assert await service.command(key, service.mark) == f"answer to {key}"


async def test_one_that_waits_for_something_else_goes_by_itself_from_then_on(service: Service) -> None:
    sleeps = False

    async def body(key: str) -> str:
        if sleeps:
            await asyncio.sleep(0)
        return await service.mark(key)

    await service.command("warm sleepy", body, "sleepy")
    sleeps = True
    for name in ("a", "b"):
        works = [service.command(f"{name}{key}", service.mark) for key in KEYS]
        more = [service.command(f"{name}sleepy{key}", body, "sleepy") for key in KEYS]
        ends = await asyncio.gather(*works, *more)
        assert len(set(ends)) == 2 * MANY
    assert len({id(service.units[f"bsleepy{key}"]) for key in KEYS}) == MANY
    assert len(await service.marks()) == 4 * MANY


async def test_one_that_never_returns_holds_nobody_up(service: Service) -> None:
    sleeps, begun = False, 0

    async def body(key: str) -> str:
        nonlocal begun
        begun += 1
        if sleeps:
            await asyncio.Event().wait()
        return await service.mark(key)

    await service.command("warm hangs", body, "hangs")
    sleeps = True
    before = [asyncio.ensure_future(service.command(key, service.mark)) for key in KEYS[:10]]
    hanging = asyncio.ensure_future(service.command("hangs", body, "hangs"))
    after = [asyncio.ensure_future(service.command(key, service.mark)) for key in KEYS[10:]]
    await asyncio.gather(*before, *after)
    assert begun == 2
    hanging.cancel()
    await asyncio.wait((hanging,))
    assert await service.marks() == KEYS


async def test_a_command_is_not_called_while_others_writes_are_at_stake(service: Service) -> None:
    calls = 0

    async def calling(key: str) -> str:
        nonlocal calls
        if not key.startswith("warm"):
            may_call_command(service.storage.service, "other.do")
            calls += 1
        return await service.mark(key)

    await service.command("warm calling", calling, "calling")
    works = [service.command(key, service.mark) for key in KEYS]
    await asyncio.gather(*works[:10], service.command("calls", calling, "calling"), *works[10:])
    assert calls == 1
    assert await service.marks() == [*KEYS, "calls"]


async def test_one_key_is_worked_on_once(service: Service) -> None:
    ends = await asyncio.gather(*(service.command(key, service.mark) for key in KEYS for _ in range(3)))
    assert Counter(ends) == {f"answer to {key}": 3 for key in KEYS}
    assert await service.marks() == KEYS


async def test_a_key_that_was_withdrawn_meanwhile_is_not_executed(service: Service) -> None:
    withdrawn = asyncio.Event()

    async def withdrawing(key: str) -> str:
        await service.mark(key)
        if not withdrawn.is_set():
            withdrawn.set()
            assert not await service.answers["mark"].withdraw("05")
        return key

    await service.warm("other")
    works = [service.command(key, service.mark) for key in KEYS]
    ends = await asyncio.gather(*works, service.command("w", withdrawing, "other"), return_exceptions=True)
    assert isinstance(ends.pop(5), Cancelled)
    assert ends == [*(f"answer to {key}" for key in KEYS if key != "05"), "w"]
    assert await service.marks() == [*(key for key in KEYS if key != "05"), "w"]


async def test_a_key_that_another_process_has_worked_on_is_answered(service: Service, storages: MakeService) -> None:
    other = await storages()

    async def differently(key: str) -> str:
        await other.mark(f"there {key}")
        return f"there {key}"

    await other.command("05", differently)
    ends = await asyncio.gather(*(service.command(key, service.mark) for key in KEYS))
    assert ends == ["there 05" if key == "05" else f"answer to {key}" for key in KEYS]
    assert await service.marks() == [*(key for key in KEYS if key != "05"), "there 05"]


async def pid_of(service: Service) -> int:
    scope = current_scope.get()
    assert scope is not None
    assert isinstance(scope.unit, Unit)
    return int((await scope.unit.fetch("SELECT pg_backend_pid()"))[0][0])


async def test_a_connection_that_is_lost_meanwhile_leaves_nothing_behind(
    service: Service, server: PostgresServer
) -> None:
    killed = False
    admin = await asyncpg.connect(f"{server.url}/postgres")

    async def killing(key: str) -> str:
        nonlocal killed
        if not killed:
            killed = True
            await admin.execute(f"SELECT pg_terminate_backend({await pid_of(service)})")
        return await service.mark(key)

    await service.warm("killing")
    works = [service.command(key, service.mark) for key in KEYS]
    ends = await asyncio.gather(
        *works[:10], service.command("killing", killing, "killing"), *works[10:], return_exceptions=True
    )
    await admin.close()
    good = [key for key, end in zip([*KEYS[:10], "killing", *KEYS[10:]], ends, strict=True) if isinstance(end, str)]
    assert set(KEYS) <= set(good)
    assert set(await service.marks()) == set(await service.answered()) == set(good)


async def test_a_commit_that_nobody_knows_of_is_told_to_each(service: Service, server: PostgresServer) -> None:
    """Killed while the commit is on its way, or, deferred until then, before it."""
    admin = await asyncpg.connect(f"{server.url}/postgres")
    is_slow = True

    async def slow(key: str) -> str:
        nonlocal is_slow
        scope = current_scope.get()
        assert scope is not None
        assert isinstance(scope.unit, Unit)
        await service.mark(key)
        if is_slow:
            is_slow = False
            scope.unit.defer(Write("INSERT INTO mark (key) SELECT ? FROM pg_sleep(60)", [("slow",)]))
        return key

    await service.warm("slow")
    works = [service.command(key, service.mark) for key in KEYS]
    everybody = asyncio.gather(*works[:10], service.command("s", slow, "slow"), *works[10:], return_exceptions=True)
    sleeping = "FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND starts_with(query, 'INSERT INTO mark')"
    while not await admin.fetchval(f"SELECT count(*) {sleeping}"):  # noqa: ASYNC110 - what a server does has no event
        await asyncio.sleep(0)
    await admin.execute(f"SELECT pg_terminate_backend(pid) {sleeping}")
    ends = await everybody
    await admin.close()
    assert {type(end) for end in ends} == {CommitUnknown}
    assert await service.marks() == await service.answered() == []
    for key in KEYS:
        assert await service.command(key, service.mark) == f"answer to {key}"
    assert await service.marks() == KEYS


async def test_whoever_is_left_of_a_command_comes_too_late(service: Service) -> None:
    late: list[asyncio.Task[object]] = []

    async def leaving(key: str) -> str:
        async def later() -> None:
            await service.db.execute(text("SELECT pg_sleep(0)"))
            await service.mark(f"{key} late")

        async def much_later() -> None:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            await service.mark(f"{key} late")

        late.append(asyncio.ensure_future(later() if key == "leaves" else much_later()))
        return await service.mark(key)

    await service.warm("leaving")
    works = [service.command(key, service.mark) for key in KEYS]
    await asyncio.gather(*works[:10], service.command("leaves", leaving, "leaving"), *works[10:])
    await service.warm("leaving2")
    more = [service.command(f"more {key}", service.mark) for key in KEYS]
    await asyncio.gather(*more[:10], service.command("leaves later", leaving, "leaving2"), *more[10:])
    ends = await asyncio.gather(*late, return_exceptions=True)
    assert {type(end) for end in ends} <= {Apart, OutsideWork, StorageError, type(None)}
    assert set(await service.marks()) >= {*KEYS, "leaves", "leaves later"}


async def test_notifications_come_after_the_commit_in_its_order(service: Service) -> None:
    heard: list[tuple[str, bool]] = []

    async def telling(key: str) -> str:
        scope = current_scope.get()
        assert scope is not None
        unit = scope.unit
        assert isinstance(unit, Unit)
        unit.after_commit(lambda: heard.append((key, unit.committed)))
        unit.defer(Write("INSERT INTO mark (key) VALUES (?)", [(f"{key} event",)]))
        return await service.mark(key)

    await service.warm("telling")
    await asyncio.gather(*(service.command(key, telling, "telling") for key in KEYS))
    assert heard == [(key, True) for key in KEYS]
    assert len(await service.marks()) == 2 * MANY


async def test_processes_that_lock_the_same_rows_in_another_order_all_get_through(
    storages: MakeService,
) -> None:
    here, there = await storages(), await storages()
    await here.storage.write(Write("INSERT INTO account VALUES (?, 0, 0)", [(number,) for number in range(MANY)]))
    for service in (here, there):
        await service.warm()
        await service.warm("add")

    def adding(service: Service, number: int) -> Act:
        async def add(key: str) -> str:
            await service.db.execute(
                text("UPDATE account SET balance = balance + 1, version = version + 1 WHERE id = :id"), {"id": number}
            )
            return key

        return add

    for turn in range(5):
        up = [here.command(f"up {turn} {n}", adding(here, n), "add") for n in range(MANY)]
        down = [there.command(f"down {turn} {n}", adding(there, n), "add") for n in reversed(range(MANY))]
        await asyncio.gather(*(work for pair in zip(up, down, strict=True) for work in pair))
    rows = await here.storage.fetch("SELECT version, balance FROM account")
    assert set(rows) == {(10, 10)}


async def test_who_is_cancelled_and_tidies_up_in_the_database_is_cancelled(service: Service) -> None:
    tasks: dict[str, asyncio.Task[str]] = {}

    async def tidy(key: str) -> object:
        try:
            tasks[key].cancel()
            await service.mark(key)
        finally:
            await twice(service)
        return key

    async with asyncio.TaskGroup() as group:
        for key in KEYS:
            tasks[key] = group.create_task(service.command(key, tidy if key == KEYS[3] else service.mark))
    assert tasks[KEYS[3]].cancelled()
    assert await service.marks() == await service.answered() == [key for key in KEYS if key != KEYS[3]]
