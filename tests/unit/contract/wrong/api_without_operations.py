#: 9: Shop has no operation. Mark a method with @get, @post, @put, @patch or @delete.
#: 9: Shop has the prefix "api". It begins with a slash: "/api".
"""A public API answers something."""

from __future__ import annotations
from ramet import Api


class Shop(Api, prefix="api"): ...
