"""The OpenAPI document of an API, and the page that shows it and lets one try: self-contained, without a network."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import msgspec

from ramet.contract.api import ApiDeclaration
from ramet.contract.operations import Route
from ramet.contract.web.request import Receive
from ramet.http.openapi import openapi
from ramet.http.operation.responses import Send, send_whole

POLICY = (
    b"default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; img-src data:; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Documentation:
    """Serves one fixed text."""

    def __init__(self, media_type: str, text: bytes) -> None:
        self._headers = [
            (b"content-type", media_type.encode()),
            (b"content-length", b"%d" % len(text)),
            (b"cache-control", b"no-cache"),
            (b"content-security-policy", POLICY),
            (b"x-content-type-options", b"nosniff"),
        ]
        self._text = text

    async def serve(self, scope: Mapping[str, Any], receive: Receive, send: Send, places: Mapping[str, str]) -> None:  # noqa: ARG002 - as every target
        """Answer one request."""
        await send_whole(send, 200, self._headers, self._text)


def documentation(api: ApiDeclaration, routes: Sequence[Route]) -> dict[str, Documentation]:
    """What is served, by name: the document, and the page."""
    document = msgspec.json.encode(openapi(api, routes))
    page = (files("ramet.http") / "static" / "docs.html").read_text(encoding="utf-8")
    embedded = document.decode().replace("<", "\\u003c")  # nothing in it can end the script element
    page = page.replace("{{title}}", html.escape(api.title)).replace("{{document}}", embedded)
    return {
        "openapi.json": Documentation("application/json", document),
        "docs": Documentation("text/html; charset=utf-8", page.encode()),
    }
