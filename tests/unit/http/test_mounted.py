"""Existing applications are found, told apart, started and stopped."""

from __future__ import annotations

import sys
import types
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from ramet.contract.mounted import Mounted
from ramet.errors import ConfigurationError
from ramet.http.clients import current_reach
from ramet.http.mounted import MountedApplication, interface_of, load
from ramet.tasks import Tasks
from tests.unit.http.asgi import ask


async def asgi(scope: Any, receive: Any, send: Any) -> None: ...
def wsgi(environ: Any, start_response: Any) -> list[bytes]: ...  # type: ignore[empty-body]  # only its signature matters
def neither(value: Any) -> None: ...


class AsgiObject:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


class OldAsgi:
    def __call__(self, scope: Any, receive: Any, send: Any) -> Any: ...


class WsgiObject:
    def __call__(self, environ: Any, start_response: Any, extra: int = 0) -> Any: ...


class Clients:
    def client_outside(self, cls: type[Any]) -> Any: ...


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    tasks = Tasks()
    yield tasks
    await tasks.stop()


@pytest.fixture
def legacy() -> Iterator[types.ModuleType]:
    module = types.ModuleType("legacy_module")
    sys.modules["legacy_module"] = module
    yield module
    del sys.modules["legacy_module"]


@pytest.mark.parametrize(
    ("app", "interface"),
    [(asgi, "asgi"), (AsgiObject(), "asgi"), (OldAsgi(), "asgi"), (wsgi, "wsgi"), (WsgiObject(), "wsgi")],
)
def test_the_interface_is_seen(app: Any, interface: str) -> None:
    assert interface_of(Mounted(name="x", app=app), app) == interface


def test_it_can_be_said_where_it_cannot_be_seen() -> None:
    with pytest.raises(ConfigurationError, match='say interface="asgi" or interface="wsgi"'):
        interface_of(Mounted(name="x", app=neither), neither)
    assert interface_of(Mounted(name="x", app=neither, interface="wsgi"), neither) == "wsgi"


def test_an_application_is_found_by_name(legacy: types.ModuleType) -> None:
    legacy.app = asgi  # type: ignore[attr-defined]  # a module made by the test
    legacy.make = lambda: wsgi  # type: ignore[attr-defined]  # as above
    assert load(Mounted(name="x", app="legacy_module:app")) is asgi
    assert load(Mounted(name="x", app="legacy_module:make()")) is wsgi


@pytest.mark.parametrize(
    ("app", "message"),
    [
        ("legacy_module", 'it is written as "package.module:name"'),
        ("no_such_module:app", "No module named 'no_such_module'"),
        ("legacy_module:nothing", 'legacy_module has no "nothing"'),
    ],
)
def test_what_is_not_there_is_said(legacy: types.ModuleType, app: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load(Mounted(name="x", app=app))


async def test_lifespan_state_root_path_and_clients(tasks: Tasks) -> None:
    told: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for kind in ("startup", "shutdown"):
                message = await receive()
                scope["state"]["db"] = "open"
                told.append((message["type"], current_reach.get() is not None))
                await send({"type": f"lifespan.{kind}.complete"})
            return
        told.append((scope["root_path"], scope["path"], scope["state"]["db"], current_reach.get() is not None))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    mounted = MountedApplication(Mounted(name="x", app=app, prefix="/old/"), spawn=tasks.spawn, clients=Clients())
    await mounted.startup()
    await ask(mounted, "GET", "/old/a")
    await mounted.shutdown()
    assert told == [
        ("lifespan.startup", True),
        ("/old", "/old/a", "open", True),
        ("lifespan.shutdown", True),
    ]
    assert current_reach.get() is None


async def test_an_application_without_a_lifespan_is_left_alone(tasks: Tasks) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise ValueError("only http")

    mounted = MountedApplication(Mounted(name="x", app=app), spawn=tasks.spawn, clients=Clients())
    await mounted.startup()
    await mounted.shutdown()


async def test_an_application_that_fails_to_start_is_named(tasks: Tasks) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    mounted = MountedApplication(Mounted(name="old", app=app), spawn=tasks.spawn, clients=Clients())
    with pytest.raises(ConfigurationError, match='"old" did not start: no database'):
        await mounted.startup()
