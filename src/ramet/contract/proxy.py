"""Client proxies: an object with a contract's methods, each with its exact signature, in front of any link.

The functions are generated from the declarations at run time, because an exact signature is checked and filled in by
the interpreter itself, which is a third faster than `*args, **kwargs`. An error of a command carries the key of the
call as `__ramet_key__`, so that a saga knows to which of its calls the error belongs.

A command is not begun after the deadline. A query does not look at the clock, which would double its cost: whoever sets
a deadline has a timer, too, and that ends the work and every query in it.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar, cast

from ramet.contract.declared import NO_DEFAULT, DeclaredContract, DeclaredMethod
from ramet.contract.service import Contract
from ramet.errors import DeadlineExceeded
from ramet.telemetry.context import current_context
from ramet.telemetry.counters import MethodCounters

C = TypeVar("C", bound=Contract)
T = TypeVar("T")
Target = Callable[..., Awaitable[Any]]
"""A query: called with its arguments. A command: called with the idempotency key and the tuple of arguments."""

_QUERY = """
async def {name}({signature}):
    __counter.calls += 1
    try:
        if __counter.calls & 63:
            return await __target({arguments})
        return await __timed({arguments})
    except Exception as __error:
        if __passes(__error):
            raise
        raise __unexpected(__error) from __error
"""

_COMMAND = """
async def {name}({signature}):
    __context = __get_context()
    if __context is not None and __context.deadline < __monotonic():
        raise __late()
    __key = __begin()
    __counter.calls += 1
    try:
        if __counter.calls & 7:
            return await __target(__key, ({arguments}))
        return await __timed(__key, ({arguments}))
    except Exception as __error:
        if __passes(__error):
            __error.__ramet_key__ = __key
            raise
        __failure = __unexpected(__error)
        __failure.__ramet_key__ = __key
        raise __failure from __error
"""
"""One of 64 queries and one of 8 commands is timed: a look at the clock costs as much as the rest of the way.

Everything but the parameters begins with two underscores, so that a parameter may have any name."""


class MethodLink:
    """What stands behind one method of a client.

    `target` is called with the arguments of a query, or with the idempotency key and the tuple of arguments of a
    command; `begin` gives a command its key, or raises because the caller may not call one now. `passes` says whether
    an exception is part of the contract, `unexpected` makes of any other what the caller may see.
    """

    __slots__ = ("begin", "counter", "monotonic", "passes", "target", "unexpected")

    def __init__(
        self,
        *,
        target: Target,
        counter: MethodCounters,
        monotonic: Callable[[], float],
        begin: Callable[[], str | None],
        passes: Callable[[Exception], bool],
        unexpected: Callable[[Exception], Exception],
    ) -> None:
        self.target = target
        self.counter = counter
        self.monotonic = monotonic
        self.begin = begin
        self.passes = passes
        self.unexpected = unexpected


def make_client(contract: DeclaredContract, cls: type[C], links: Mapping[str, MethodLink]) -> C:
    """An instance of the contract whose methods go through these links, by method name."""
    shown = f"<client of {contract.name} {contract.version}>"
    kind = type(f"{cls.__name__}Client", (cls,), {"__repr__": lambda _: shown, "__module__": cls.__module__})
    client = cast("C", object.__new__(kind))
    for name, method in contract.methods.items():
        setattr(client, name, _function(contract, method, links[name]))
    return client


def by_position(function: Callable[..., T]) -> Callable[..., T]:
    """The same function for who has its arguments in order only: those that must be named are."""
    kinds = [(parameter.name, parameter.kind) for parameter in inspect.signature(function).parameters.values()]
    named = [name for name, kind in kinds if kind is inspect.Parameter.KEYWORD_ONLY]
    if not named:
        return function
    first = len(kinds) - len(named)

    def call(*args: Any) -> T:
        return function(*args[:first], **dict(zip(named, args[first:], strict=False)))

    return call


def _function(contract: DeclaredContract, method: DeclaredMethod, link: MethodLink) -> Callable[..., Any]:
    full_name = f"{contract.name}.{method.name}"
    scope: dict[str, Any] = {f"__{slot}": getattr(link, slot) for slot in MethodLink.__slots__}
    scope["__get_context"] = current_context.get
    scope["__timed"] = timed(link.target, link.counter, link.monotonic)
    scope["__late"] = lambda: DeadlineExceeded(f"{full_name} was not called: the deadline had passed.")
    for name, _, default in method.parameters:
        scope[f"__default_{name}"] = default
    source = (_COMMAND if method.is_command else _QUERY).format(
        name=method.name,
        signature=_signature(method),
        arguments="".join(f"{name}, " for name, _, _ in method.parameters),
    )
    exec(compile(source, f"<client of {full_name}>", "exec"), scope)  # noqa: S102 - made of checked identifiers only
    function: Callable[..., Any] = scope[method.name]
    return _dressed(function, contract, method)


def timed(target: Target, counter: MethodCounters, monotonic: Callable[[], float]) -> Target:
    """The target, with a look at the clock before and after."""

    async def call(*args: Any) -> Any:
        begun = monotonic()
        try:
            return await target(*args)
        finally:
            counter.took(monotonic() - begun)

    return call


def _dressed(function: Callable[..., Any], contract: DeclaredContract, method: DeclaredMethod) -> Callable[..., Any]:
    """With the name, documentation and annotations of the contract's method, for errors, help and tools."""
    function.__qualname__ = f"{contract.cls.__name__}.{method.name}"
    function.__module__ = contract.cls.__module__
    function.__doc__ = method.function.__doc__
    function.__annotations__ = {name: hint for name, hint, _ in method.parameters} | {"return": method.result}
    return function


def _signature(method: DeclaredMethod) -> str:
    """The parameters as the contract has them: with defaults, and a star before those that must be named."""
    kinds = {parameter.name: parameter.kind for parameter in inspect.signature(method.function).parameters.values()}
    parts: list[str] = []
    for name, _, default in method.parameters:
        if kinds[name] is inspect.Parameter.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        parts.append(name if default is NO_DEFAULT else f"{name}=__default_{name}")
    return ", ".join(parts)
