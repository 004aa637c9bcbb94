"""Tokens are renewed before they expire, and connections end with theirs, without a request that fails."""

from __future__ import annotations

import asyncio
import os
import sys
from functools import partial
from pathlib import Path

import httpx

from ramet.clock import SystemClock
from ramet.contract.describe import describe
from ramet.contract.reading.application import read
from ramet.identity.grants import grants
from ramet.runtime.configuration import load, make_importable
from ramet.runtime.planning import place
from ramet.runtime.supervisor.supervisor import Setup, Supervisor
from ramet.transport.client import dial
from ramet.transport.options import TransportOptions
from tests.fresh import fresh

TOML = """
[application]
name = "bakery"
services = ["bakery"]

[deployment.split]
gateway = { listen = "127.0.0.1:0" }

[deployment.split.process.front]
services = ["counter"]

[deployment.split.process.back]
services = "*"
"""
CODE = """
from ramet import Api, Contract, command, get, query


class Ovens(Contract, version="1.0.0"):
    @query
    async def loaves(self) -> int: ...

    @command
    async def bake(self) -> int: ...


class OvensService(Ovens):
    async def loaves(self) -> int:
        return 12

    async def bake(self) -> int:
        return 13


class Counter(Api, prefix="/api", version="1.0.0"):
    ovens: Ovens

    @get("/baked")
    async def baked(self) -> int:
        return await self.ovens.bake()
"""
CLOCK = SystemClock()
TOKEN_SECONDS = 3.0
PATIENCE_SECONDS = 120.0


def setup_in(folder: Path) -> Setup:
    configuration = load(folder / "ramet.toml")
    make_importable(folder)
    declared = read(configuration.application)
    deployment = configuration.deployment("split")
    placement, problems = place(deployment, declared, configuration.place)
    assert not problems
    return Setup(
        application="bakery",
        folder=folder,
        deployment=deployment,
        placement=placement,
        show=lambda who, text: None,
        environment={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        grants=grants(describe(declared), placement.hosts),
        token_seconds=TOKEN_SECONDS,
    )


async def test_no_request_fails_while_tokens_are_renewed_and_connections_end_with_theirs(tmp_path: Path) -> None:
    (tmp_path / "bakery.py").write_text(CODE, encoding="utf-8")
    (tmp_path / "ramet.toml").write_text(TOML, encoding="utf-8")
    with fresh("bakery"):
        supervisor = Supervisor(setup_in(tmp_path))
        await supervisor.start()
        try:
            assert not await supervisor.settled()
            token = supervisor.folders.keys / "front-0.token"
            first = token.read_bytes()
            connect = partial(dial, clock=CLOCK, spawn=supervisor.tasks.spawn)
            endpoint = supervisor.keepers["back"].endpoints[0]
            watched = await connect(endpoint, token=lambda: first, options=TransportOptions(application="bakery"))
            answers: list[tuple[int, str]] = []
            async with asyncio.timeout(PATIENCE_SECONDS), httpx.AsyncClient(base_url=supervisor.url("front")) as http:
                while watched.usable:  # as the connection of the front is, which began with the same token
                    answer = await http.get("/api/baked")
                    answers.append((answer.status_code, answer.text))
                assert token.read_bytes() != first
                for _ in range(20):
                    answer = await http.get("/api/baked")
                    answers.append((answer.status_code, answer.text))
            assert set(answers) == {(200, "13")}
            await watched.close()
        finally:
            await supervisor.stop()
