"""The application finds who answers, and says so when nobody does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ramet.contract.api import Api, get, post
from ramet.errors import DeclarationError
from ramet.http.surroundings import Cors, HttpSettings
from tests.unit.http.asgi import ask, served


class Shop(Api, prefix="/api", version="2.1.0"):
    """Sells things."""

    @get("/items/{number}")
    async def item(self, number: int) -> int:
        return number

    @post("/items/{number}")
    async def change(self, number: int) -> int:
        return number


class Legacy:
    """A mounted application that says where it was reached."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    async def startup(self) -> None: ...
    async def shutdown(self) -> None: ...

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": f"{self.prefix}:{scope['path']}".encode()})


async def test_nothing_is_a_problem_too() -> None:
    async with served(Shop()) as app:
        answer = await ask(app, "GET", "/nowhere")
    assert (answer.status, answer.json["code"]) == (404, "no-such-path")
    assert answer.json["detail"] == "There is nothing at /nowhere: see /api/docs."


async def test_a_slash_too_many_is_named() -> None:
    async with served(Shop()) as app:
        answer = await ask(app, "GET", "/api/items/1/")
    assert (
        answer.json["detail"]
        == "There is nothing at /api/items/1/: leave the slash at its end out, /api/items/1 is there."
    )


async def test_a_method_that_is_not_answered() -> None:
    async with served(Shop()) as app:
        answer = await ask(app, "DELETE", "/api/items/1")
        options = await ask(app, "OPTIONS", "/api/items/1")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, POST, OPTIONS")
    assert (options.status, options.headers["allow"]) == (204, "GET, HEAD, POST, OPTIONS")


async def test_head_is_get_without_its_body() -> None:
    async with served(Shop()) as app:
        answer = await ask(app, "HEAD", "/api/items/17")
    assert (answer.status, answer.headers["content-length"], answer.body) == (200, "2", b"")


async def test_what_is_mounted_answers_the_rest() -> None:
    async with served(Shop(), mounts=(Legacy(""), Legacy("/old"))) as app:
        paths = ("/", "/old", "/old/x", "/older", "/api/items/17", "/api/other")
        found = [(await ask(app, "GET", path)).body.decode() for path in paths]
        also = await ask(app, "PUT", "/api/items/1")
    assert found == [":/", "/old:/old", "/old:/old/x", ":/older", "17", ":/api/other"]
    assert also.body == b":/api/items/1"


async def test_probes() -> None:
    wrong: dict[str, str] = {}

    async def check() -> Mapping[str, str]:
        return wrong

    async with served(Shop(), healthy=check, ready=check) as app:
        assert (await ask(app, "GET", "/healthz")).json == {"status": "ok"}
        wrong["inventory"] = "its database does not answer"
        answer = await ask(app, "GET", "/readyz")
        wrong.clear()
        await app.drain(0.0)
        closing = await ask(app, "GET", "/readyz")
        alive = await ask(app, "GET", "/healthz")
    assert (answer.status, answer.json["wrong"]) == (503, {"inventory": "its database does not answer"})
    assert (closing.status, alive.status) == (503, 200)


async def test_a_check_that_fails_is_an_answer() -> None:
    async def check() -> Mapping[str, str]:
        raise OSError("secret")

    async with served(Shop(), ready=check) as app:
        answer = await ask(app, "GET", "/readyz")
    assert (answer.status, answer.json["wrong"]) == (503, {"check": "OSError"})


async def test_the_documentation_is_served_where_it_is_wanted() -> None:
    async with served(Shop()) as app:
        document = await ask(app, "GET", "/api/openapi.json")
        page = await ask(app, "GET", "/api/docs")
    assert document.json["info"] == {"title": "Shop", "version": "2.1.0", "description": "Sells things."}
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert b"http://" not in page.body.replace(b"http://www.w3.org/2000/svg", b"")
    async with served(Shop(), settings=HttpSettings(docs=False)) as app:
        assert (await ask(app, "GET", "/api/docs")).status == 404


async def test_other_origins_are_let_in_where_they_are_named() -> None:
    settings = HttpSettings(cors=Cors(origins=("https://shop.example",)))
    ask_first = {"access-control-request-method": "POST", "access-control-request-headers": "x-a"}
    async with served(Shop(), settings=settings) as app:
        good = await ask(app, "GET", "/api/items/1", headers={"origin": "https://shop.example"})
        bad = await ask(app, "GET", "/api/items/1", headers={"origin": "https://evil.example"})
        preflight = await ask(app, "OPTIONS", "/api/items/1", headers={"origin": "https://shop.example", **ask_first})
        refused = await ask(app, "OPTIONS", "/api/items/1", headers={"origin": "https://evil.example", **ask_first})
    assert good.headers["access-control-allow-origin"] == "https://shop.example"
    assert "access-control-allow-origin" not in bad.headers
    assert preflight.headers["access-control-allow-headers"] == "x-a"
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert "access-control-allow-origin" not in refused.headers


async def test_every_origin() -> None:
    async with served(Shop(), settings=HttpSettings(cors=Cors(origins=("*",)))) as app:
        answer = await ask(app, "GET", "/api/items/1", headers={"origin": "https://a.example"})
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_mistakes_in_declarations_are_all_reported() -> None:
    class Wrong(Api):
        @get("/a/{number}")
        async def one(self) -> None: ...

        @get("/b")
        async def two(self, value) -> None: ...  # type: ignore[no-untyped-def]  # that is the mistake

    with pytest.raises(DeclarationError) as caught:
        async with served(Wrong()):
            pass
    assert len(caught.value.problems) == 2


async def test_a_server_may_drive_the_lifespan() -> None:
    sent: list[str] = []
    messages = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive() -> Any:
        return {"type": next(messages)}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    async with served(Shop()) as app:
        await app({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
