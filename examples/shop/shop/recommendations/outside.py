"""Where the recommendations are: `node recommendations/server.mjs`, or wherever [external.recommendations] says."""

from __future__ import annotations

from ramet import External
from shop.recommendations.contract import Recommendations

recommendations = External(Recommendations, url="http://127.0.0.1:8090")
