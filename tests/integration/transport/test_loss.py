"""What callers are told when the other side is killed, freezes, drains, or takes nothing."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ramet.errors import DeadlineExceeded, OutcomeUnknown, Unavailable
from ramet.transport.wire.framing import WELCOME, framed
from tests.integration.transport.bed import KINDS, Bed, until

WORKER = Path(__file__).with_name("worker.py")


@asynccontextmanager
async def worker(bed: Bed, address: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(sys.executable, WORKER, address, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    bed.address = (await process.stdout.readline()).decode().strip()
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.fixture(params=["unix", "tcp"])
async def remote(bed: Bed, request: pytest.FixtureRequest) -> AsyncIterator[asyncio.subprocess.Process]:
    async with worker(bed, f"unix:{bed.folder}/w" if request.param == "unix" else "tcp://127.0.0.1:0") as process:
        yield process


async def test_what_was_sent_to_a_process_that_is_killed_is_of_unknown_outcome(
    bed: Bed, remote: asyncio.subprocess.Process
) -> None:
    channel = await bed.dial()
    asking = bed.tasks.spawn(channel.call(bed.call("wait")))
    await channel.call(bed.call("echo"))
    remote.kill()
    with pytest.raises(OutcomeUnknown, match=r"shop\.wait was sent to .*, and no answer came"):
        await asking
    assert not channel.usable
    with pytest.raises(Unavailable, match="was not sent"):
        await channel.call(bed.call("echo"))


async def test_a_frozen_process_is_given_up(bed: Bed, remote: asyncio.subprocess.Process) -> None:
    channel = await bed.dial(ping_after_seconds=0.02, dead_after_seconds=0.1)
    await channel.call(bed.call("echo"))
    remote.send_signal(signal.SIGSTOP)
    with pytest.raises(OutcomeUnknown, match="has been silent"):
        await channel.call(bed.call("echo"))
    assert not channel.usable


async def test_a_frozen_process_is_not_usable_before_it_is_given_up_and_is_again_when_it_goes_on(
    bed: Bed, remote: asyncio.subprocess.Process
) -> None:
    channel = await bed.dial(ping_after_seconds=0.02, ping_idle_seconds=0.04, dead_after_seconds=1000.0)
    remote.send_signal(signal.SIGSTOP)
    await until(lambda: not channel.usable)
    with pytest.raises(DeadlineExceeded):
        await channel.call(bed.call("echo", seconds=0.01))
    remote.send_signal(signal.SIGCONT)
    await until(lambda: channel.usable)
    assert await channel.call(bed.call("echo", b"x")) == b"x"
    await channel.close()


async def test_an_idle_connection_is_kept(bed: Bed) -> None:
    patience = {"ping_after_seconds": 0.01, "ping_idle_seconds": 0.03, "dead_after_seconds": 0.1}
    await bed.start(**patience)
    channel = await bed.dial(**patience)
    for _ in range(20):  # more than it takes to be given up
        await until(lambda: not channel._heard)
        await until(lambda: channel._heard)
    assert await channel.call(bed.call("echo", b"x")) == b"x"
    await channel.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_draining_finishes_what_is_in_flight_and_executes_nothing_more(bed: Bed, kind: str) -> None:
    server = await bed.start(kind)
    channel, idle = await bed.dial(), await bed.dial()
    asking = bed.tasks.spawn(channel.call(bed.call("wait", b"done")))
    await bed.shop.arrived.wait()
    draining = bed.tasks.spawn(server.drain(30))
    await until(lambda: not channel.usable and not idle.usable)
    for one in (channel, idle):
        with pytest.raises(Unavailable, match="was not sent"):
            await one.call(bed.call("echo"))
    with pytest.raises(Unavailable):
        await bed.dial()
    assert not draining.done()
    bed.shop.gate.set()
    assert await asking == b"done"
    assert await draining is True
    assert server.connections == 0


async def test_a_request_that_crosses_the_goodbye_is_not_executed(bed: Bed) -> None:
    server = await bed.start()
    channel = await bed.dial()
    waiting = bed.tasks.spawn(channel.call(bed.call("wait")))
    await bed.shop.arrived.wait()
    (connection,) = server._connections
    connection._draining = True  # it has said so, and the other side has not read it yet
    with pytest.raises(Unavailable, match="was not executed: its process is ending"):
        await channel.call(bed.call("echo"))
    assert len(bed.shop.seen) == 1
    bed.shop.gate.set()
    await waiting
    await channel.close()


async def test_what_is_still_in_flight_after_the_grace_is_cancelled_and_of_unknown_outcome(bed: Bed) -> None:
    server = await bed.start()
    channel = await bed.dial()
    asking = bed.tasks.spawn(channel.call(bed.call("wait")))
    await bed.shop.arrived.wait()
    assert await server.drain(0.01) is False
    await server.close()
    with pytest.raises(OutcomeUnknown):
        await asking
    await bed.shop.left.wait()


async def test_who_stays_longer_than_the_grace_is_no_defect(bed: Bed) -> None:
    troubles: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, trouble: troubles.append(trouble))
    server = await bed.start()
    channel = await bed.dial()
    asking = bed.tasks.spawn(channel.call(bed.call("wait")))
    await bed.shop.arrived.wait()
    assert not await server.drain(0.0)
    bed.shop.gate.set()
    await asking
    await channel.close()
    gc.collect()
    assert not troubles


async def test_a_callee_is_cancelled_when_its_caller_is_gone(bed: Bed) -> None:
    await bed.start()
    channel = await bed.dial()
    asking = bed.tasks.spawn(channel.call(bed.call("wait")))
    await bed.shop.arrived.wait()
    channel.abort("the test")
    with pytest.raises(OutcomeUnknown):
        await asking
    await bed.shop.left.wait()


async def test_closing_waits_for_the_answers_that_are_due(bed: Bed) -> None:
    await bed.start()
    channel = await bed.dial()
    asking = bed.tasks.spawn(channel.call(bed.call("wait", b"x")))
    await bed.shop.arrived.wait()
    closing = bed.tasks.spawn(channel.close())
    await until(lambda: not channel.usable)
    with pytest.raises(Unavailable, match="being closed"):
        await channel.call(bed.call("echo"))
    bed.shop.gate.set()
    assert await asking == b"x"
    await closing
    assert channel.lost.done()


@asynccontextmanager
async def deaf(bed: Bed) -> AsyncIterator[None]:
    """A server that lets everybody in and reads nothing more."""
    done = asyncio.Event()

    async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(framed(WELCOME, 0, b"\x81\xa7version\x01"))
        writer.transport.pause_reading()
        await done.wait()
        writer.transport.abort()

    bed.address = f"unix:{bed.folder}/deaf"
    async with await asyncio.start_unix_server(welcome, f"{bed.folder}/deaf", limit=2**10):
        yield
        done.set()
        await bed.tasks.stop()


async def test_calls_wait_while_the_link_takes_nothing_and_are_then_provably_not_executed(bed: Bed) -> None:
    async with deaf(bed):
        channel = await bed.dial()
        asking = [bed.tasks.spawn(channel.call(bed.call("echo", b"x" * 500_000))) for _ in range(20)]
        await until(lambda: channel._queue)
        late = bed.tasks.spawn(channel.call(bed.call("echo", seconds=0.01)))
        with pytest.raises(DeadlineExceeded, match="took the call"):
            await late
        assert channel.in_flight == 20
        channel.abort("the test")
        errors = await asyncio.gather(*asking, return_exceptions=True)
        assert {type(error) for error in errors} == {OutcomeUnknown, Unavailable}


async def test_a_peer_that_does_not_read_its_answers_is_not_listened_to(bed: Bed) -> None:
    server = await bed.start()
    channel = await bed.dial()
    channel._transport.pause_reading()
    asking = [bed.tasks.spawn(channel.call(bed.call("large", b"500000"))) for _ in range(50)]
    await until(lambda: server._connections)
    (connection,) = server._connections
    await until(lambda: connection._deaf)
    seen = len(bed.shop.seen)
    more = [bed.tasks.spawn(channel.call(bed.call("large", b"1"))) for _ in range(50)]
    await asyncio.sleep(0)
    assert len(bed.shop.seen) == seen
    channel._transport.resume_reading()
    assert {len(answer) for answer in await asyncio.gather(*asking, *more)} == {500_000, 1}
    await channel.close()
