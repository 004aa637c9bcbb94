"""Where the services of a test are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Placement = Literal["together", "strict", "apart", "processes"]
IN_ONE_PROCESS: tuple[Placement, ...] = ("together", "strict", "apart")


@dataclass(frozen=True, kw_only=True)
class Processes:
    """Real processes, with the process groups of a deployment of ramet.toml; "" for the only one that has any.

    Where none has groups, each service is a process of its own.
    """

    deployment: str = ""
