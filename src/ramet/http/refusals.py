"""The refusals that the HTTP layer itself answers with."""

from __future__ import annotations

import msgspec

from ramet.errors import Refusal


class Wrong(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"place": "in"}):
    """One wrong value: `pointer` (RFC 6901) leads to it in a body, `name` names it elsewhere."""

    place: str
    message: str
    name: str | None = None
    pointer: str | None = None


class InvalidRequest(Refusal, status=422):
    """The request has values that do not fit; "errors" names each of them."""

    code = "invalid-request"
    errors: tuple[Wrong, ...]


class MalformedBody(Refusal, status=400):
    """The body cannot be read: {reason}."""

    code = "malformed-body"
    reason: str


class BodyTooLarge(Refusal, status=413):
    """The body is larger than the {limit} bytes that this operation takes."""

    code = "body-too-large"
    limit: int


class BodyTooSlow(Refusal, status=408):
    """The body did not arrive in time."""

    code = "body-too-slow"


class UnsupportedMediaType(Refusal, status=415):
    """The body is {given}; this operation takes {wanted}."""

    code = "unsupported-media-type"
    given: str
    wanted: str


class NoSuchPath(Refusal, status=404):
    """There is nothing at {path}{hint}."""

    code = "no-such-path"
    path: str
    hint: str = ""


class MethodNotAllowed(Refusal, status=405):
    """{method} is not answered here; "allowed" names the methods that are."""

    code = "method-not-allowed"
    method: str
    allowed: tuple[str, ...]
