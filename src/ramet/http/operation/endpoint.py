"""One operation: from the request to the answer, within its limits of size and time.

This is the way of every request, so it is straight: no middleware, no request object unless somebody asks for one, the
constant headers encoded beforehand, and the deadline kept by an alarm that all share.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from ramet.contract.calling import cut_off
from ramet.contract.operations import Route
from ramet.contract.web.pages import Paged
from ramet.contract.web.request import Receive, Request
from ramet.contract.web.responses import Response
from ramet.errors import DeadlineExceeded, Unauthenticated, Unavailable
from ramet.http.headers import JSON, json_headers
from ramet.http.inflight import Flight, InFlight
from ramet.http.operation import bodies
from ramet.http.operation.binding import Binder
from ramet.http.operation.call import FOREVER, Call
from ramet.http.operation.incoming import Incoming
from ramet.http.operation.responses import Send, encode_json, link_to_next, send_answer
from ramet.http.operation.streams import HEADERS as EVENT_HEADERS
from ramet.http.operation.streams import EventSender
from ramet.http.problems import challenge_of
from ramet.http.refusals import BodyTooSlow
from ramet.http.surroundings import HttpSettings, Surroundings
from ramet.tasks import is_ending
from ramet.telemetry.context import Caller, current_context
from ramet.telemetry.scope import current_scope

if TYPE_CHECKING:
    from ramet.contract.api import Api, ApiDeclaration


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
        self.challenge = challenge_of(api.security)
        self._bind = Binder(route)
        sources = {each.source for each in route.parameters}
        self._reads = "form" if route.form else "json" if "body" in sources else None
        self._wants_caller = any(each.source == "caller" and each.required for each in route.parameters)
        self._wants_request = "request" in sources or self._authenticate is not None
        self.deadline_seconds = settings.deadline_seconds if route.deadline is None else route.deadline
        self._limit = settings.max_body if route.max_body is None else route.max_body
        self._status = route.status
        self._plain = route.result == "json" and not _is_paged(route.result_type)

    async def serve(self, scope: Mapping[str, Any], receive: Receive, send: Send, places: Mapping[str, str]) -> None:
        """Answer one request, whatever happens."""
        call = Call(self, scope, receive, send)
        flight = call.flight = self.flights.enter(call.context.deadline)
        token = current_context.set(call.context)
        try:
            await self._run(call, places)
        except asyncio.CancelledError as error:
            if flight.overdue and flight.task is not None:
                flight.task.uncancel()
            elif is_ending():
                raise
            await call.fail(self._overdue(flight, error) if flight.overdue else error)
        except bodies.Disconnected:
            call.status = 499
        except Exception as error:  # noqa: BLE001 - every error becomes an answer; what is unexpected is logged there
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
            await self._identify(call, incoming, self._authenticate)
        if (timeout := call.headers.get(b"x-request-timeout")) is not None:
            call.apply_timeout(timeout)
        if self._reads is not None:
            await self._read(call, incoming)
        if (key := call.headers.get(b"idempotency-key")) is not None:
            call.enter_scope(key, incoming.body)
        arguments = self._bind(incoming)
        if self.route.result == "events":
            await self._stream(call, arguments)
            return
        result = await self._method(**arguments)
        if self._plain:
            body = encode_json(result)
            headers = [JSON, (b"content-length", b"%d" % len(body)), *call.own_headers()]
            call.flight.deadline, call.begun, call.status = FOREVER, True, self._status
            await call.send({"type": "http.response.start", "status": self._status, "headers": headers})
            await call.send({"type": "http.response.body", "body": body})
        else:
            await self._send_other(call, result)

    async def _identify(
        self, call: Call, incoming: Incoming, authenticate: Callable[..., Awaitable[Caller | None]]
    ) -> None:
        caller = await authenticate(incoming.request)
        if caller is not None:
            incoming.caller = caller
            call.known_as(caller)
        elif self._wants_caller:
            raise Unauthenticated("This operation is for callers who say who they are.")

    async def _read(self, call: Call, incoming: Incoming) -> None:
        bodies.check_head(call.headers, self._limit)
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
        if isinstance(result, Response):
            await send_answer(call.noticing(), result, status, call.own_headers(), call.scope)
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
        call.end_deadline()
        start = {
            "type": "http.response.start",
            "status": self.route.status,
            "headers": [*EVENT_HEADERS, *call.own_headers()],
        }
        if call.scope["method"] == "HEAD":
            await call.send(start)
            await call.send({"type": "http.response.body", "body": b""})
            return
        await sender.run(events, call.receive, call.noticing(), start)

    def _overdue(self, flight: Flight, cancelled: asyncio.CancelledError) -> Exception:
        if self.flights.closing.is_set() and flight.deadline > self.around.clock.monotonic():
            return cut_off(cancelled, Unavailable("The server is closing."))
        if flight.reading:
            return BodyTooSlow()
        return cut_off(cancelled, DeadlineExceeded("The time for the request was up."))


def _is_paged(hint: Any) -> bool:
    return getattr(hint, "__origin__", hint) is Paged
