"""An upstream over real sockets: replicas end, refuse and are replaced, and the calls go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from ramet.clock import SystemClock
from ramet.errors import Denied, Overloaded
from ramet.identity.keys import PUBLIC, signing_key
from ramet.identity.tokens import Issuer, Verifier
from ramet.tasks import Tasks
from ramet.telemetry.context import Context
from ramet.transport.admission import Admission
from ramet.transport.base import Call, Endpoint, Peer
from ramet.transport.client import dial
from ramet.transport.policy.bulkhead import Bulkhead
from ramet.transport.server import Server
from ramet.transport.upstream.upstream import Upstream

CLOCK = SystemClock()


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    made = Tasks()
    yield made
    await made.stop()


def call() -> Call:
    return Call("pay.charge", b"", Context.root("1", deadline=CLOCK.monotonic() + 5))


async def answer(_: Call, __: Peer) -> bytes:
    return b"answer"


async def served(folder: Path, name: str, tasks: Tasks, answering: object = answer) -> tuple[Server, Endpoint]:
    server = Server(answering, None, clock=CLOCK, spawn=tasks.spawn)
    return server, Endpoint(address=await server.start(f"unix:{folder / name}"), group="money")


async def test_replacing_every_replica_one_after_the_other_fails_no_call(tmp_path: Path, tasks: Tasks) -> None:
    connect = partial(dial, token=None, clock=CLOCK, spawn=tasks.spawn)
    upstream = Upstream("money", connect, clock=CLOCK, spawn=tasks.spawn)
    replicas = [await served(tmp_path, f"first{number}", tasks) for number in range(2)]
    upstream.update([endpoint for _, endpoint in replicas])
    answered, ending = 0, asyncio.Event()

    async def caller() -> None:
        nonlocal answered
        while not ending.is_set():
            assert await upstream.call(call(), repeatable=False) == b"answer"
            answered += 1

    callers = [tasks.spawn(caller()) for _ in range(4)]
    for number in range(4):
        fresh = await served(tmp_path, f"next{number}", tasks)
        (former, _), replicas = replicas[0], [*replicas[1:], fresh]
        upstream.update([endpoint for _, endpoint in replicas])
        await former.drain(5)
        await former.close()
    ending.set()
    await asyncio.gather(*callers)
    assert answered
    await upstream.close()
    for server, _ in replicas:
        await server.close()


async def test_a_replica_that_is_full_says_so_and_another_one_answers(tmp_path: Path, tasks: Tasks) -> None:
    full = Admission(answer, clock=CLOCK, policy=Bulkhead(concurrency=0, queue=0))
    connect = partial(dial, token=None, clock=CLOCK, spawn=tasks.spawn)
    upstream = Upstream("money", connect, clock=CLOCK, spawn=tasks.spawn)
    busy, first = await served(tmp_path, "busy", tasks, full)
    upstream.update([first])
    with pytest.raises(Overloaded, match="was refused"):
        await upstream.call(call(), repeatable=False)
    idle, second = await served(tmp_path, "idle", tasks)
    upstream.update([first, second])
    assert await upstream.call(call(), repeatable=False) == b"answer"
    await upstream.close()
    await busy.close()
    await idle.close()


async def test_a_replica_calls_what_its_token_says_and_nothing_else(tmp_path: Path, tasks: Tasks) -> None:
    issuer = Issuer(signing_key(tmp_path / "keys"), "shop/split", clock=CLOCK)
    verifier = Verifier(tmp_path / "keys" / PUBLIC, "shop/split", clock=CLOCK)
    token = issuer.replica("edge/0", hosts=(), may_call=frozenset({"pay"}))

    def verify(proof: bytes) -> Peer:
        identity = verifier.replica(proof)
        return Peer(identity.name, identity.may_call)

    server = Server(answer, verify, clock=CLOCK, spawn=tasks.spawn)
    endpoint = Endpoint(address=await server.start(f"unix:{tmp_path / 'money'}"), group="money")
    upstream = Upstream(
        "money", partial(dial, token=lambda: token, clock=CLOCK, spawn=tasks.spawn), clock=CLOCK, spawn=tasks.spawn
    )
    stranger = Upstream(
        "money", partial(dial, token=lambda: b"forged", clock=CLOCK, spawn=tasks.spawn), clock=CLOCK, spawn=tasks.spawn
    )
    upstream.update([endpoint])
    stranger.update([endpoint])
    assert await upstream.call(call(), repeatable=False) == b"answer"
    with pytest.raises(Denied):
        await upstream.call(call()._replace(method="stock.take"), repeatable=False)
    with pytest.raises(Denied):
        await stranger.call(call(), repeatable=False)
    await upstream.close()
    await stranger.close()
    await server.close()
