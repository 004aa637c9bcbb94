"""One operation: from the request to the answer, within its limits of size and time.

This is the way of every request, so it is straight: no middleware, no request object unless somebody asks for one, the
constant headers encoded beforehand, and the deadline kept by a sweeper instead of a timer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from ramet.contract.exchange import Answer, Paged, Receive, Request
from ramet.contract.routes import Route
from ramet.errors import DeadlineExceeded, Unauthenticated, Unavailable
from ramet.http import bodies
from ramet.http.binding import Binder
from ramet.http.incoming import Incoming
from ramet.http.inflight import Flight, InFlight
from ramet.http.problems import MEDIA_TYPE, challenge_of, problem_of
from ramet.http.refusals import BodyTooSlow, InvalidRequest, Wrong
from ramet.http.responses import HeaderList, Send, encode_json, json_headers, link_to_next, send_answer, send_whole
from ramet.http.streams import HEADERS as EVENT_HEADERS
from ramet.http.streams import EventSender
from ramet.http.surroundings import Answered, HttpSettings, Surroundings
from ramet.http.tracing import parse_traceparent, request_id
from ramet.settings import seconds
from ramet.telemetry.context import Context, current_context
from ramet.telemetry.scope import Scope, Work, current_scope

if TYPE_CHECKING:
    from ramet.contract.api import Api, ApiDeclaration

log = logging.getLogger("ramet.http")
FOREVER = float("inf")


class Endpoint:
    """Serves one route of one API's instance."""

    def __init__(
        self,
        api: ApiDeclaration,
        instance: Api,
        route: Route,
        settings: HttpSettings,
        around: Surroundings,
        flights: InFlight,
    ) -> None:
        self.route, self.settings, self.around, self.flights = route, settings, around, flights
        self.docs = f"{api.prefix}/docs"
        self.name, self.api = f"{api.name}.{route.name}", api.name
        self._method = getattr(instance, route.name)
        self._authenticate = instance.authenticate if api.authenticates else None
        self._challenge = challenge_of(api.security)
        self._bind = Binder(route)
        sources = {each.source for each in route.parameters}
        self._reads = "form" if route.form else "json" if "body" in sources else None
        self._wants_caller = any(each.source == "caller" and each.required for each in route.parameters)
        self._wants_request = "request" in sources or self._authenticate is not None
        self._deadline = settings.deadline_seconds if route.deadline is None else route.deadline
        self._limit = settings.max_body if route.max_body is None else route.max_body
        self._plain = route.result == "json" and not _is_paged(route.result_type)

    async def serve(self, scope: Mapping[str, Any], receive: Receive, send: Send, places: Mapping[str, str]) -> None:
        """Answer one request, whatever happens."""
        call = Call(self, scope, receive, send)
        flight = call.flight = self.flights.enter(call.context.deadline)
        token = current_context.set(call.context)
        try:
            await self._run(call, places)
        except asyncio.CancelledError:
            if not flight.overdue:
                raise
            if flight.task is not None:
                flight.task.uncancel()
            await call.fail(self._overdue(flight))
        except bodies.Disconnected:
            call.status = 499
        except Exception as error:  # every error becomes an answer; what is unexpected is logged there
            await call.fail(error)
        finally:
            self.flights.leave(flight)
            if call.scope_token is not None:
                current_scope.reset(call.scope_token)
            current_context.reset(token)
            if call.incoming is not None and call.incoming.form:
                bodies.close_form(call.incoming.form)
        if self.around.answered is not None:
            call.report(self.around.answered)

    async def _run(self, call: Call, places: Mapping[str, str]) -> None:
        incoming = call.incoming = Incoming(call.scope, call.headers, places)
        if self._wants_request:
            incoming.request = Request(call.scope, bodies.limited(call.receive, self._limit))
        if self._authenticate is not None:
            await self._identify(call, incoming)
        call.apply_timeout_header(self._deadline)
        if (key := call.headers.get(b"idempotency-key")) is not None:
            call.enter_scope(key)
        if self._reads is not None:
            await self._read(call, incoming)
        arguments = self._bind(incoming)
        if self.route.result == "events":
            await self._stream(call, arguments)
            return
        result = await self._method(**arguments)
        if self._plain:
            body = encode_json(result)
            await call.send_whole(self.route.status, json_headers(body), body)
        else:
            await self._send_other(call, result)

    async def _identify(self, call: Call, incoming: Incoming) -> None:
        caller = await self._authenticate(incoming.request)  # type: ignore[misc]  # asked for only where it is overridden
        if caller is not None:
            incoming.caller = caller
            call.known_as(caller)
        elif self._wants_caller:
            raise Unauthenticated("This operation is for callers who say who they are.")

    async def _read(self, call: Call, incoming: Incoming) -> None:
        bodies.check_length(call.headers, self._limit)
        flight = call.flight
        flight.reading = True
        if self._reads == "form":
            incoming.form = await bodies.read_form(call.receive, call.headers, self._limit)
        else:
            bodies.check_json(call.headers)
            request = incoming.request
            incoming.body = await (bodies.read_whole(call.receive, self._limit) if request is None else request.body())
        flight.reading = False

    async def _send_other(self, call: Call, result: Any) -> None:
        status = self.route.status
        if isinstance(result, Answer):
            call.flight.deadline = FOREVER
            call.begun = True
            call.status = await send_answer(call.send, result, status, call.own_headers(), call.scope)
        elif result is None and self.route.result in ("none", "answer"):
            await call.send_whole(status, [], b"")
        else:
            body = encode_json(result)
            links = link_to_next(result, call.scope) if isinstance(result, Paged) else []
            await call.send_whole(status, json_headers(body) + links, body)

    async def _stream(self, call: Call, arguments: dict[str, Any]) -> None:
        made = self._method(**arguments)
        events = made if hasattr(made, "__anext__") else await made
        sender = EventSender(
            clock=self.around.clock,
            spawn=self.around.spawn,
            closing=self.flights.closing,
            keep_alive_seconds=self.settings.keep_alive_seconds,
            describe=call.describe,
        )
        call.flight.deadline = FOREVER
        start = {
            "type": "http.response.start",
            "status": self.route.status,
            "headers": [*EVENT_HEADERS, *call.own_headers()],
        }
        await sender.run(events, call.receive, call.starting(start), start)

    def _overdue(self, flight: Flight) -> Exception:
        if self.flights.closing.is_set() and flight.deadline > self.around.clock.monotonic():
            return Unavailable("The server is closing.")
        return BodyTooSlow() if flight.reading else DeadlineExceeded("The time for the request was up.")

    def challenge(self) -> str:
        """What to say to who is not signed in."""
        return self._challenge


