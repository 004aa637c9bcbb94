"""For users' tests: a running application, clients, virtual time, fakes."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ramet.clock import VirtualClock
    from ramet.testing.application import running
    from ramet.testing.held import RunningApplication
    from ramet.testing.placements import Placement, Processes
    from ramet.testing.servers import Servers
    from ramet.testing.stubs import NotFaked

__all__ = ["NotFaked", "Placement", "Processes", "RunningApplication", "Servers", "VirtualClock", "running"]

_HOMES = {
    "NotFaked": "ramet.testing.stubs",
    "Placement": "ramet.testing.placements",
    "Processes": "ramet.testing.placements",
    "RunningApplication": "ramet.testing.held",
    "Servers": "ramet.testing.servers",
    "VirtualClock": "ramet.clock",
    "running": "ramet.testing.application",
}


def __getattr__(name: str) -> Any:
    """Import on first use: pytest loads this package for its plugin, in every project that has Ramet installed."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
