"""The public surface is a sorted list, and it changes on purpose only."""

from __future__ import annotations

import subprocess
import sys

import ramet

PUBLIC: tuple[str, ...] = (
    "Api",
    "Application",
    "Body",
    "Caller",
    "Clock",
    "Context",
    "Contract",
    "Cookie",
    "Database",
    "Denied",
    "Event",
    "EventStream",
    "External",
    "File",
    "Form",
    "Header",
    "InvalidArguments",
    "Limits",
    "Message",
    "Mounted",
    "NotFound",
    "OutcomeUnknown",
    "Page",
    "Paged",
    "Query",
    "RametError",
    "Redirect",
    "Refusal",
    "Reply",
    "Request",
    "Saga",
    "SagaRef",
    "Secret",
    "Settings",
    "Stream",
    "Struct",
    "SystemClock",
    "Unauthenticated",
    "Unavailable",
    "Upload",
    "VirtualClock",
    "blocking",
    "calling",
    "client",
    "command",
    "delete",
    "every",
    "get",
    "on",
    "patch",
    "post",
    "put",
    "query",
    "step",
    "wait",
)
HEAVY = {"sqlalchemy", "alembic", "starlette", "uvicorn", "typer", "click", "rich", "watchfiles", "httpx", "pydantic"}
MOST_MODULES = 450
"""`import ramet` loads fewer modules than this, Python's own included: what costs time is counted, not timed."""


def test_the_public_names_are_these() -> None:
    assert tuple(ramet.__all__) == PUBLIC


ALIASES = {"EventStream"}
"""Names of types have no docstring of their own; the string below them documents them."""


def test_the_list_is_sorted() -> None:
    assert list(ramet.__all__) == sorted(ramet.__all__)


def test_every_public_name_is_there_and_documented() -> None:
    missing = [name for name in ramet.__all__ if not hasattr(ramet, name)]
    assert not missing
    values = {name: getattr(ramet, name) for name in ramet.__all__ if name not in ALIASES}
    silent = [name for name, value in values.items() if not (value.__doc__ or "").strip()]
    assert not silent


def loaded(statement: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after this statement."""
    program = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_importing_ramet_stays_light() -> None:
    modules = loaded("import ramet")
    assert not HEAVY & modules
    assert len(modules) < MOST_MODULES


def test_every_public_name_can_be_used_without_the_heavy_libraries() -> None:
    assert not HEAVY & loaded("from ramet import *")
