"""One request on its way through an operation: its context, its limits, and what it was answered."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from msgspec import msgpack
from msgspec.structs import replace

from ramet.contract.operations import Route
from ramet.contract.web.request import Receive
from ramet.errors import InternalError
from ramet.http.headers import HeaderList, read_key
from ramet.http.inflight import Flight, InFlight
from ramet.http.operation.incoming import Incoming
from ramet.http.operation.responses import Send, send_whole
from ramet.http.problems import MEDIA_TYPE, Problem, problem_of
from ramet.http.refusals import InvalidRequest, Wrong
from ramet.http.surroundings import Answered, Surroundings
from ramet.http.tracing import parse_traceparent, request_id
from ramet.settings import seconds
from ramet.telemetry.context import Caller, Context, current_context
from ramet.telemetry.scope import Scope, Work, current_scope

log = logging.getLogger("ramet.http")
FOREVER = float("inf")


class Operation(Protocol):
    """What a call needs to know of its operation."""

    api: str
    name: str
    docs: str
    challenge: str
    route: Route
    around: Surroundings
    flights: InFlight
    deadline_seconds: float


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

    def __init__(self, endpoint: Operation, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        self.endpoint, self.scope, self.receive, self.send = endpoint, scope, receive, send
        around = endpoint.around
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.started = around.clock.monotonic()
        execution = trace = around.clock.id()
        self.parent: str | None = None
        self.flags = "01"
        if (header := self.headers.get(b"traceparent")) is not None and (
            given := parse_traceparent(header)
        ) is not None:
            trace, self.parent, self.flags = given
        deadline = self.started + endpoint.deadline_seconds
        self.context = Context(execution=execution, trace=trace, deadline=deadline, region=around.region)
        self.flight: Flight
        self.scope_token: Any = None
        self.incoming: Incoming | None = None
        self.status = 0
        self.begun = False
        self.error_id: str | None = None

    def known_as(self, caller: Caller) -> None:
        """The caller has been established."""
        sign = self.endpoint.around.sign
        self._replace(caller=caller, tenant=caller.tenant, proof="" if sign is None else sign(caller))

    def apply_timeout(self, text: bytes) -> None:
        """`X-Request-Timeout: 2s` makes the deadline earlier, never later."""
        try:
            wanted = seconds(float(given) if (given := text.decode("latin-1")).replace(".", "", 1).isdigit() else given)
        except ValueError as error:
            wrong = Wrong(place="header", name="x-request-timeout", message=str(error))
            raise InvalidRequest(errors=(wrong,)) from None
        if wanted < self.endpoint.deadline_seconds:
            self.flight.deadline = self.started + wanted
            self.endpoint.flights.watch(self.flight.deadline)
            self._replace(deadline=self.flight.deadline)

    def enter_scope(self, key: bytes, body: bytes) -> None:
        """Derive the keys of the commands that are called from the client's key, the caller and what is asked for.

        The same key with another path or body is another request, and never finds the answer to this one.
        """
        caller, operation = self.context.caller, self.endpoint.name
        who = (caller.tenant, caller.subject) if caller is not None else None
        read_key(key)
        asked = msgpack.encode((who, key, self.scope["path"], self.scope["query_string"], body))  # no two are alike
        whole = f"{operation}/{hashlib.sha256(asked).hexdigest()[:32]}"
        self.scope_token = current_scope.set(Scope(self.endpoint.api, Work.COMMAND, operation, whole))

    def own_headers(self) -> HeaderList:
        """The id of the request, its trace, and the end of the connection when the server closes."""
        context = self.context
        execution = context.execution
        given = self.headers.get(b"x-request-id")
        headers = [
            (b"x-request-id", execution.encode() if given is None else request_id(given, execution)),
            (b"traceparent", f"00-{context.trace}-{execution[16:]}-{self.flags}".encode()),
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

    def end_deadline(self) -> None:
        """What goes on from here, such as a stream, may take as long as it likes, and so may the calls it makes."""
        self.flight.deadline = FOREVER
        self._replace(deadline=FOREVER)

    def noticing(self) -> Send:
        """A `send` that notices when the answer begins: from then on the deadline is over."""

        async def send(message: Any) -> None:
            if not self.begun:
                self.end_deadline()
                self.begun, self.status = True, message["status"]
            await self.send(message)

        return send

    async def fail(self, error: BaseException) -> None:
        """Answer with the problem; when the answer has begun already, the connection is broken off instead."""
        body, problem = self._problem(error)
        if self.begun:
            raise error
        headers = [(b"content-type", MEDIA_TYPE), (b"content-length", b"%d" % len(body)), *problem.headers]
        if problem.status == 408:
            headers.append((b"connection", b"close"))
        await self.send_whole(problem.status, headers, body)

    def describe(self, error: Exception) -> bytes:
        """The problem as JSON, for a stream that fails on its way."""
        return self._problem(error)[0]

    def _problem(self, error: BaseException) -> tuple[bytes, Problem]:
        endpoint = self.endpoint
        problem = problem_of(error, error_id=self.context.execution, docs=endpoint.docs, challenge=endpoint.challenge)
        if problem.id is not None:
            self.error_id = problem.id
            told = isinstance(error, InternalError)  # by the callee, in its log, with the traceback
            log.error("%s failed; error id %s", endpoint.name, problem.id, exc_info=None if told else error)
        return problem.encode(), problem

    def report(self, answered: Callable[[Answered], None]) -> None:
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
