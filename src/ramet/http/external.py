"""Services in other languages: carries calls of a contract to a URL, as JSON over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from ramet.clock import Clock
from ramet.contract.codec import MethodCodec
from ramet.contract.declared import DeclaredContract
from ramet.contract.reading.refusals import refusal_facts
from ramet.errors import (
    CallError,
    Cancelled,
    DeadlineExceeded,
    Denied,
    InternalError,
    InvalidArguments,
    MissingExtra,
    NotFound,
    OutcomeUnknown,
    Overloaded,
    RametError,
    Refusal,
    Unauthenticated,
    Unavailable,
    storable,
)
from ramet.http.problems import RESERVED, code_of
from ramet.transport.base import Call

try:
    import aiohttp
except ImportError as error:
    raise MissingExtra("aiohttp", "external", "Calling services in other languages") from error

CONNECTIONS = 100
EXCERPT_BYTES = 200
ATTEMPTS = 3
PAUSE_SECONDS = 0.05
LONGEST_ANSWER_BYTES = 16 * 2**20
CHUNK_BYTES = 64 * 1024
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises: nested too deep is no JSON that anybody means."""
BY_STATUS: Mapping[int, type[RametError]] = {
    400: InvalidArguments,
    401: Unauthenticated,
    403: Denied,
    404: NotFound,
    422: InvalidArguments,
    429: Overloaded,
    502: OutcomeUnknown,
    503: Unavailable,
    504: DeadlineExceeded,
}
_problem = msgspec.json.Decoder(dict[str, Any]).decode


class ExternalService:
    """One service behind a URL; connections are kept and reused, at most 100 at a time.

    `token` gives the bearer token of each request (None: none). A call that may be repeated is tried three times within
    its deadline, when it was not executed or may have been lost. Whoever answers is not trusted: nobody is followed
    elsewhere, no cookie of one call is shown with the next, and an answer has an end.
    """

    def __init__(
        self, contract: DeclaredContract, url: str, *, clock: Clock, token: Callable[[], str] | None = None
    ) -> None:
        self._contract = contract.name
        self._url = url.rstrip("/")
        self._clock = clock
        self._token = token
        self._codecs = {f"{contract.name}.{name}": MethodCodec(method) for name, method in contract.methods.items()}
        self._session: aiohttp.ClientSession | None = None

    async def call(self, call: Call, *, repeatable: bool) -> bytes:
        """Carry one call. Raises: Unavailable where it was not executed, DeadlineExceeded, OutcomeUnknown."""
        attempt = 1
        while True:
            try:
                return await self._once(call)
            except Overloaded:
                raise  # more of the same is no help
            except (Unavailable, OutcomeUnknown):
                pause = self._clock.jitter(PAUSE_SECONDS * 2**attempt)
                if not repeatable or attempt == ATTEMPTS or self._left(call) <= pause:
                    raise
            attempt += 1
            await self._clock.sleep(pause)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _once(self, call: Call) -> bytes:
        codec = self._codecs[call.method]
        method = "DELETE" if call.withdraw else "POST"
        left = self._left(call)
        if left <= 0:
            raise DeadlineExceeded(f"{call.method} was not called: its time was up.")
        try:
            async with (
                asyncio.timeout(left),
                self._open().request(
                    method,
                    self._address(call),
                    data=_body(codec, call),
                    headers=self._headers(call, left),
                    allow_redirects=False,
                ) as response,
            ):
                body = await _answer(response)
        except TimeoutError as error:
            raise DeadlineExceeded(f"{call.method} at {self._place} did not answer within {left:.3g} s.") from error
        except aiohttp.ClientConnectorError as error:
            raise Unavailable(f"{self._contract} at {self._place} cannot be reached ({error.os_error}).") from error
        except aiohttp.ClientError as error:
            reason = str(error) or type(error).__name__
            raise OutcomeUnknown(f"{call.method} at {self._place} did not answer ({reason}).") from error
        if response.status == 204 and call.withdraw:
            return b""
        if body is None:
            sentence = f"{call.method} at {self._place} answered more than {LONGEST_ANSWER_BYTES // 2**20} MiB."
            return codec.encode_error(CallError(sentence))
        return self._read(codec, call, response.status, body)

    def _read(self, codec: MethodCodec, call: Call, status: int, body: bytes) -> bytes:
        if status >= 300:
            error = _error(codec, call.method, self._place, status, body)
            if isinstance(error, Unavailable | OutcomeUnknown):
                raise error  # as where nobody answers: it may be tried again, and nothing unknown has become of a query
            return codec.encode_error(error)
        try:
            result = msgspec.json.decode(body or b"null", type=codec.method.result)
        except UNREADABLE as error:
            sentence = f"{call.method} at {self._place} answered what does not fit its contract: {error}."
            return codec.encode_error(CallError(sentence))
        return codec.encode_result(result)

    def _headers(self, call: Call, left: float) -> dict[str, str]:
        context = call.context
        headers = {"content-type": "application/json", "ramet-timeout": str(max(1, int(left * 1000)))}
        if len(context.trace) == 32:
            headers["traceparent"] = f"00-{context.trace}-{context.execution[-16:]}-01"
        if call.key is not None:
            headers["idempotency-key"] = call.key
        if self._token is not None:
            headers["authorization"] = f"Bearer {self._token()}"
        return headers

    def _address(self, call: Call) -> str:
        contract, _, method = call.method.rpartition(".")
        return f"{self._url}/{contract}/{method}"

    def _left(self, call: Call) -> float:
        return call.context.deadline - self._clock.monotonic()

    @property
    def _place(self) -> str:
        parts = urlsplit(self._url)
        return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS),
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


async def _answer(response: aiohttp.ClientResponse) -> bytes | None:
    """The body; None where it is longer than any answer may be."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
        body += chunk
        if len(body) > LONGEST_ANSWER_BYTES:
            response.close()
            return None
    return bytes(body)


def _body(codec: MethodCodec, call: Call) -> bytes:
    if call.withdraw:
        return b""
    names = [name for name, _, _ in codec.method.parameters]
    return msgspec.json.encode(dict(zip(names, codec.decode_arguments(call.arguments), strict=True)))


def _error(codec: MethodCodec, method: str, place: str, status: int, body: bytes) -> RametError:
    """The refusal or error that a problem tells."""
    try:
        problem = _problem(body)
    except UNREADABLE:
        problem = {}
    code = problem.get("code")
    for kind in codec.method.refuses:
        if code == code_of(kind):
            return _refusal(kind, problem)
    detail = str(problem.get("detail") or f"{method} answered {status}.")
    if code == Cancelled.code:
        return Cancelled(detail)
    if status < 400:
        return CallError(f"{method} is answered elsewhere ({status}): set the url of the service to where it is.")
    if status in BY_STATUS:
        return BY_STATUS[status](detail)
    if "id" in problem:
        return InternalError(str(problem["id"]), method)
    said = storable(body[:EXCERPT_BYTES].decode(errors="replace")) or "nothing"
    return CallError(f"{method} at {place} answered {status}, and said: {said}")


def _refusal(kind: type[Refusal], problem: dict[str, Any]) -> RametError:
    facts = {name: value for name, value in problem.items() if name not in RESERVED}
    hints = refusal_facts(kind)
    try:
        facts.update(problem.get("facts") or {})
        return kind(**{name: msgspec.convert(facts[name], hint) for name, hint in hints.items() if name in facts})
    except (ValueError, TypeError) as error:
        return CallError(f"A {kind.__name__} cannot be read: {error}.")
