"""Pure: which other origins browsers may call from (Fetch standard, section 3.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ramet.http.headers import HeaderList
from ramet.http.surroundings import Cors


class CorsRules:
    """Decides what to add to an answer, and answers preflight requests."""

    def __init__(self, cors: Cors) -> None:
        self._cors = cors
        self._all = "*" in cors.origins
        self._origins = frozenset(cors.origins)

    def headers(self, scope: Mapping[str, Any]) -> HeaderList:
        """What to add to the answer of a request; nothing unless it comes from another origin that is allowed."""
        origin = _header(scope["headers"], b"origin")
        if origin is None or not (self._all or origin.decode("latin-1") in self._origins):
            return []
        found = [(b"access-control-allow-origin", origin if self._cors.credentials or not self._all else b"*")]
        found.append((b"vary", b"Origin"))
        if self._cors.credentials:
            found.append((b"access-control-allow-credentials", b"true"))
        if self._cors.expose:
            found.append((b"access-control-expose-headers", ", ".join(self._cors.expose).encode()))
        return found

    def preflight(self, scope: Mapping[str, Any]) -> HeaderList | None:
        """The headers of the answer to a preflight request; None when it is none."""
        wanted = _header(scope["headers"], b"access-control-request-method")
        if scope["method"] != "OPTIONS" or wanted is None:
            return None
        found = self.headers(scope)
        if not found:
            return []
        asked = _header(scope["headers"], b"access-control-request-headers") or b""
        allowed = asked if "*" in self._cors.headers else ", ".join(self._cors.headers).encode()
        found.append((b"access-control-allow-methods", ", ".join(self._cors.methods).encode()))
        found.append((b"access-control-max-age", b"%d" % self._cors.max_age_seconds))
        if allowed:
            found.append((b"access-control-allow-headers", allowed))
        return found


def _header(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    return next((value for key, value in headers if key == name), None)
