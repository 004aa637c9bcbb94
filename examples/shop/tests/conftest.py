"""What the tests share: where the shop is, and settings that keep each test to itself."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent.parent
sys.path.insert(0, str(FOLDER))


@pytest.fixture
def settings(tmp_path: Path) -> Mapping[str, Mapping[str, Any]]:
    """A card network without faults, and passwords that cost nothing."""
    return {
        "users": {"token_secret": "for a test", "password_cost": 2},
        "orders": {"time_to_cancel": "1m"},
        "payments": {},
        "notifications": {"outbox": str(tmp_path / "outbox")},
    }
