"""Calls to services of other processes: a contract's methods, answered over whatever carries a call."""

from __future__ import annotations

import logging
from asyncio import CancelledError
from collections.abc import Awaitable, Mapping
from typing import Any, Protocol

from msgspec.structs import replace

from ramet.clock import Clock
from ramet.contract.codec import MethodCodec
from ramet.contract.declared import DeclaredContract, DeclaredMethod
from ramet.contract.proxy import Target
from ramet.errors import DeadlineExceeded, NoSuchMethod, OutcomeUnknown, Unavailable
from ramet.runtime.calls import DEFAULT_DEADLINE_SECONDS, ENDLESS, Answerer, Boundary
from ramet.telemetry.context import Context, current_context
from ramet.telemetry.counters import Counters
from ramet.telemetry.scope import Adrift, FreshKey
from ramet.transport.base import Call

log = logging.getLogger("ramet.calls")


class Carrier(Protocol):
    """Carries calls to one of the replicas that host a service; `repeatable` ones it may carry more than once."""

    def call(self, call: Call, *, repeatable: bool) -> Awaitable[bytes]:
        """The answer's bytes. Raises: as `Channel.call`."""
        ...


def linked(
    contract: DeclaredContract,
    carrier: Carrier,
    *,
    clock: Clock,
    counters: Counters,
    deadline: float = DEFAULT_DEADLINE_SECONDS,
) -> Mapping[str, Answerer]:
    """Every method of a contract, ready to be called, and answered elsewhere; `deadline` for calls that have none."""
    link = _Link(carrier, clock, deadline)
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

    def __init__(self, carrier: Carrier, clock: Clock, deadline: float) -> None:
        self._deadline = deadline
        self._call = carrier.call
        self._clock = clock

    def query(self, name: str, method: DeclaredMethod) -> Target:
        codec = MethodCodec(method)
        encode, decode, limited, carry = codec.encode_values, codec.decode_answer, self._limited, self._call

        async def answer(*args: Any) -> Any:
            context = current_context.get()
            if context is None or context.deadline == ENDLESS:
                context = limited(context)
            try:
                data = await carry(Call(name, encode(args), context), repeatable=True)
            except OutcomeUnknown as error:
                raise Unavailable(f"{name} was not answered; it has no effects: {error}") from error
            try:
                return decode(data)
            except NoSuchMethod as error:
                log.warning("A call of %s failed: %s", name, error)
                raise

        return answer

    def command(self, name: str, method: DeclaredMethod) -> Target:
        codec = MethodCodec(method)
        encode, decode, limited, carry = codec.encode_values, codec.decode_answer, self._limited, self._call

        async def answer(key: str | None, args: tuple[Any, ...]) -> Any:
            context = current_context.get()
            if context is None or context.deadline == ENDLESS:
                context = limited(context)
            try:
                fresh = isinstance(key, FreshKey)
                call = Call(name, encode(args), context, str(key) if fresh else key, fresh=fresh)
                data = await carry(call, repeatable=key is not None)
            except DeadlineExceeded as error:
                raise OutcomeUnknown(
                    f"{name} did not answer in time, so it may have been executed: ask, or call it again with its key."
                ) from error
            except CancelledError:
                raise CancelledError(Adrift(name)) from None
            try:
                return decode(data)
            except NoSuchMethod as error:
                log.warning("A call of %s failed: %s", name, error)
                raise

        return answer

    def withdrawal(self, name: str) -> Any:
        """Withdraws keys of a command."""

        async def withdraw(key: str) -> None:
            context = current_context.get()
            if context is None or context.deadline == ENDLESS:
                context = self._limited(context)
            await self._call(Call(name, b"", context, key, withdraw=True), repeatable=True)

        return withdraw

    def _limited(self, context: Context | None) -> Context:
        """The context of a call where that of the running work, if any, has no deadline: with the default one."""
        deadline = self._clock.monotonic() + self._deadline
        return (
            Context.root(self._clock.id(), deadline=deadline)
            if context is None
            else replace(context, deadline=deadline)
        )