class Call:
    """One request on its way through an endpoint."""

    __slots__ = (
        "begun",
        "context",
        "endpoint",
        "error_id",
        "flags",
        "flight",
        "headers",
        "incoming",
        "parent",
        "receive",
        "scope",
        "scope_token",
        "send",
        "started",
        "status",
    )  # fmt: skip

    def __init__(self, endpoint: Endpoint, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        self.endpoint, self.scope, self.receive, self.send = endpoint, scope, receive, send
        around = endpoint.around
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.started = around.clock.monotonic()
        execution = around.clock.id()
        given = parse_traceparent(header) if (header := self.headers.get(b"traceparent")) is not None else None
        trace, self.parent, self.flags = given if given is not None else (execution, None, "01")
        self.context = Context(
            execution=execution, trace=trace, deadline=self.started + endpoint._deadline, region=around.region
        )
        self.flight: Flight
        self.scope_token: Any = None
        self.incoming: Incoming | None = None
        self.status = 0
        self.begun = False
        self.error_id: str | None = None

    def known_as(self, caller: Any) -> None:
        """The caller has been established."""
        self._replace(caller=caller, tenant=caller.tenant)

    def apply_timeout_header(self, longest: float) -> None:
        """`X-Request-Timeout: 2s` makes the deadline earlier, never later."""
        text = self.headers.get(b"x-request-timeout")
        if text is None:
            return
        try:
            wanted = seconds(float(given) if (given := text.decode("latin-1")).replace(".", "", 1).isdigit() else given)
        except ValueError as error:
            wrong = Wrong(place="header", name="x-request-timeout", message=str(error))
            raise InvalidRequest(errors=(wrong,)) from None
        if wanted < longest:
            self.flight.deadline = self.started + wanted
            self._replace(deadline=self.flight.deadline)

    def enter_scope(self, key: bytes) -> None:
        """Derive the keys of the commands that are called from the client's key, apart from those of other callers."""
        caller, operation = self.context.caller, self.endpoint.name
        whole = f"{operation}/{caller.subject if caller is not None else ''}/{key.decode('latin-1')}"
        self.scope_token = current_scope.set(Scope(self.endpoint.api, Work.COMMAND, operation, whole))

    def own_headers(self) -> HeaderList:
        """The id of the request, its trace, and the end of the connection when the server closes."""
        execution, flags = self.context.execution, self.flags
        headers = [
            (b"x-request-id", request_id(self.headers.get(b"x-request-id"), execution)),
            (b"traceparent", f"00-{self.context.trace}-{execution[16:]}-{flags}".encode()),
        ]
        if self.endpoint.flights.closing.is_set():
            headers.append((b"connection", b"close"))
        return headers

    async def send_whole(self, status: int, headers: HeaderList, body: bytes) -> None:
        """Answer in one piece; from here on the deadline is over."""
        self.flight.deadline = FOREVER
        self.begun, self.status = True, status
        headers += self.own_headers()
        await send_whole(self.send, status, headers, body)

    def starting(self, start: Any) -> Send:
        """A `send` that notices when the answer begins."""

        async def send(message: Any) -> None:
            self.begun, self.status = True, start["status"]
            await self.send(message)

        return send

    async def fail(self, error: BaseException) -> None:
        """Answer with the problem; when the answer has begun already, the connection is broken off instead."""
        body, problem = self._problem(error)
        if self.begun:
            raise error
        headers = [(b"content-type", MEDIA_TYPE), (b"content-length", b"%d" % len(body)), *problem.headers]
        if problem.status in (408, 413):
            headers.append((b"connection", b"close"))
        await self.send_whole(problem.status, headers, body)

    def describe(self, error: Exception) -> bytes:
        """The problem as JSON, for a stream that fails on its way."""
        return self._problem(error)[0]

    def _problem(self, error: BaseException) -> tuple[bytes, Any]:
        endpoint = self.endpoint
        problem = problem_of(error, error_id=self.context.execution, docs=endpoint.docs, challenge=endpoint.challenge())
        if problem.id is not None:
            self.error_id = problem.id
            log.error("%s failed; error id %s", endpoint.name, problem.id, exc_info=error)
        return problem.encode(), problem

    def report(self, answered: Any) -> None:
        """Tell the runtime how it ended."""
        endpoint = self.endpoint
        answered(
            Answered(
                api=endpoint.api,
                operation=endpoint.name,
                method=self.scope["method"],
                path=endpoint.route.path,
                status=self.status,
                seconds=endpoint.around.clock.monotonic() - self.started,
                context=self.context,
                parent=self.parent,
                error_id=self.error_id,
            )
        )

    def _replace(self, **changes: Any) -> None:
        self.context = replace(self.context, **changes)
        current_context.set(self.context)


def _is_paged(hint: Any) -> bool:
    return getattr(hint, "__origin__", hint) is Paged
