"""Reading signatures: what a method takes and gives, and what is wrong with it."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from types import FunctionType
from typing import Any, NamedTuple

import msgspec

from ramet.contract.declared import NO_DEFAULT, DeclaredMethod
from ramet.contract.places import is_library, plain, where
from ramet.contract.problems import Problems
from ramet.contract.reading.hints import UNRESOLVED, check_type, resolve
from ramet.contract.reading.substitution import is_unfit
from ramet.contract.reading.types import shown
from ramet.contract.service import MethodMark, several
from ramet.errors import Refusal

STARRED = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class Method(NamedTuple):
    """A method while it is read: what it is called in sentences, and where mistakes are reported."""

    cls: type
    name: str
    function: Any
    problems: Problems

    @property
    def title(self) -> str:
        """`Inventory.reserve`."""
        return f"{self.cls.__name__}.{self.name}"

    def wrong(self, message: str, remedy: str = "", *, word: str | None = None) -> None:
        """Report a mistake in it."""
        owners = {base.__qualname__ for base in self.cls.__mro__}
        if getattr(plain(self.function), "__qualname__", "").rpartition(".")[0] in owners:
            self.problems.add(self.function, f"{self.title}{message}", remedy, word=word)
        else:  # a value, or made by a decorator that hides what it wraps
            self.problems.add(self.cls, f"{self.title}{message}", remedy, word=self.name)


def is_async(function: Any) -> bool:
    """Whether calling it gives something to await, also behind decorators that say what they wrap."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(plain(function))


def read_method(cls: type, name: str, mark: MethodMark, problems: Problems) -> DeclaredMethod | None:
    """One query or command of a contract, with every mistake in its signature reported; None where it is no method."""
    method = Method(cls, name, vars(cls)[name], problems)
    if not check_callable(method, "(self, …)"):
        return None
    _check_async(method)
    signature = inspect.signature(method.function)
    given = (_read_parameter(method, parameter) for parameter in list(signature.parameters.values())[1:])
    return DeclaredMethod(
        name=name,
        kind=mark.kind,
        function=method.function,
        parameters=tuple(one for one in given if one is not None),
        result=_read_result(method, signature),
        refuses=_read_refusals(method, mark),
    )


def check_callable(method: Method, shape: str) -> bool:
    """Report what is marked as a method and is none."""
    if not isinstance(method.function, FunctionType):
        kind = type(method.function).__name__
        article = "an" if kind[0] in "aeiou" else "a"
        method.wrong(f" is {article} {kind}, not a method.", f"Write `async def {method.name}{shape}`.")
        return False
    try:
        first = next(iter(inspect.signature(method.function).parameters), None)
    except (TypeError, ValueError):
        method.wrong(" says that it wraps what is no function.", "Mend its decorator.")
        return False
    if first != "self":
        method.wrong(" does not take self.", f"Write `async def {method.name}{shape}`.")
        return False
    if getattr(method.function, "__ramet_twice__", False):
        method.wrong(" is marked twice.", "Keep one of the decorators, and write a method for the other.")
        return False
    return True


def declare(thing: object, kind: str) -> str:
    """The remedy where something else than a class of this kind was named."""
    own = isinstance(thing, type) and thing.__module__ != "builtins" and not is_library(where(thing)[0])
    return f"Declare `class {thing.__name__}({kind})`." if own else f"Name a class that is one: `class …({kind})`."  # type: ignore[attr-defined]  # a class


def called(thing: object) -> str:
    """A class by its name, anything else as it is shown."""
    return thing.__name__ if isinstance(thing, type) else repr(thing)


def _check_async(method: Method) -> None:
    if inspect.isasyncgenfunction(method.function):
        method.wrong(" yields, but a call has one answer.", "Return a tuple, and let callers ask for it in pages.")
    elif not is_async(method.function):
        method.wrong(" is not async.", f"Write `async def {method.name}(…)`: any call may travel.")


def _read_parameter(method: Method, parameter: inspect.Parameter) -> tuple[str, Any, Any] | None:
    name = parameter.name
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        star = "*" if parameter.kind is parameter.VAR_POSITIONAL else "**"
        remedy = "Name each parameter, or take a tuple or a Struct."
        method.wrong(f" takes {star}{name}: a contract says what it takes.", remedy, word=name)
        return None
    if parameter.kind is parameter.POSITIONAL_ONLY:
        method.wrong(f" takes {name} by position only.", "Remove the `/`: arguments travel by name.", word=name)
    if parameter.annotation is parameter.empty:
        remedy = f"Annotate it: `{name}: str`, for instance."
        method.wrong(f': the parameter "{name}" has no type.', remedy, word=name)
        return name, Any, parameter.default
    what = f'{method.title}: the parameter "{name}"'
    hint = resolve(parameter.annotation, method.cls, method.problems, method.function, what)
    if hint is UNRESOLVED:
        return name, Any, parameter.default
    if check_type(hint, method.function, what, method.problems, word=name):
        _check_default(method, parameter, hint)
    return name, hint, parameter.default


