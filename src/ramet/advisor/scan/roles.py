"""Pure: the role of a module by where it lies and what it is called, as the usual frameworks have it."""

from __future__ import annotations

BY_NAME = {
    name: role
    for role, names in {
        "models": "models model orm entities",
        "views": "views view viewsets handlers controllers endpoints",
        "urls": "urls routes routers routing",
        "tasks": "tasks jobs celery",
        "serializers": "serializers schemas schema serialisers",
        "forms": "forms form",
        "admin": "admin",
        "apps": "apps",
        "settings": "settings config conf configuration",
        "signals": "signals receivers",
        "tests": "tests test conftest testing factories",
        "migrations": "migrations",
        "commands": "management commands",
        "managers": "managers querysets",
        "utils": "utils util helpers helper common",
        "constants": "constants enums consts choices",
        "exceptions": "exceptions errors",
        "permissions": "permissions",
        "middleware": "middleware middlewares",
        "main": "__main__ main manage wsgi asgi",
    }.items()
    for name in names.split()
}
TEST_FOLDERS = frozenset({"tests", "test", "testing", "unittests", "functional_tests", "e2e"})


def role_of(path: str) -> str:
    """`tests` and `migrations` by any folder above; others by the name of the file, or of its folder; "" if unknown."""
    *folders, file = path.split("/")
    stem = file.removesuffix(".py")
    if (
        folders[:1] == ["t"]
        or any(one in TEST_FOLDERS or one.endswith(("_tests", "-tests")) for one in folders)
        or stem.startswith("test_")
        or stem.endswith(("_test", "_tests"))
        or stem == "conftest"
    ):
        return "tests"
    if "migrations" in folders or ("versions" in folders and ("alembic" in folders or "migrate_repo" in folders)):
        return "migrations"
    if stem in BY_NAME:
        return BY_NAME[stem]
    return BY_NAME.get(folders[-1], "") if folders and stem != "__init__" else ""
