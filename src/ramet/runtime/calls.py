"""Calls inside the process: what stands between a client proxy and the service that answers."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import Any, TypeVar

from msgspec.structs import replace

from ramet.clock import Clock
from ramet.contract.calling import given_key, late
from ramet.contract.codec import TRAVELLING, MethodCodec
from ramet.contract.declared import DeclaredContract, DeclaredMethod
from ramet.contract.proxy import MethodLink, Target, make_client
from ramet.contract.reading.refusals import refusal_facts
from ramet.contract.reading.types import is_constrained
from ramet.contract.service import Contract
from ramet.errors import (
    CallError,
    CommitUnknown,
    InternalError,
    InvalidArguments,
    OutcomeUnknown,
    RametError,
    Refusal,
    StorageUnavailable,
    Unavailable,
    UsageError,
)
from ramet.runtime.limits import limited
from ramet.telemetry.context import Context, current_context
from ramet.telemetry.counters import Counters, MethodCounters
from ramet.telemetry.scope import Scope, Work, current_scope, may_call_command

C = TypeVar("C", bound=Contract)
ENDLESS = float("inf")
OUTSIDE = ""
"""Who calls, where it is no service."""
DEFAULT_DEADLINE_SECONDS = 5.0
log = logging.getLogger("ramet.calls")


class UndeclaredRefusal(UsageError):
    """A method refused with what its contract does not name."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"refused with {kind}, which its contract does not name: add `refuses={kind}`")


class Boundary:
    """What may leave a method: declared refusals and errors of calls; everything else becomes an error with an id."""

    def __init__(
        self, contract: DeclaredContract, method: DeclaredMethod, counter: MethodCounters, clock: Clock
    ) -> None:
        self.name = f"{contract.name}.{method.name}"
        self.monotonic = clock.monotonic
        self._method = method
        self._counter = counter
        self._clock = clock

    def passes(self, error: Exception) -> bool:
        """Whether the caller may see this exception as it is; counts it."""
        if isinstance(error, self._method.refuses):
            self._counter.refusals += 1
            return True
        self._counter.errors += 1
        return isinstance(error, TRAVELLING)

    def unexpected(self, error: Exception) -> CallError:
        """What the caller sees instead; the details go to the log.

        A database that is away is a callee that is: nothing was executed, or, lost during a commit, nobody knows.
        """
        if isinstance(error, StorageUnavailable):
            log.warning("%s: %s", self.name, error)
            return Unavailable(f"{self.name} was not executed: its database is away.")
        if isinstance(error, CommitUnknown):
            log.warning("%s: %s", self.name, error)
            return OutcomeUnknown(f"{self.name} may have been executed: its database was lost during the commit.")
        failure = InternalError(self._clock.id(), self.name)
        if isinstance(error, Refusal):
            error = UndeclaredRefusal(type(error).__name__)
        log.error("%s: %s failed", failure.id, self.name, exc_info=error)
        return failure


class Answerer:
    """One method of a service, ready to be called from anywhere in the process; answered here, or `elsewhere`."""

    def __init__(
        self,
        *,
        method: DeclaredMethod,
        boundary: Boundary,
        counter: MethodCounters,
        answer: Target,
        withdraw: Callable[[str], Awaitable[object]] | None = None,
        elsewhere: bool = False,
    ) -> None:
        self.method = method
        self.elsewhere = elsewhere
        self.withdraw = withdraw
        self.boundary = boundary
        self.counter = counter
        self.answer = answer

    @cached_property
    def near(self) -> Target:
        """`answer`, for values that callers in this process pass as they are."""
        return self.answer if self.elsewhere else checked(self.method, self.boundary, self.answer)


def framed(service: str, name: str, function: Target) -> Target:
    """A query in a scope of its own, as it has when it travels."""

    async def answer(*args: Any) -> Any:
        token = current_scope.set(Scope(service, Work.QUERY, name))
        try:
            return await function(*args)
        finally:
            current_scope.reset(token)

    return answer


