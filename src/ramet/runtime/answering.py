"""Calls from other processes: finds the method, decodes the arguments, and answers with bytes, whatever happens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from ramet.contract.codec import MethodCodec, encode_error
from ramet.contract.declared import DeclaredContract
from ramet.contract.proxy import timed
from ramet.errors import InvalidArguments, NoSuchMethod, RametError, Unavailable
from ramet.runtime.calls import Answerer, encoded
from ramet.runtime.linking import Carrier
from ramet.telemetry.scope import FreshKey, Scope, Work, current_scope
from ramet.transport.base import Call, Peer

WITHDRAWN = b""
Answers = Callable[[Call], Awaitable[bytes]]


class Answering:
    """What a server calls: every method of the contracts that this process answers, by "<contract>.<method>".

    Each call has variables of its own, which nobody reads any more when it is answered. Callers are told
    the `name` of the process.
    """

    def __init__(self, name: str = "") -> None:
        self._name = name or "this process"
        self._methods: dict[str, Answers] = {}
        self._forwarded: dict[str, Answers] = {}

    def add(self, service: str, answerers: Mapping[str, Answerer]) -> None:
        """Answer a service's methods."""
        for answerer in answerers.values():
            self._methods[answerer.boundary.name] = _answering(service, answerer)

    def forward(self, contract: DeclaredContract, carrier: Callable[[], Carrier]) -> None:
        """Pass calls of a contract on, for callers who do not know where it is answered."""
        for name, method in contract.methods.items():
            self._forwarded[f"{contract.name}.{name}"] = partial(_forward, carrier, method.is_command)

    async def anywhere(self, call: Call, peer: Peer) -> bytes:
        """The answer of whoever has the contract, in this process or another."""
        forward = self._forwarded.get(call.method)
        return await (self(call, peer) if forward is None else forward(call))

    def __call__(self, call: Call, _: Peer) -> Awaitable[bytes]:
        """The answer, or the error in its place."""
        return self._methods.get(call.method, self._unanswered)(call)

    async def _unanswered(self, call: Call) -> bytes:
        contract, _, method = call.method.rpartition(".")
        if not any(name.startswith(f"{contract}.") for name in self._methods):
            return encode_error(Unavailable(f"{contract} is not answered by {self._name}."))
        return encode_error(
            NoSuchMethod(
                f'{self._name} answers {contract}, and has no method "{method}" of it: it is of another release than '
                "its caller. Keep the old method until every caller has been exchanged."
            )
        )


def _answering(service: str, answerer: Answerer) -> Answers:
    method, boundary, counter, answer = answerer.method, answerer.boundary, answerer.counter, answerer.answer
    codec, is_command, name = MethodCodec(method), method.is_command, method.name
    with_clock = timed(answer, counter, boundary.monotonic)

    async def answers(call: Call) -> bytes:
        try:
            if call.withdraw:
                await _withdraw(answerer, call.key)
                return WITHDRAWN
            arguments = codec.decode_arguments(call.arguments)
            number = counter.calls = counter.calls + 1
            target = answer if number & 31 else with_clock  # one of 32, for a look at the clock costs as much as this
            try:
                if is_command:
                    result = await target(_key(call), arguments)
                else:
                    current_scope.set(Scope(service, Work.QUERY, name))
                    result = await target(*arguments)
                return encoded(codec, result, boundary)
            except Exception as error:
                if boundary.passes(error):
                    raise
                raise boundary.unexpected(error) from error
        except RametError as error:
            return codec.encode_error(error)

    return answers


def _key(call: Call) -> str | None:
    return FreshKey(call.key) if call.fresh and call.key is not None else call.key


async def _forward(carrier: Callable[[], Carrier], is_command: bool, call: Call) -> bytes:  # noqa: FBT001 - bound by position
    try:
        return await carrier().call(call, repeatable=call.key is not None or not is_command)
    except RametError as error:
        return encode_error(error)


async def _withdraw(answerer: Answerer, key: str | None) -> None:
    if answerer.withdraw is None or key is None:
        raise InvalidArguments(f"{answerer.boundary.name} has no key that could be withdrawn.")
    await answerer.withdraw(key)
