"""The ASGI application: finds the operation for a request, or the mounted application, or says that there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ramet.contract.api import Api, api_declaration
from ramet.contract.problems import Problem
from ramet.contract.reading.routes import resolve_routes
from ramet.contract.web.request import Receive
from ramet.errors import DeclarationError, Refusal
from ramet.http.cors import CorsRules
from ramet.http.documentation import documentation
from ramet.http.headers import HeaderList
from ramet.http.inflight import InFlight
from ramet.http.operation.endpoint import Endpoint
from ramet.http.operation.responses import Send, send_whole
from ramet.http.probes import Probe
from ramet.http.problems import MEDIA_TYPE, problem_of
from ramet.http.refusals import MethodNotAllowed, NoSuchPath
from ramet.http.router import Router
from ramet.http.surroundings import HttpSettings, Surroundings

Scope = dict[str, Any]
FOREVER = float("inf")
DEFAULTS = HttpSettings()


class Target(Protocol):
    """What answers a request."""

    async def serve(self, scope: Scope, receive: Receive, send: Send, places: Mapping[str, str], /) -> None: ...


class Mount(Protocol):
    """An application that answers everything at and below a prefix ("" for all)."""

    prefix: str

    async def startup(self) -> None: ...
    async def shutdown(self) -> None: ...
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


class HttpApplication:
    """Everything that a process answers over HTTP. It speaks ASGI, so any ASGI server can carry it."""

    def __init__(
        self,
        apis: Sequence[tuple[type[Api], Api]],
        mounts: Sequence[Mount] = (),
        *,
        settings: HttpSettings = DEFAULTS,
        around: Surroundings,
    ) -> None:
        self.flights = InFlight(around.clock, around.spawn)
        self._around = around
        self._router: Router[Target] = Router()
        self._mounts = tuple(sorted(mounts, key=lambda mount: len(mount.prefix), reverse=True))
        self._cors = CorsRules(settings.cors) if settings.cors is not None else None
        self._docs: list[str] = []
        self._add_probes()
        problems: list[Problem] = []
        for cls, instance in apis:
            problems.extend(self._add(cls, instance, settings))
        if problems:
            raise DeclarationError(sorted(problems))

    async def startup(self) -> None:
        """Start what is mounted."""
        for mount in self._mounts:
            await mount.startup()

    async def drain(self, grace_seconds: float) -> bool:
        """Say at /readyz that we are going, end the streams, finish what is in flight; False if that took too long."""
        return await self.flights.drain(grace_seconds)

    async def shutdown(self) -> None:
        """Stop what is mounted."""
        self.flights.stop()
        for mount in reversed(self._mounts):
            await mount.shutdown()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._other(scope, receive, send)
            return
        if self._cors is not None:
            if (preflight := self._cors.preflight(scope)) is not None:
                await send_whole(send, 204, preflight, b"")
                return
            send = _with_headers(send, self._cors.headers(scope))
        method, path = scope["method"], scope["path"]
        found = self._router.find(method, path)
        if found is not None:
            target, places = found
            await target.serve(scope, receive, send if method != "HEAD" else _without_body(send), places)
            return
        allowed = self._router.allowed(path)
        if allowed and method == "OPTIONS":
            await send_whole(send, 204, [_allow(allowed)], b"")
        elif (mount := self._mount_at(path)) is not None:
            await self._forward(mount, scope, receive, send)
        else:
            await _nothing(scope, send, allowed, self._hint(path))

    def _hint(self, path: str) -> str:
        """Where somebody may find what is not at this path."""
        if path != "/" and path.endswith("/") and self._router.allowed(path.rstrip("/")):
            return f": leave the slash at its end out, {path.rstrip('/')} is there"
        return f": see {' and '.join(self._docs)}" if self._docs else ""

    def _add_probes(self) -> None:
        self._router.add("GET", "/healthz", Probe(self._around.healthy))
        self._router.add("GET", "/readyz", Probe(self._around.ready, draining=self.flights))

    def _add(self, cls: type[Api], instance: Api, settings: HttpSettings) -> Sequence[Problem]:
        api = api_declaration(cls)
        routes, problems = resolve_routes(cls)
        if problems:
            return problems
        if settings.docs:
            place = api.prefix if self._router.find("GET", f"{api.prefix}/docs") is None else f"{api.prefix}/{api.name}"
            for name, page in documentation(api, routes).items():
                self._router.add("GET", f"{place}/{name}", page)
            self._docs.append(f"{place}/docs")
        for route in routes:
            self._router.add(
                route.method, route.path, Endpoint(api, instance, route, settings, self._around, self.flights)
            )
        return ()

    def _mount_at(self, path: str) -> Mount | None:
        for mount in self._mounts:
            if not mount.prefix or path == mount.prefix or path.startswith(mount.prefix + "/"):
                return mount
        return None

    async def _forward(self, mount: Mount, scope: Scope, receive: Receive, send: Send) -> None:
        flight = self.flights.enter(FOREVER)
        try:
            await mount(scope, receive, send)
        finally:
            self.flights.leave(flight)

    async def _other(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif (mount := self._mount_at(scope["path"])) is not None:
            await self._forward(mount, scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1000})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        await self.startup()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.shutdown()
        await send({"type": "lifespan.shutdown.complete"})


def _with_headers(send: Send, extra: HeaderList) -> Send:
    async def adding(message: Any) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *extra]
        await send(message)

    return adding if extra else send


def _without_body(send: Send) -> Send:
    async def headers_only(message: Any) -> None:
        if message["type"] != "http.response.body":
            await send(message)
        elif not message.get("more_body", False):
            await send({"type": "http.response.body", "body": b""})

    return headers_only


def _allow(methods: tuple[str, ...]) -> tuple[bytes, bytes]:
    return b"allow", ", ".join((*methods, "OPTIONS")).encode()


async def _nothing(scope: Scope, send: Send, allowed: tuple[str, ...], hint: str) -> None:
    refusal: Refusal = NoSuchPath(path=scope["path"], hint=hint)
    headers = []
    if allowed:
        refusal, headers = MethodNotAllowed(method=scope["method"], allowed=allowed), [_allow(allowed)]
    problem = problem_of(refusal, error_id="")
    body = problem.encode()
    headers += [(b"content-type", MEDIA_TYPE), (b"content-length", b"%d" % len(body))]
    await send_whole(send if scope["method"] != "HEAD" else _without_body(send), problem.status, headers, body)
