"""Contracts over HTTP: `POST /<contract>/<method>` with JSON, for callers in other languages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from ramet.clock import Clock
from ramet.contract.codec import MethodCodec
from ramet.contract.declared import DeclaredContract
from ramet.contract.web.request import Receive
from ramet.errors import DeadlineExceeded, Denied, InvalidArguments, NotFound, Unauthenticated
from ramet.http.headers import json_headers, read_key
from ramet.http.operation.bodies import Disconnected, check_head, read_whole
from ramet.http.operation.responses import Send, send_whole
from ramet.http.problems import MEDIA_TYPE, problem_of
from ramet.http.surroundings import HttpSettings
from ramet.http.tracing import parse_traceparent
from ramet.identity.grants import denial
from ramet.telemetry.context import Context, current_context
from ramet.transport.base import Call, Peer, Serve

TIMEOUT, KEY = b"ramet-timeout", b"idempotency-key"
LONGEST_SECONDS = 300.0
DEFAULTS = HttpSettings()
_object = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(frozen=True, kw_only=True)
class _Method:
    codec: MethodCodec
    contract: str
    name: str


class ContractCalls:
    """An ASGI application in front of what answers calls from other processes.

    `DELETE` with an Idempotency-Key withdraws the key of a command. `verify` says who holds a bearer token (raises:
    Unauthenticated); None lets everybody in, which is for loopback and tests. A caller may call what it is entitled to.
    """

    def __init__(
        self,
        contracts: Iterable[DeclaredContract],
        answer: Serve,
        *,
        clock: Clock,
        verify: Callable[[bytes], Peer] | None,
        prefix: str = "",
        settings: HttpSettings = DEFAULTS,
    ) -> None:
        self.prefix = prefix
        self._answer = answer
        self._clock = clock
        self._verify = verify
        self._deadline = settings.deadline_seconds
        self._max_body = settings.max_body
        self._methods = {
            f"{prefix}/{contract.name}/{name}": _Method(
                codec=MethodCodec(method), contract=contract.name, name=f"{contract.name}.{name}"
            )
            for contract in contracts
            for name, method in contract.methods.items()
        }

    async def startup(self) -> None:
        """There is nothing to start."""

    async def shutdown(self) -> None:
        """There is nothing to stop."""

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request; whatever goes wrong is a problem (RFC 9457)."""
        try:
            status, body = await self._respond(scope, receive)
        except Disconnected:
            return
        except Exception as error:  # noqa: BLE001 - every error is an answer; what was unexpected has an id in the log
            problem = problem_of(error, error_id=self._clock.id())
            body = problem.encode()
            headers = [(b"content-type", MEDIA_TYPE), (b"content-length", b"%d" % len(body)), *problem.headers]
            await send_whole(send, problem.status, headers, body)
        else:
            await send_whole(send, status, json_headers(body) if body else [], body)

    async def _respond(self, scope: Mapping[str, Any], receive: Receive) -> tuple[int, bytes]:
        headers = dict(scope["headers"])
        method = self._methods.get(scope["path"])
        peer = self._peer(headers)
        if method is None or scope["method"] not in {"POST", "DELETE"}:
            raise NotFound(f"There is no {scope['method']} {scope['path']} here: POST /<contract>/<method>.")
        if peer.may_call is not None and method.contract not in peer.may_call:
            raise Denied(denial(peer.name, method.contract))
        context = self._context(headers)
        key = f"{peer.name}/{read_key(headers[KEY])}" if KEY in headers else None  # others may use the same one
        if scope["method"] == "DELETE":
            await self._ask(method, Call(method.name, b"", context, key, withdraw=True), peer)
            return 204, b""
        check_head(headers, self._max_body)
        arguments = _arguments(method, await read_whole(receive, self._max_body))
        answer = await self._ask(method, Call(method.name, arguments, context, key), peer)
        return 200, msgspec.json.encode(method.codec.decode_answer(answer))

    def _peer(self, headers: Mapping[bytes, bytes]) -> Peer:
        if self._verify is None:
            return Peer("anybody")
        kind, _, token = headers.get(b"authorization", b"").partition(b" ")
        if kind.lower() != b"bearer" or not token:
            raise Unauthenticated("A call needs a token: Authorization: Bearer <token>.")
        return self._verify(token.strip())

    def _context(self, headers: Mapping[bytes, bytes]) -> Context:
        execution = self._clock.id()
        trace = parse_traceparent(headers.get(b"traceparent", b""))
        deadline = self._clock.monotonic() + _timeout(headers.get(TIMEOUT), self._deadline)
        return Context(execution=execution, trace=trace.trace if trace else execution, deadline=deadline)

    async def _ask(self, method: _Method, call: Call, peer: Peer) -> bytes:
        token = current_context.set(call.context)
        left = call.context.deadline - self._clock.monotonic()
        try:
            async with asyncio.timeout(left):
                answer = await self._answer(call, peer)
        except TimeoutError as error:
            raise DeadlineExceeded(f"{method.name} was not done within {left:.3g} s.") from error
        finally:
            current_context.reset(token)
        if call.withdraw and answer:
            method.codec.decode_answer(answer)
        return answer


def _timeout(header: bytes | None, usual: float) -> float:
    if header is None:
        return usual
    try:
        return min(max(1, int(header)) / 1000, LONGEST_SECONDS)
    except ValueError:
        raise InvalidArguments("The header Ramet-Timeout is a number of milliseconds.") from None


def _arguments(method: _Method, body: bytes) -> bytes:
    try:
        fields = _object(body or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidArguments(f"The body is a JSON object with the arguments by name: {error}.") from error
    return method.codec.encode_values(tuple(method.codec.convert_arguments(fields).values()))
