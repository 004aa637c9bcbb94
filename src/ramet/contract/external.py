"""`External`: a contract that is answered outside of the application, as JSON over HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class External:
    """A service in another language, or of another application, that implements `contract` at `url`.

    It answers `POST <url>/<contract>/<method>`, as the exported OpenAPI document of the contract says. `token` is sent
    as a bearer token; "env:NAME" reads it, and the URL too, from the environment.

    >>> External(Recommendations, url="http://localhost:8090")
    """

    contract: type[Any]
    url: str = field(kw_only=True)
    token: str = field(default="", kw_only=True, repr=False)
