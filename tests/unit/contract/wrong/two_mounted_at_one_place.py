#: 12: legacy and admin are both mounted at "/". Give one of them another prefix.
#: 13: The name "admin" of a mounted application is taken. Give it one of its own.
#: 13: admin is mounted at "reports". A prefix begins with a slash: "/reports".
#: 14: old has the interface "cgi". It is "auto", "asgi" or "wsgi".
#: 14: old is found at "shop_old". Write "package.module:name", or "package.module:make()".
"""A path leads to one application."""

from __future__ import annotations
from ramet import Mounted

LEGACY = Mounted(name="legacy", app="shop_legacy:application", prefix="/")
ADMIN = Mounted(name="admin", app="shop_admin:application", prefix="/")
REPORTS = Mounted(name="admin", app="shop_reports:application", prefix="reports")
OLD = Mounted(name="old", app="shop_old", prefix="/old", interface="cgi")
