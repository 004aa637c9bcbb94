"""Reading signatures: what a method takes and gives, and what is wrong with it."""

from __future__ import annotations

import inspect
import re
import sys
import typing
from collections.abc import Mapping
from typing import Any

from ramet.contract.declared import NO_DEFAULT, DeclaredMethod
from ramet.contract.problems import Problems
from ramet.contract.service import MethodMark
from ramet.contract.types import complaints
from ramet.errors import Refusal

SEMVER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")
UNRESOLVED = object()


def resolve(annotation: Any, cls: type, problems: Problems, at: object, what: str) -> Any:
    """The type an annotation names, seen from inside a class; `UNRESOLVED` after reporting that there is none."""
    holder = type("annotation", (), {"__annotations__": {"it": annotation}})
    scope = {name: value for base in reversed(cls.__mro__) for name, value in vars(base).items()}
    module = sys.modules.get(cls.__module__)
    try:
        return typing.get_type_hints(holder, vars(module) if module else {}, scope, include_extras=True)["it"]
    except NameError as error:
        name = error.name or str(error)
        problems.add(at, f'{what} has the unknown type "{name}".', f"Import {name}, or mend the name.", word=name)
    except (SyntaxError, TypeError, AttributeError) as error:
        problems.add(at, f"{what} has an annotation that is no type: {error}.", "Write a type.")
    return UNRESOLVED


def read_method(cls: type, name: str, mark: MethodMark, problems: Problems) -> DeclaredMethod:
    """One query or command of a contract, with every mistake in its signature reported."""
    function = vars(cls)[name]
    title = f"{cls.__name__}.{name}"
    if not inspect.iscoroutinefunction(function):
        problems.add(function, f"{title} is not async.", f"Write `async def {name}(…)`: any call may travel.")
    signature = inspect.signature(function)
    parameters = []
    for parameter in list(signature.parameters.values())[1:]:
        hint = _read_parameter(cls, function, parameter, problems)
        if hint is not UNRESOLVED:
            parameters.append((parameter.name, hint, parameter.default))
    result = _read_result(cls, function, signature, problems)
    return DeclaredMethod(
        name=name,
        kind=mark.kind,
        function=function,
        parameters=tuple(parameters),
        result=result,
        refuses=_read_refusals(cls, function, mark, problems),
    )


def _read_parameter(cls: type, function: Any, parameter: inspect.Parameter, problems: Problems) -> Any:
    title = f"{cls.__name__}.{function.__name__}"
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        star = "*" if parameter.kind is parameter.VAR_POSITIONAL else "**"
        problems.add(
            function,
            f"{title} takes {star}{parameter.name}: a contract says what it takes.",
            "Name each parameter, or take a tuple or a Struct.",
        )
        return UNRESOLVED
    if parameter.kind is parameter.POSITIONAL_ONLY:
        problems.add(function, f"{title} takes {parameter.name} by position only.", "Remove the `/`: arguments travel by name.")
    if parameter.annotation is parameter.empty:
        problems.add(
            function,
            f'{title}: the parameter "{parameter.name}" has no type.',
            f"Annotate it: `{parameter.name}: str`, for instance.",
        )
        return UNRESOLVED
    what = f'{title}: the parameter "{parameter.name}"'
    hint = resolve(parameter.annotation, cls, problems, function, what)
    if hint is UNRESOLVED:
        return hint
    check_type(hint, function, what, problems)
    if isinstance(parameter.default, list | dict | set):
        problems.add(function, f"{what} has a mutable default.", "Use an immutable one: `()`, a Struct or None.")
    return hint


def _read_result(cls: type, function: Any, signature: inspect.Signature, problems: Problems) -> Any:
    title = f"{cls.__name__}.{function.__name__}"
    if signature.return_annotation is signature.empty:
        problems.add(function, f"{title} does not say what it returns.", "Annotate it; `-> None` where it returns nothing.")
        return None
    hint = resolve(signature.return_annotation, cls, problems, function, f"{title}: the result")
    if hint is UNRESOLVED:
        return None
    check_type(hint, function, f"{title}: the result", problems)
    return hint


def _read_refusals(cls: type, function: Any, mark: MethodMark, problems: Problems) -> tuple[type[Refusal], ...]:
    refusals = mark.refuses if isinstance(mark.refuses, tuple) else (mark.refuses,)
    good = []
    for refusal in refusals:
        if isinstance(refusal, type) and issubclass(refusal, Refusal):
            good.append(refusal)
        else:
            shown = getattr(refusal, "__name__", repr(refusal))
            problems.add(
                function,
                f"{cls.__name__}.{function.__name__} refuses {shown}, which is not a Refusal.",
                f"Declare `class {shown}(Refusal)`.",
            )
    return tuple(good)


def check_type(hint: Any, at: object, what: str, problems: Problems) -> None:
    """Report everything that keeps a type from crossing a boundary."""
    for complaint in complaints(hint):
        problems.add(at, f"{what}: {complaint.message}", complaint.remedy)


def refusal_facts(refusal: type[Refusal], problems: Problems | None = None) -> Mapping[str, Any]:
    """The types of a refusal's facts by name."""
    quiet = problems if problems is not None else Problems()
    facts: dict[str, Any] = {}
    for base in reversed(refusal.__mro__):
        for name, annotation in base.__dict__.get("__annotations__", {}).items():
            if name in refusal._fields:
                hint = resolve(annotation, base, quiet, refusal, f'{refusal.__name__}: the fact "{name}"')
                if hint is not UNRESOLVED:
                    facts[name] = hint
    return facts


def compare_signatures(service: type, contract: DeclaredMethod, problems: Problems) -> None:
    """Report where a service's method cannot be called as its contract says."""
    function = getattr(service, contract.name)
    title = f"{service.__name__}.{contract.name}"
    if not inspect.iscoroutinefunction(function):
        problems.add(function, f"{title} is not async, but its contract is.", f"Write `async def {contract.name}(…)`.")
    given = list(inspect.signature(function).parameters.values())[1:]
    if any(parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL) for parameter in given):
        return
    names = [parameter.name for parameter in given]
    wanted = [name for name, _, _ in contract.parameters]
    extra = [parameter.name for parameter in given[len(wanted) :] if parameter.default is NO_DEFAULT]
    if names[: len(wanted)] != wanted or extra:
        problems.add(
            function,
            f"{title} takes ({', '.join(names)}), but its contract says ({', '.join(wanted)}).",
            f"Give it the contract's parameters: `async def {contract.name}(self{''.join(', ' + name for name in wanted)})`.",
        )
