"""FastAPI and Django run unchanged beside an API, and use its contracts."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from ramet.clock import SystemClock
from ramet.contract.api import Api, get
from ramet.contract.mounted import Mounted
from ramet.http.application import HttpApplication
from ramet.http.mounted import MountedApplication
from ramet.http.server import HttpServer
from ramet.http.surroundings import Surroundings
from ramet.tasks import Tasks
from tests.integration.http.inventory import Clients

HERE = "tests.integration.http"


class Storefront(Api, prefix="/api"):
    @get("/hello")
    async def hello(self) -> str:
        return "hello"


MOUNTED = (
    Mounted(name="fastapi", app=f"{HERE}.legacy_fastapi:app"),
    Mounted(name="fastapi-below", app=f"{HERE}.legacy_fastapi:app", prefix="/fast"),
    Mounted(name="django", app=f"{HERE}.legacy_django:wsgi", prefix="/wsgi"),
    Mounted(name="django-asgi", app=f"{HERE}.legacy_django:asgi", prefix="/asgi"),
)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    tasks = Tasks()
    mounts = [MountedApplication(each, spawn=tasks.spawn, clients=Clients()) for each in MOUNTED]
    around = Surroundings(clock=SystemClock(), spawn=tasks.spawn)
    server = HttpServer(HttpApplication([(Storefront, Storefront())], mounts, around=around), port=0, spawn=tasks.spawn)
    await server.start()
    async with httpx.AsyncClient(base_url=server.url) as client:
        yield client
    await server.stop()
    await tasks.stop()


async def get_json(client: httpx.AsyncClient, path: str) -> object:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_api_and_what_is_mounted_answer_side_by_side(client: httpx.AsyncClient) -> None:
    assert await get_json(client, "/api/hello") == "hello"
    expected = {"number": 17, "path": "/items/17", "greeting": "hello, there are 3"}
    assert await get_json(client, "/items/17") == expected
    assert await get_json(client, "/fast/items/17") == {**expected, "path": "/fast/items/17"}


async def test_links_lead_back_below_the_prefix(client: httpx.AsyncClient) -> None:
    assert await get_json(client, "/fast/link") == "/fast/items/1"
    assert await get_json(client, "/link") == "/items/1"


@pytest.mark.parametrize("path", ["/stock/coffee", "/stock-in-a-thread/coffee", "/fast/stock/coffee"])
async def test_fastapi_calls_a_contract(client: httpx.AsyncClient, path: str) -> None:
    assert await get_json(client, path) == 6


@pytest.mark.parametrize("prefix", ["/wsgi", "/asgi"])
async def test_django_calls_a_contract(client: httpx.AsyncClient, prefix: str) -> None:
    expected = {"stock": 6, "path": f"{prefix}/stock/coffee/", "link": f"{prefix}/stock/x/"}
    assert await get_json(client, f"{prefix}/stock/coffee/") == expected


async def test_asynchronous_django_calls_a_contract(client: httpx.AsyncClient) -> None:
    assert await get_json(client, "/asgi/later/coffee/") == {"stock": 6}


@pytest.mark.parametrize("prefix", ["/wsgi", "/asgi"])
async def test_large_bodies_pass_through(client: httpx.AsyncClient, prefix: str) -> None:
    body = bytes(range(256)) * 4096
    answer = await client.post(f"{prefix}/echo/", content=body)
    assert answer.content == body


async def test_its_own_errors_stay_its_own(client: httpx.AsyncClient) -> None:
    answer = await client.get("/items/x")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/json")