def strict(answerer: Answerer) -> Target:
    """Encode and decode everything on the way there and back, so that nothing works here that would fail remotely."""
    codec, boundary, answer = MethodCodec(answerer.method), answerer.boundary, answerer.answer
    is_command = answerer.method.is_command

    async def travel(*given: Any) -> Any:
        key, args = given if is_command else (None, given)
        arguments = codec.decode_arguments(codec.encode_arguments(tuple(args), {}))
        try:
            result = await (answer(key, arguments) if is_command else answer(*arguments))
        except RametError as error:
            if not isinstance(error, (*TRAVELLING, *answerer.method.refuses)):
                raise
            data = codec.encode_error(error)
        else:
            data = encoded(codec, result, boundary)
        return codec.decode_answer(data)

    return travel


def checked(method: DeclaredMethod, boundary: Boundary, answer: Target) -> Target:
    """See to the constraints that the contract declares; where it has none this is `answer` itself.

    What has some is encoded and decoded as if it travelled, and the copy thrown away: the other side gets the value as
    it is, and an error is, word for word, that of a call between processes.
    """
    return _arguments_checked(method, _answer_checked(method, boundary, answer))


def _arguments_checked(method: DeclaredMethod, answer: Target) -> Target:
    constrained = {at: one for at, one in enumerate(method.parameters) if is_constrained(one[1])}
    if not constrained:
        return answer
    codec = MethodCodec(dataclasses.replace(method, parameters=tuple(constrained.values())))
    positions, is_command = tuple(constrained), method.is_command

    def call(*given: Any) -> Awaitable[Any]:
        args = given[1] if is_command else given
        codec.decode_arguments(codec.encode_values(tuple([args[at] for at in positions])))
        return answer(*given)

    return call


def _answer_checked(method: DeclaredMethod, boundary: Boundary, answer: Target) -> Target:
    has_constraints = is_constrained(method.result)
    refusals = tuple(kind for kind in method.refuses if any(map(is_constrained, refusal_facts(kind).values())))
    if not (has_constraints or refusals):
        return answer
    codec = MethodCodec(method)

    async def call(*given: Any) -> Any:
        try:
            result = await answer(*given)
        except refusals as refusal:
            codec.decode_refusal(codec.encode_refusal(refusal))
            raise
        if has_constraints:
            codec.decode_answer(encoded(codec, result, boundary))
        return result

    return call


def encoded(codec: MethodCodec, result: Any, boundary: Boundary) -> bytes:
    """A result as the answer of a call. Raises: InvalidArguments where it cannot be encoded."""
    try:
        return codec.encode_result(result)
    except (TypeError, ValueError) as error:
        raise InvalidArguments(f"{boundary.name} returned what cannot be encoded: {error}.") from error


