"""Where the examples are, and the real servers, each started once for everybody who needs it."""

from __future__ import annotations

import sys
from pathlib import Path

SHOP = Path(__file__).parents[2] / "examples" / "shop"
sys.path.insert(0, str(SHOP))
