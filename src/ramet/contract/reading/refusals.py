"""Refusals as declared: the types of their facts, and what is wrong with them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from ramet.contract.problems import Problems
from ramet.contract.reading.hints import UNRESOLVED, check_type, resolve
from ramet.errors import Refusal

TAKEN = frozenset(dir(Refusal)) - {"__annotations__"}


def refusal_facts(refusal: type[Refusal], problems: Problems | None = None) -> Mapping[str, Any]:
    """The types of a refusal's facts by name."""
    heard = problems if problems is not None else Problems()
    facts: dict[str, Any] = {}
    for base in reversed(refusal.__mro__):
        for name, annotation in inspect.get_annotations(base).items():
            if name in refusal._fields:
                hint = resolve(annotation, base, heard, base, f'{refusal.__name__}: the fact "{name}"')
                if hint is not UNRESOLVED:
                    facts[name] = hint
    return facts


def check_refusal(refusal: type[Refusal], problems: Problems) -> None:
    """Report what keeps a refusal from crossing a boundary."""
    if not (isinstance(refusal.status, int) and 400 <= refusal.status <= 499):
        problems.add(
            refusal,
            f"{refusal.__name__} has the status {refusal.status}.",
            "A refusal is the caller's to mend: write one of 400 to 499.",
            word="status",
        )
    for name, hint in refusal_facts(refusal, problems).items():
        what = f'{refusal.__name__}: the fact "{name}"'
        if name in TAKEN:
            problems.add(refusal, f"{what} hides what every refusal has.", "Give it another name.", word=name)
        check_type(hint, refusal, what, problems, word=name)