class Exchange:
    """Who answers which contract in this process, and clients for those who ask."""

    def __init__(
        self, *, clock: Clock, counters: Counters, strict: bool, deadline: float = DEFAULT_DEADLINE_SECONDS
    ) -> None:
        self.clock = clock
        self.counters = counters
        self._strict = strict
        self._deadline = deadline
        self.deadlines: Mapping[str, float] = {}
        """Of single methods, by "<contract>.<method>"."""
        self._contracts: dict[type[Contract], DeclaredContract] = {}
        self._answers: dict[type[Contract], Mapping[str, Answerer]] = {}
        self._makers: dict[type[Contract], Callable[[], Mapping[str, Answerer]]] = {}

    def add(self, contract: DeclaredContract, make: Callable[[], Mapping[str, Answerer]]) -> None:
        """Answer a contract with the methods that `make` gives when somebody first wants to call one."""
        self._contracts[contract.cls] = contract
        self._makers[contract.cls] = make

    def contract(self, cls: type[Contract]) -> DeclaredContract:
        """The declaration of a contract that is answered here. Raises: KeyError."""
        return self._contracts[cls]

    def client_for(self, owner: str, cls: type[C]) -> C:
        """A client for the service (or saga of it) called `owner`, which obeys the rules for its work."""

        def begin(name: str) -> Callable[[], str | None]:
            def key() -> str | None:
                scope = may_call_command(owner, name)
                if scope.key is None:  # so that the caller can be run again, should what it has read change
                    scope.key = self.clock.id()
                derived = scope.command_key(name)
                return given_key() or derived

            return key

        return self._client(owner, cls, begin, lambda _, target: target)

    def client_outside(self, cls: type[C], caller: str = OUTSIDE) -> C:
        """A client for code that is no service: public APIs, mounted applications, tests, tools.

        A call that is not part of a request gets a context and a deadline of its own.
        """

        def begin(name: str) -> Callable[[], str | None]:
            def key() -> str | None:
                scope = current_scope.get()
                return given_key() or (scope.command_key(name) if scope is not None else None)

            return key

        return self._client(caller, cls, begin, self._rooted)

    async def withdraw(self, method: str, key: str) -> None:
        """See to it that a command of which nobody knows whether it happened does not happen any more.

        `method` is its full name, "contract.method".
        """
        contract, _, name = method.rpartition(".")
        for cls, declared in self._contracts.items():
            if declared.name == contract:
                withdraw = self._answered(cls)[name].withdraw
                if withdraw is not None:
                    await withdraw(key)

    def _client(
        self,
        owner: str,
        cls: type[C],
        begin: Callable[[str], Callable[[], str | None]],
        wrap: Callable[[Answerer, Target], Target],
    ) -> C:
        contract = self._contracts[cls]
        links = {}
        for name, answerer in self._answered(cls).items():
            target = strict(answerer) if self._strict and not answerer.elsewhere else answerer.near
            if (limit := self.deadlines.get(f"{contract.name}.{name}")) is not None:
                target = limited(target, limit, self.clock, elsewhere=answerer.elsewhere)
            links[name] = MethodLink(
                target=wrap(answerer, target),
                counter=self.counters.call(owner, f"{contract.name}.{name}"),
                monotonic=self.clock.monotonic,
                begin=begin(f"{contract.name}.{name}"),
                passes=answerer.boundary.passes,
                unexpected=answerer.boundary.unexpected,
            )
        return make_client(contract, cls, links)

    def _answered(self, cls: type[Contract]) -> Mapping[str, Answerer]:
        if cls not in self._answers:
            self._answers[cls] = self._makers[cls]()
        return self._answers[cls]

    def _rooted(self, answerer: Answerer, target: Target) -> Target:
        """With a context, and for a query a scope, where the call is not part of a request; always with a deadline."""
        if not (answerer.method.is_command or answerer.elsewhere):
            service, _, name = answerer.boundary.name.rpartition(".")
            target = framed(service, name, target)
        deadline = self.deadlines.get(answerer.boundary.name, self._deadline)

        def root(*args: Any) -> Awaitable[Any]:
            context = current_context.get()
            if context is not None and context.deadline != ENDLESS:
                return target(*args)
            return rooted(context, args)

        async def rooted(context: Context | None, args: tuple[Any, ...]) -> Any:
            until = self.clock.monotonic() + deadline
            begun = self.new_context() if context is None else context  # a stream, say, may take as long as it likes
            token = current_context.set(replace(begun, deadline=until))
            limit = asyncio.timeout(deadline)
            try:
                async with limit:
                    return await target(*args)
            except TimeoutError as error:
                if not limit.expired():
                    raise  # the service's own
                raise late(error, f"The call was not answered within {deadline:g} s.") from error
            finally:
                current_context.reset(token)

        return root

    def new_context(self) -> Context:
        """The context of work that begins here, with the default deadline."""
        return Context.root(self.clock.id(), deadline=self.clock.monotonic() + self._deadline)
