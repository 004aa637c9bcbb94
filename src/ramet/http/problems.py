"""Pure: an error as the problem details of RFC 9457, with its status and headers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from ramet.contract.api import kebab
from ramet.errors import (
    DOCS,
    CallError,
    Cancelled,
    DeadlineExceeded,
    Denied,
    InternalError,
    InvalidArguments,
    NotFound,
    OutcomeUnknown,
    RametError,
    Refusal,
    Unauthenticated,
    Unavailable,
)

MEDIA_TYPE = b"application/problem+json"
RESERVED = frozenset({"type", "title", "status", "detail", "instance", "code"})
UNEXPECTED = "Something went wrong here. The operators find the details under this id."

STATUSES: Mapping[type[RametError], tuple[int, str]] = {
    InvalidArguments: (422, "The values do not fit"),
    Unauthenticated: (401, "Not signed in"),
    Denied: (403, "Not allowed"),
    NotFound: (404, "Not found"),
    Cancelled: (409, "Withdrawn"),
    Unavailable: (503, "Not available for now"),
    DeadlineExceeded: (504, "Out of time"),
    OutcomeUnknown: (502, "The outcome is not known"),
}
"""503 and 504 say that the command that failed did nothing; 502 that it may have: repeat it only with its
Idempotency-Key."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """What is sent: `id` is set when the error was unexpected, and its details belong into the log under that id."""

    status: int
    members: dict[str, Any]
    headers: tuple[tuple[bytes, bytes], ...] = ()
    id: str | None = None

    def encode(self) -> bytes:
        """The body."""
        return msgspec.json.encode(self.members)


def problem_of(error: BaseException, *, error_id: str, docs: str = DOCS, challenge: str = "Bearer") -> Problem:
    """What to answer when an operation ends with `error`; `docs` is the address at which its refusals are explained."""
    if isinstance(error, Refusal):
        return _refusal(error, docs)
    for kind in type(error).__mro__:
        if kind in STATUSES:
            return _known(error, *STATUSES[kind], challenge)
    found = error.id if isinstance(error, InternalError) else error_id
    members = {"type": DOCS + InternalError.code, "title": "Internal error", "status": 500, "detail": UNEXPECTED}
    return Problem(status=500, members={**members, "code": InternalError.code, "id": found}, id=found)


def code_of(kind: type[Refusal]) -> str:
    """The stable code of a refusal: its own, or its class's name."""
    return kind.code if kind.code != Refusal.code else kebab(kind.__name__)


def title_of(kind: type[Refusal]) -> str:
    """A title for people: `OutOfStock` becomes "Out of stock"."""
    return kebab(kind.__name__).replace("-", " ").capitalize()


def _refusal(error: Refusal, docs: str) -> Problem:
    kind = type(error)
    own = kind.__module__ == "ramet.http.refusals"
    members: dict[str, Any] = {
        "type": DOCS + code_of(kind) if own or docs == DOCS else f"{docs}#{code_of(kind)}",
        "title": title_of(kind),
        "status": kind.status,
        "detail": str(error),
        "code": code_of(kind),
    }
    facts = msgspec.to_builtins(error.facts, str_keys=True)
    clashing = {name: value for name, value in facts.items() if name in RESERVED}
    members.update((name, value) for name, value in facts.items() if name not in RESERVED)
    if clashing:
        members["facts"] = clashing
    return Problem(status=kind.status, members=members)


def _known(error: BaseException, status: int, title: str, challenge: str) -> Problem:
    code = error.code if isinstance(error, RametError) else ""
    detail = str(error) or (type(error).__doc__ or "").strip().split("\n")[0]
    if isinstance(error, CallError) and not isinstance(error, InvalidArguments):
        detail = (
            (type(error).__doc__ or "").strip().split("\n")[0]
        )  # what it says of our own services is not for the public
    members = {"type": DOCS + code, "title": title, "status": status, "detail": detail, "code": code}
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if status == 401:
        headers = ((b"www-authenticate", challenge.encode("latin-1")),)
    if status == 503:
        headers = ((b"retry-after", b"1"),)
    return Problem(status=status, members=members, headers=headers)


def challenge_of(security: Mapping[str, Any]) -> str:
    """The WWW-Authenticate header for an OpenAPI security scheme."""
    for name, scheme in security.items():
        if scheme.get("type") == "http":
            return re.sub(r"^\w", lambda match: match.group().upper(), str(scheme.get("scheme", "bearer")))
        return f'{"Bearer" if scheme.get("type") in ("oauth2", "openIdConnect") else "ApiKey"} realm="{name}"'
    return "Bearer"