def _check_default(method: Method, parameter: inspect.Parameter, hint: Any) -> None:
    name, default = parameter.name, parameter.default
    if default is NO_DEFAULT:
        return
    if isinstance(default, list | dict | set):
        remedy = "Use an immutable one: `()`, a Struct or None."
        method.wrong(f': the parameter "{name}" has a mutable default.', remedy, word=name)
        return
    try:
        msgspec.msgpack.decode(msgspec.msgpack.encode(default), type=hint)
    except Exception:  # noqa: BLE001 - whatever a default may be, it does not fit
        remedy = f"Write `{name}: {shown(hint)} | None`." if default is None else "Give it one that is."
        method.wrong(f': the default {default!r} of "{name}" is no {shown(hint)}.', remedy, word=name)


def _read_result(method: Method, signature: inspect.Signature) -> Any:
    if signature.return_annotation is signature.empty:
        method.wrong(" does not say what it returns.", "Annotate it; `-> None` where it returns nothing.")
        return None
    if inspect.isasyncgenfunction(method.function):
        return None
    what = f"{method.title}: the result"
    hint = resolve(signature.return_annotation, method.cls, method.problems, method.function, what)
    if hint is UNRESOLVED:
        return None
    check_type(hint, method.function, what, method.problems)
    return hint


def _read_refusals(method: Method, mark: MethodMark) -> tuple[type[Refusal], ...]:
    good: list[type[Refusal]] = []
    for refusal in several(mark.refuses):
        name = called(refusal)
        if refusal is Refusal:
            remedy = "Declare a class for each reason: `class OutOfStock(Refusal)`."
            method.wrong(" refuses without a reason.", remedy, word=name)
        elif not (isinstance(refusal, type) and issubclass(refusal, Refusal)):
            method.wrong(f" refuses {name}, which is not a Refusal.", declare(refusal, "Refusal"), word=name.strip("'"))
        else:
            good.append(refusal)
    return tuple(dict.fromkeys(good))


def compare_signatures(service: type, contract: DeclaredMethod, problems: Problems) -> None:
    """Report where a service's method cannot be called as its contract says."""
    method = Method(service, contract.name, _found(service, contract.name), problems)
    names = [name for name, _, _ in contract.parameters]
    shape = f"(self{''.join(f', {name}' for name in names)})"
    if not check_callable(method, shape):
        return
    if not is_async(method.function) and is_async(contract.function):
        method.wrong(" is not async, but its contract is.", f"Write `async def {contract.name}{shape}`.")
    given = list(inspect.signature(method.function).parameters.values())[1:]
    if any(parameter.kind in STARRED for parameter in given):
        fits = _accepts_anything(given)
    else:
        extra = [parameter for parameter in given[len(names) :] if parameter.default is NO_DEFAULT]
        fits = [parameter.name for parameter in given][: len(names)] == names and not extra
    if not fits:
        taken = ", ".join(str(parameter).partition(":")[0].partition("=")[0] for parameter in given)
        remedy = f"Give it the contract's parameters: `async def {contract.name}{shape}`."
        method.wrong(f" takes ({taken}), but its contract says ({', '.join(names)}).", remedy)
        return
    _compare_types(method, contract)


def _compare_types(method: Method, contract: DeclaredMethod) -> None:
    """Report types that contradict the contract's; what is not annotated has them."""
    signature = inspect.signature(method.function)
    for name, expected, _ in contract.parameters:
        hint = _annotated(method, signature.parameters[name].annotation) if name in signature.parameters else Any
        if is_unfit(expected, hint):
            message = f': the parameter "{name}" is {shown(hint)}, but its contract says {shown(expected)}.'
            method.wrong(message, f"Write `{name}: {shown(expected)}`, or leave the type out.", word=name)
    result = _annotated(method, signature.return_annotation)
    is_known = contract.result is not None or contract.function.__annotations__.get("return", "") in (None, "None")
    if is_known and is_async(method.function) and is_unfit(result, contract.result):
        message = f" returns {shown(result)}, but its contract says {shown(contract.result)}."
        method.wrong(message, f"Write `-> {shown(contract.result)}`, or leave the type out.")


def _annotated(method: Method, annotation: Any) -> Any:
    """The type that an annotation names; `Any` where there is none or nobody can tell."""
    if annotation is inspect.Parameter.empty:
        return Any
    hint = resolve(annotation, method.cls, Problems(), method.function, "")
    return Any if hint is UNRESOLVED else hint


def _found(cls: type, name: str) -> Any:
    """An attribute as the class that has it wrote it."""
    return next(vars(base)[name] for base in cls.__mro__ if name in vars(base))


def _accepts_anything(given: Sequence[inspect.Parameter]) -> bool:
    """Whether it passes on whatever it is given: `*args`, and perhaps `**kwargs`."""
    kinds = [parameter.kind for parameter in given]
    return all(kind in STARRED for kind in kinds) and inspect.Parameter.VAR_POSITIONAL in kinds
