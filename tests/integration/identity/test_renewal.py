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
from tests.integration.supervisor.bakery import write_to

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
    write_to(tmp_path)
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
