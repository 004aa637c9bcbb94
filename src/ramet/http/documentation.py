"""The OpenAPI document of an API, and the page that shows it and lets one try: self-contained, without a network."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import msgspec

from ramet.contract.api import ApiDeclaration
from ramet.contract.exchange import Receive
from ramet.contract.routes import Route
from ramet.http.openapi import openapi
from ramet.http.responses import Send, send_whole


class Documentation:
    """Serves one fixed text."""

    def __init__(self, media_type: str, text: bytes) -> None:
        self._headers = [
            (b"content-type", media_type.encode()),
            (b"content-length", b"%d" % len(text)),
            (b"cache-control", b"no-cache"),
        ]
        self._text = text

    async def serve(self, scope: Mapping[str, Any], receive: Receive, send: Send, places: Mapping[str, str]) -> None:
        """Answer one request."""
        await send_whole(send, 200, self._headers, self._text)


def documentation(api: ApiDeclaration, routes: Sequence[Route]) -> dict[str, Documentation]:
    """What is served, by path: the document, and the page."""
    document = msgspec.json.encode(openapi(api, routes))
    page = (files("ramet.http") / "static" / "docs.html").read_text(encoding="utf-8")
    page = page.replace("{{title}}", html.escape(api.title)).replace(
        "{{document}}", document.decode().replace("</", "<\\/")
    )
    return {
        f"{api.prefix}/openapi.json": Documentation("application/json", document),
        f"{api.prefix}/docs": Documentation("text/html; charset=utf-8", page.encode()),
    }
