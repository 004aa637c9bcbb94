#: 10: legacy and admin are both mounted at "/". Give one of them another prefix.
#: 11: The name "admin" of a mounted application is taken. Give it one of its own.
#: 11: admin is mounted at "reports". A prefix begins with a slash: "/reports".
"""A path leads to one application."""

from __future__ import annotations
from ramet import Mounted

LEGACY = Mounted(name="legacy", app="shop_legacy:application", prefix="/")
ADMIN = Mounted(name="admin", app="shop_admin:application", prefix="/")
REPORTS = Mounted(name="admin", app="shop_reports:application", prefix="reports")
