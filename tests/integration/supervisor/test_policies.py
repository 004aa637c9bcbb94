"""What ramet.toml says of calls and requests holds between real processes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.cli.deployment import PATIENCE_SECONDS, Up
from tests.integration.supervisor.bakery import reachable

TOML = """
[application]
name = "bakery"
services = ["bakery"]

[deployment.split]
storage = "postgresql://127.0.0.1:1"
gateway = { listen = "127.0.0.1:0" }

[deployment.split.http]
max_body_bytes = 64
docs = false

[deployment.split.policy."ovens.quickest"]
hedging = true

[deployment.split.policy."grill.roast"]
concurrency = 1
queue = 0
attempts = 1

[deployment.split.policy."grill.never"]
deadline_seconds = 0.2

[deployment.split.process.front]
services = ["counter"]

[deployment.split.process.back]
services = ["ovens"]
replicas = 2

[deployment.split.process.rest]
services = "*"
"""
CODE = """
import asyncio
import os
from pathlib import Path

from ramet import Api, Contract, Struct, get, post, query


class Ovens(Contract, version="1.0.0"):
    @query
    async def quickest(self) -> str: ...


class OvensService(Ovens):
    async def quickest(self) -> str:
        try:
            os.open("taken", os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            return "the other"
        await asyncio.Event().wait()


class Grill(Contract, version="1.0.0"):
    @query
    async def roast(self) -> str: ...

    @query
    async def ring(self) -> None: ...

    @query
    async def never(self) -> str: ...


class GrillService(Grill):
    async def startup(self) -> None:
        self.bell = asyncio.Event()

    async def roast(self) -> str:
        Path("begun").touch()
        await self.bell.wait()
        return "roasted"

    async def ring(self) -> None:
        self.bell.set()

    async def never(self) -> str:
        await asyncio.Event().wait()


class Note(Struct):
    text: str


class Counter(Api, prefix="/api", version="1.0.0"):
    ovens: Ovens
    grill: Grill

    @get("/quickest")
    async def quickest(self) -> str:
        return await self.ovens.quickest()

    @get("/roast")
    async def roast(self) -> str:
        return await self.grill.roast()

    @get("/ring")
    async def ring(self) -> None:
        await self.grill.ring()

    @get("/never")
    async def never(self) -> str:
        return await self.grill.never()

    @post("/notes")
    async def note(self, note: Note) -> None: ...
"""


@pytest.fixture
def bakery() -> Iterator[Path]:
    with reachable(TOML, CODE) as folder:
        yield folder


def code_of(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()["code"]


@pytest.mark.needs("postgresql")
def test_limits_hedges_and_bulkheads_are_those_of_the_deployment(bakery: Path) -> None:
    with Up(bakery, "split", "--engines", "--no-reload") as process, ThreadPoolExecutor() as pool:
        with httpx.Client(base_url=process.ready()["url"], timeout=PATIENCE_SECONDS) as http:
            # One of two replicas hangs: the query is sent to the other as well.
            assert http.get("/api/quickest").json() == "the other"
            assert (bakery / "taken").exists()

            # The only place is taken, and nobody may wait.
            roasting = pool.submit(http.get, "/api/roast")
            while not (bakery / "begun").exists():
                pass
            assert code_of(http.get("/api/roast")) == (503, "overloaded")
            http.get("/api/ring")
            assert roasting.result().json() == "roasted"

            # A method's own deadline, the size of a body, and pages that are not shown.
            assert code_of(http.get("/api/never")) == (504, "deadline-exceeded")
            assert code_of(http.post("/api/notes", json={"text": "x" * 100})) == (413, "body-too-large")
            assert http.post("/api/notes", json={"text": "x"}).status_code == 204
            assert http.get("/api/docs").status_code == 404
        assert process.stop() == 0
