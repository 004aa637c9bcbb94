"""Who is measured: each module is one process, given its arguments as JSON, that prints its figures as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any


def contend(measure: Callable[..., Mapping[str, float]]) -> None:
    """Run a contender: `if __name__ == "__main__": contend(measure)`."""
    print(json.dumps(measure(**json.loads(sys.argv[1]))))


def arguments() -> dict[str, Any]:
    """What the process was asked to do."""
    found: dict[str, Any] = json.loads(sys.argv[1])
    return found
