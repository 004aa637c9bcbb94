"""A user travels through calls, handlers and sagas of several processes, and none of them can invent or alter one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from ramet.clock import SystemClock
from ramet.errors import Denied
from ramet.identity.callers import LATE_SECONDS, CallerSigner
from ramet.identity.keys import make_keys
from ramet.tasks import Tasks
from ramet.telemetry.context import Caller, Context
from ramet.testing.processes import InProcesses
from ramet.transport.base import Call, Channel
from ramet.transport.client import dial
from ramet.transport.options import TransportOptions

pytestmark = pytest.mark.needs("nats")
PATIENCE_SECONDS = 60.0
CLOCK = SystemClock()
ADMIN = Caller(subject="root", tenant="acme", roles=frozenset({"admin"}))
ANN = "ann of acme, ['smith']"


async def eventually(client: httpx.AsyncClient, count: int) -> list[str]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(found := (await client.get("/api/notes")).json()) < count:
            await CLOCK.sleep(0.02)
    return list(found)


@pytest.fixture
async def http(guild: InProcesses) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=guild.prefixes["/api"], timeout=PATIENCE_SECONDS) as client:
        yield client


class Intruder:
    """Somebody who has taken over a group: its token is good, and it may call `orders`."""

    def __init__(self, guild: InProcesses, group: str, spawn: Tasks) -> None:
        self.keys = guild.supervisor.folders.keys
        self.group = group
        self.name = guild.supervisor.setup.application
        self.issuer = f"{self.name}/{guild.supervisor.setup.deployment.name}"
        self._endpoint = guild.supervisor.keepers["rest"].endpoints[0]
        self._tasks = spawn
        self.channel: Channel

    async def connect(self) -> None:
        token = (self.keys / f"{self.group}-0.token").read_bytes()
        options = TransportOptions(application=self.name, name=self.group)
        self.channel = await dial(
            self._endpoint, token=lambda: token, clock=CLOCK, spawn=self._tasks.spawn, options=options
        )

    async def ask(self, **context: object) -> bytes:
        """On whose behalf `orders` is called, as those behind it see it."""
        if "proof" in context:
            context.setdefault("caller", ADMIN)
        deadline = CLOCK.monotonic() + PATIENCE_SECONDS
        whole = Context(execution=CLOCK.id(), trace=CLOCK.id(), deadline=deadline, **context)  # type: ignore[arg-type]  # as the test says
        return await self.channel.call(Call("orders.user", b"\x90", whole))


@pytest.fixture
async def money(guild: InProcesses) -> AsyncIterator[Intruder]:
    async with intruding(guild, "money") as one:
        yield one


@asynccontextmanager
async def intruding(guild: InProcesses, group: str) -> AsyncIterator[Intruder]:
    tasks = Tasks()
    one = Intruder(guild, group, tasks)
    await one.connect()
    yield one
    await one.channel.close()
    await tasks.stop()


async def test_a_user_travels_through_calls_handlers_and_sagas(http: httpx.AsyncClient) -> None:
    assert (await http.post("/api/orders/one", headers={"x-user": "ann"})).status_code == 204
    assert await eventually(http, 3) == [f"call: {ANN}", f"handler: {ANN}", f"saga: {ANN}"]
    assert (await http.get("/api/user", headers={"x-user": "ann"})).json() == ANN
    assert (await http.get("/api/user")).json() == "nobody"


async def test_a_process_with_a_good_token_of_its_own_cannot_invent_a_user(money: Intruder, tmp_path: Path) -> None:
    assert b"nobody" in await money.ask()
    with pytest.raises(Denied, match="money/0 speaks for the user root without a proof"):
        await money.ask(caller=ADMIN)
    with pytest.raises(Denied, match="money/0 speaks for a tenant without a proof"):
        await money.ask(tenant="acme")

    own = CallerSigner.of(_made(tmp_path), money.issuer, clock=CLOCK)
    with pytest.raises(Denied, match=r"signed with a key that .* does not know"):
        await money.ask(proof=own(ADMIN))
    deployment = CallerSigner.of(money.keys, money.issuer, clock=CLOCK)
    with pytest.raises(Denied, match=r"signed with a key that .* does not know"):
        await money.ask(proof=deployment(ADMIN))
    with pytest.raises(Denied, match=r"signed with a key that .* does not know"):
        await money.ask(proof=(money.keys / "money-0.token").read_text())


async def test_what_it_was_shown_it_can_neither_alter_nor_show_elsewhere_nor_for_ever(
    money: Intruder, guild: InProcesses
) -> None:
    proof = CallerSigner.of(money.keys / "callers", money.issuer, clock=CLOCK)(ADMIN)
    assert b"root of acme" in await money.ask(proof=proof, caller=Caller(subject="else"), tenant="other")
    head, body, signature = proof.split(".")
    for altered in (f"{head}.{body[:-4]}AAAA.{signature}", f"{head}.{body}.", proof[:-9], f"{head}.{body}"):
        with pytest.raises(Denied, match="without a good proof"):
            await money.ask(proof=altered)
    elsewhere = CallerSigner.of(money.keys / "callers", "guild/production", clock=CLOCK)
    with pytest.raises(Denied, match="of another deployment"):
        await money.ask(proof=elsewhere(ADMIN))
    long_ago = CallerSigner.of(money.keys / "callers", money.issuer, clock=Past(LATE_SECONDS + 3600))
    with pytest.raises(Denied, match=r"root has expired .* s ago"):
        await money.ask(proof=long_ago(ADMIN))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while guild.supervisor.folders.log("rest").read_text().count("orders.user was denied to money/0") < 6:
            await CLOCK.sleep(0.02)


async def test_only_those_who_work_on_after_a_request_may_speak_for_its_user_then(guild: InProcesses) -> None:
    async with intruding(guild, "edge") as edge, intruding(guild, "money") as money:
        an_hour_ago = CallerSigner.of(money.keys / "callers", money.issuer, clock=Past(3600))
        assert b"root of acme" in await money.ask(proof=an_hour_ago(ADMIN))
        with pytest.raises(Denied, match=r"edge/0 speaks for a user without a good proof: .* has expired"):
            await edge.ask(proof=an_hour_ago(ADMIN))


class Past(SystemClock):
    """Some time ago."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def time(self) -> float:
        return super().time() - self._seconds


def _made(folder: Path) -> Path:
    make_keys(folder / "own")
    return folder / "own"
