"""Client proxies: an object with a contract's methods, each with its exact signature, in front of any link.

The functions are generated from the declarations at run time, because an exact signature is checked and filled in by the
interpreter itself, which is a third faster than `*args, **kwargs`. An error of a command carries the key of the call as `__ramet_key__`, so
that a saga knows to which of its calls the error belongs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar, cast

from ramet.contract.declared import NO_DEFAULT, DeclaredContract, DeclaredMethod
from ramet.contract.service import Contract
from ramet.errors import DeadlineExceeded
from ramet.telemetry.context import current_context
from ramet.telemetry.counters import MethodCounters

C = TypeVar("C", bound=Contract)
Target = Callable[..., Awaitable[Any]]

_QUERY = """
async def {name}({signature}):
    ramet_context = ramet_get_context()
    if ramet_context is not None and ramet_context.deadline < ramet_monotonic():
        raise ramet_late()
    ramet_counter.calls += 1
    try:
        return await ramet_target({arguments})
    except Exception as ramet_error:
        if ramet_passes(ramet_error):
            raise
        raise ramet_unexpected(ramet_error) from ramet_error
"""

_COMMAND = """
async def {name}({signature}):
    ramet_context = ramet_get_context()
    if ramet_context is not None and ramet_context.deadline < ramet_monotonic():
        raise ramet_late()
    ramet_key = ramet_begin()
    ramet_counter.calls += 1
    try:
        return await ramet_target(ramet_key, ({arguments}{comma}))
    except Exception as ramet_error:
        if ramet_passes(ramet_error):
            ramet_error.__ramet_key__ = ramet_key
            raise
        ramet_failure = ramet_unexpected(ramet_error)
        ramet_failure.__ramet_key__ = ramet_key
        raise ramet_failure from ramet_error
"""


class MethodLink:
    """What stands behind one method of a client.

    `target` is called with the arguments of a query, or with the idempotency key and the tuple of arguments of a
    command; `begin` gives a command its key, or raises because the caller may not call one now. `passes` says whether an
    exception is part of the contract, `unexpected` makes of any other what the caller may see.
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
    client = object.__new__(type(f"{cls.__name__}Client", (cls,), {}))
    for name, method in contract.methods.items():
        setattr(client, name, _function(contract, method, links[name]))
    return cast(C, client)


def _function(contract: DeclaredContract, method: DeclaredMethod, link: MethodLink) -> Callable[..., Any]:
    full_name = f"{contract.name}.{method.name}"
    defaults = {f"ramet_default_{name}": default for name, _, default in method.parameters if default is not NO_DEFAULT}
    scope: dict[str, Any] = {f"ramet_{slot}": getattr(link, slot) for slot in MethodLink.__slots__}
    scope |= defaults | {
        "ramet_get_context": current_context.get,
        "ramet_late": lambda: DeadlineExceeded(f"{full_name} was not called: the deadline had passed."),
    }
    names = [name for name, _, _ in method.parameters]
    source = (_COMMAND if method.is_command else _QUERY).format(
        name=method.name,
        signature=_signature(method),
        arguments=", ".join(names),
        comma="," if len(names) == 1 else "",
    )
    exec(compile(source, f"<client of {full_name}>", "exec"), scope)  # noqa: S102 - made of checked identifiers only
    function = cast(Callable[..., Any], scope[method.name])
    function.__doc__ = method.function.__doc__
    function.__qualname__ = f"{contract.cls.__name__}.{method.name}"
    return function


def _signature(method: DeclaredMethod) -> str:
    """The parameters; those after the first default that have none themselves can only be given by name."""
    parts, optional, keyword_only = [], False, False
    for name, _, default in method.parameters:
        if default is NO_DEFAULT and optional and not keyword_only:
            keyword_only = True
            parts.append("*")
        optional = optional or default is not NO_DEFAULT
        parts.append(name if default is NO_DEFAULT else f"{name}=ramet_default_{name}")
    return ", ".join(parts)
