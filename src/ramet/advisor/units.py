"""Pure: the parts of a code base that are deployed by themselves already, and who asks whom.

A folder with a Dockerfile and Python modules below it is a unit, and one with a project file or a `manage.py` where
something below it serves routes or receives messages: else it is a library. A code base without at least two units
that hold half of its code is one unit: a monolith.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import NamedTuple
from urllib.parse import urlsplit

from ramet.advisor.facts import Facts, Module, Place, Request
from ramet.advisor.scan.roles import role_of

MARKERS = ("dockerfile", "project", "manage.py")
FEWEST_LINES = 30
"""A folder with less Python than this is a script, not a service."""
NO_NAMES = frozenset({"src", "docker", "app", "build", "deploy", "python"})
"""Folders that do not say what service it is that lies in them."""
LEAST_SHARE = 0.5
"""Where the units have less of the code than this, it is one application with something beside it."""


SETTING = re.compile(r"(?:\w+://)?\{([\w.]+)\}")
"""A request whose address begins with the value of a name: f"{settings.ORDERS_URL}/orders", f"http://{ORDERS_HOST}"."""


class Unit(NamedTuple):
    """A deployable part: its name, its folder ("" is the root), its modules."""

    name: str
    folder: str
    modules: tuple[Module, ...]

    @property
    def lines(self) -> int:
        """Lines of Python, tests and migrations left out."""
        return sum(one.lines for one in self.modules if one.role not in ("tests", "migrations"))


class Asked(NamedTuple):
    """One unit makes HTTP requests to another, at these places."""

    source: str
    target: str
    places: tuple[Place, ...]


class Units:
    """The units of a code base; looked up by path and by what an HTTP request is sent to."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self.all: tuple[Unit, ...] = tuple(_units(facts))
        self._by_folder = {one.folder: one for one in self.all}
        self._names = {_plain(one.name): one.name for one in self.all}

    @property
    def several(self) -> bool:
        """Whether there are at least two."""
        return len(self.all) > 1

    @cached_property
    def parts(self) -> Mapping[str, str]:
        """The unit of each module, by path."""
        return {module.path: unit.name for unit in self.all for module in unit.modules}

    def of(self, path: str) -> str | None:
        """The unit that a file of any kind belongs to."""
        folder = path
        while folder:
            folder = folder.rpartition("/")[0]
            if folder in self._by_folder:
                return self._by_folder[folder].name
        return None

    def addressed(self, request: Request) -> str | None:
        """The unit that a request is sent to, where its host, or the setting that holds it, names one."""
        target = request.target
        if setting := SETTING.match(target):
            words = [_plain(_without_suffix(setting[1]))]
        else:
            host = (_host(target) if "//" in target else target.partition("/")[0]) or ""
            words = [_plain(host), _plain(host.partition(".")[0]), _plain(_without_suffix(host))]
        return next((self._names[word] for word in words if word in self._names), None)

    @cached_property
    def asked(self) -> tuple[Asked, ...]:
        """Who makes requests to whom."""
        found: dict[tuple[str, str], list[Place]] = {}
        for request in self._facts.requests:
            if role_of(request.place.path) == "tests":
                continue
            source, target = self.of(request.place.path), self.addressed(request)
            if source and target and source != target:
                found.setdefault((source, target), []).append(request.place)
        return tuple(Asked(*pair, tuple(places)) for pair, places in sorted(found.items()))


def services(facts: Facts) -> Mapping[str, str]:
    """Of each module the folder of the service of Ramet that it belongs to, where there are several.

    A service is a folder in which a contract or a public API is declared.
    """
    places = [one.place.path for one in facts.signals if one.name == "service" and role_of(one.place.path) != "tests"]
    folders = {path.rpartition("/")[0] for path in places} - {""}
    if len(folders) < 2:
        return {}
    nearest = {one.path: next((above for above in _above(one.path) if above in folders), None) for one in facts.modules}
    return {path: folder for path, folder in nearest.items() if folder is not None}


def _units(facts: Facts) -> Iterable[Unit]:
    folders = _marked(facts)
    found: dict[str, list[Module]] = {}
    for module in facts.modules:
        found.setdefault(next((one for one in _above(module.path) if one in folders), ""), []).append(module)
    units = [Unit(folder, folder, tuple(modules)) for folder, modules in sorted(found.items())]
    real = _named([one for one in units if one.folder and one.lines >= FEWEST_LINES])
    whole = Unit("the application", "", facts.modules)
    if len(real) < 2 or sum(one.lines for one in real) < LEAST_SHARE * whole.lines:
        return [whole]
    return real


def _named(units: list[Unit]) -> list[Unit]:
    """Units by the last name of their folder that says what they are; by the whole path where that is not theirs alone.

    An image in cart/src is of the cart.
    """
    short = [
        next((part for part in reversed(one.folder.split("/")) if part not in NO_NAMES), one.folder) for one in units
    ]
    counts = Counter(short)
    return [
        one._replace(name=name if counts[name] == 1 else one.folder) for one, name in zip(units, short, strict=True)
    ]


def _marked(facts: Facts) -> set[str]:
    """Folders with an image of their own; and those with a project of their own that serve or receive something.

    A folder that is a package itself is none: its `setup.py` or `manage.py` is a module like others.
    """
    packages = {one.path.rpartition("/")[0] for one in facts.modules if one.path.endswith("__init__.py")}
    places = [one.place.path for one in facts.routes] + [one.place.path for one in facts.topics if not one.sends]
    serving = {folder for path in places for folder in _above(path)} - packages
    found = set()
    for one in facts.signals:
        folder = one.place.path.rpartition("/")[0]
        if role_of(one.place.path) == "tests":
            continue
        if one.name == "dockerfile" or (one.name in MARKERS and folder in serving):
            found.add(folder)
    return found - {""}


def _above(path: str) -> list[str]:
    """The folders of a path, the nearest first, without the root."""
    folders = path.split("/")[:-1]
    return ["/".join(folders[:depth]) for depth in range(len(folders), 0, -1)]


def _host(target: str) -> str:
    """The host of a URL; "" where it is none."""
    try:
        return urlsplit(target).hostname or ""
    except ValueError:  # brackets that belong to no address, as in a template
        return ""


def _plain(name: str) -> str:
    """Without what is said differently in different places: "order-service", "ORDER_SERVICE" and "orders" are one."""
    word = re.sub(r"[^a-z0-9]", "", name.lower())
    word = re.sub(r"(service|svc|api|app|server|backend)$", "", word) or word
    return word.rstrip("s")


def _without_suffix(setting: str) -> str:
    """The name in a setting that holds an address: ORDERS_URL, settings.ORDER_SERVICE_BASE_URL."""
    name = setting.rpartition(".")[2]
    return re.sub(
        r"_?(base)?_?(url|uri|host|host_?name|endpoint|address|addr|root|server)$", "", name, flags=re.IGNORECASE
    )
