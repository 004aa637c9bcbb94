"""A client that speaks ASGI to an application directly, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ramet.clock import Clock, SystemClock
from ramet.contract.api import Api
from ramet.http.application import DEFAULTS, HttpApplication
from ramet.http.surroundings import HttpSettings, Surroundings
from ramet.tasks import Tasks


@dataclass
class Answer:
    """What the application sent."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    pieces: list[bytes] = field(default_factory=list)

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


@asynccontextmanager
async def served(
    *apis: Api,
    clock: Clock | None = None,
    settings: HttpSettings = DEFAULTS,
    mounts: Sequence[Any] = (),
    **around: Any,
) -> AsyncIterator[HttpApplication]:
    """An application with these APIs, started and stopped."""
    tasks = Tasks()
    surroundings = Surroundings(clock=clock or SystemClock(), spawn=tasks.spawn, **around)
    app = HttpApplication([(type(api), api) for api in apis], mounts, settings=settings, around=surroundings)
    await app.startup()
    try:
        yield app
    finally:
        await app.shutdown()
        await tasks.stop()


async def ask(
    app: Any,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    json: Any = None,
    body: bytes | Sequence[bytes] = b"",
    stay: asyncio.Event | None = None,
) -> Answer:
    """One request; `stay` is set when the client shall leave, otherwise it waits for the answer."""
    path, _, query = path.partition("?")
    given = {name.lower(): value for name, value in (headers or {}).items()}
    if json is not None:
        body = msgspec.json.encode(json)
        given.setdefault("content-type", "application/json")
    pieces = [body] if isinstance(body, bytes) else list(body)
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items()],
        "client": ("127.0.0.1", 50000),
        "scheme": "http",
        "root_path": "",
        "http_version": "1.1",
        "asgi": {"version": "3.0"},
    }
    answer = Answer()

    async def receive() -> Any:
        if pieces:
            return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}
        await (stay or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
        else:
            answer.pieces.append(message["body"])
            answer.body += message["body"]

    await app(scope, receive, send)
    return answer
