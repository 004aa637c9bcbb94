"""Calls to services of other processes: a contract's methods, answered over whatever carries a call."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, Protocol

from msgspec.structs import replace

from ramet.clock import Clock
from ramet.contract.codec import MethodCodec
from ramet.contract.declared import DeclaredContract, DeclaredMethod
from ramet.errors import DeadlineExceeded, OutcomeUnknown
from ramet.runtime.calls import DEFAULT_DEADLINE_SECONDS, ENDLESS, Answerer, Answering, Boundary
from ramet.telemetry.context import Context, current_context
from ramet.telemetry.counters import Counters
from ramet.telemetry.scope import FreshKey
from ramet.transport.base import Call


class Carrier(Protocol):
    """Carries calls to one of the replicas that host a service; `repeatable` ones it may carry more than once."""

    def call(self, call: Call, *, repeatable: bool) -> Awaitable[bytes]:
        """The answer's bytes. Raises: as `Channel.call`."""
        ...


def linked(contract: DeclaredContract, carrier: Carrier, *, clock: Clock, counters: Counters) -> Mapping[str, Answerer]:
    """Every method of a contract, ready to be called, and answered elsewhere."""
    link = _Link(carrier, clock)
    found = {}
    for name, method in contract.methods.items():
        counter = counters.method(f"{contract.name}.{name}")
        boundary = Boundary(contract, method, counter, clock)
        found[name] = Answerer(
            method=method,
            boundary=boundary,
            counter=counter,
            answer=link.command(boundary.name, method) if method.is_command else link.query(boundary.name, method),
            withdraw=link.withdrawal(boundary.name) if method.is_command else None,
            elsewhere=True,
        )
    return found


class _Link:
    """Encodes calls for one carrier, and decodes what comes back."""

    def __init__(self, carrier: Carrier, clock: Clock) -> None:
        self._call = carrier.call
        self._clock = clock

    def query(self, name: str, method: DeclaredMethod) -> Answering:
        codec = MethodCodec(method)
        encode, decode, context, carry = codec.encode_values, codec.decode_answer, self._context, self._call

        async def answer(*args: Any) -> Any:
            return decode(await carry(Call(name, encode(args), context()), repeatable=True))

        return answer

    def command(self, name: str, method: DeclaredMethod) -> Answering:
        codec = MethodCodec(method)
        encode, decode, context, carry = codec.encode_values, codec.decode_answer, self._context, self._call

        async def answer(key: str | None, args: tuple[Any, ...]) -> Any:
            fresh = isinstance(key, FreshKey)
            call = Call(name, encode(args), context(), str(key) if fresh else key, fresh=fresh)
            try:
                data = await carry(call, repeatable=key is not None)
            except DeadlineExceeded as error:
                raise OutcomeUnknown(
                    f"{name} did not answer in time, so it may have been executed: ask, or call it again with its key."
                ) from error
            return decode(data)

        return answer

    def withdrawal(self, name: str) -> Any:
        """Withdraws keys of a command."""

        async def withdraw(key: str) -> None:
            await self._call(Call(name, b"", self._context(), key, withdraw=True), repeatable=True)

        return withdraw

    def _context(self) -> Context:
        """The context of the running work, with the default deadline where it has none."""
        context = current_context.get()
        if context is not None and context.deadline != ENDLESS:
            return context
        deadline = self._clock.monotonic() + DEFAULT_DEADLINE_SECONDS
        return (
            Context.root(self._clock.id(), deadline=deadline)
            if context is None
            else replace(context, deadline=deadline)
        )
