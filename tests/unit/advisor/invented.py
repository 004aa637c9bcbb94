"""Invented facts: a small repository of services, and a history, for tests that need something to look at."""

from __future__ import annotations

from typing import Any

from ramet.advisor.facts import Access, Commit, Edge, Facts, Kind, Module, Place, Request, Route, Signal, Table

DAY = 86_400.0
NOW = 1_700_000_000.0


def module(path: str, lines: int = 100, **more: Any) -> Module:
    """A module of a given size."""
    return Module(path=path, name=path.removesuffix(".py").replace("/", "."), lines=lines, **more)


def at(path: str, line: int = 1) -> Place:
    """A place."""
    return Place(path=path, line=line)


def commit(number: int, *files: str, days_ago: float = 1.0, author: str = "ann", subject: str = "") -> Commit:
    """A commit some days before now."""
    return Commit(id=f"{number:040x}", at=NOW - days_ago * DAY, author=author, files=files, subject=subject)


def imports(source: str, target: str, *lines: int, kind: Kind = Kind.IMPORT) -> Edge:
    """A module imports another."""
    return Edge(source=source, target=target, kind=kind, lines=lines or (1,))


def shop(**changed: Any) -> Facts:
    """Three services with a Dockerfile each: orders asks stock; nothing is wrong with them."""
    given: dict[str, Any] = {
        "root": "shop",
        "modules": tuple(module(f"{name}/{part}.py", 400) for name in SERVICES for part in ("app", "models")),
        "signals": tuple(Signal(name="dockerfile", place=at(f"{name}/Dockerfile")) for name in SERVICES),
        "tables": tuple(
            Table(name=name, model=name.title(), place=at(f"{name}/models.py", 3), framework="django")
            for name in SERVICES
        ),
        "accesses": tuple(Access(path=f"{name}/app.py", line=9, table=name, writes=True) for name in SERVICES),
        "routes": tuple(
            Route(place=at(f"{name}/app.py", 20 + n), method="GET", path=f"/{n}") for name in SERVICES for n in range(3)
        ),
        "requests": (asks("orders", "http://stock:8000/items"),),
    }
    return Facts(**{**given, **changed})


SERVICES = ("mail", "orders", "stock")


def asks(service: str, target: str, line: int = 30) -> Request:
    """A service makes an HTTP request."""
    return Request(place=at(f"{service}/app.py", line), method="GET", target=target)
