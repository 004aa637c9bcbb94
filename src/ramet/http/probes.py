"""`/healthz`: is the process alive; `/readyz`: should it get traffic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ramet.contract.web.request import Receive
from ramet.http.headers import json_headers
from ramet.http.inflight import InFlight
from ramet.http.operation.responses import Send, send_whole
from ramet.http.surroundings import Check


class Probe:
    """Answers 200 when a check finds nothing wrong, else 503 with what is; with `draining`, also on the way out."""

    def __init__(self, check: Check, draining: InFlight | None = None) -> None:
        self._check = check
        self._draining = draining

    async def serve(self, scope: Mapping[str, Any], receive: Receive, send: Send, places: Mapping[str, str]) -> None:  # noqa: ARG002 - as every target
        """Answer one request."""
        try:
            wrong = dict(await self._check())
        except Exception as error:  # noqa: BLE001 - a check that fails is an answer: not well
            wrong = {"check": type(error).__name__}
        if self._draining is not None and self._draining.closing.is_set():
            wrong["server"] = "it is closing"
        body = msgspec.json.encode({"status": "failing" if wrong else "ok", **({"wrong": wrong} if wrong else {})})
        headers = [*json_headers(body), (b"cache-control", b"no-store")]
        await send_whole(send, 503 if wrong else 200, headers, body)
