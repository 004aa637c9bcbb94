"""Pure: what was found in a code base, as frozen values; everything the advisor says is derived from these.

Places are paths relative to the root with "/" and lines that begin with 1. Modules are known by their path: names
depend on roots, paths do not.
"""

from __future__ import annotations

from enum import StrEnum
from typing import dataclass_transform

import msgspec

from ramet.settings import ValueType


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Fact(msgspec.Struct, metaclass=ValueType, frozen=True, kw_only=True):
    """Base of all facts."""


class Place(Fact):
    """A line of a file."""

    path: str
    line: int


class Module(Fact):
    """A Python file that was read. `words` are the vocabulary of its identifiers, with how often each occurs."""

    path: str
    name: str
    lines: int
    role: str = ""  # models, views, tasks, urls, tests, migrations, settings …; "" where none is known
    functions: int = 0
    classes: int = 0
    complexity: int = 0
    words: dict[str, int] = {}
    doc: str = ""


class Kind(StrEnum):
    """How a module depends on another."""

    IMPORT = "import"
    LAZY = "lazy"  # inside a function
    TYPING = "typing"  # under TYPE_CHECKING
    STRING = "string"  # a dotted name, an app label, a task name in a string
    CALL = "call"  # a call of a name that resolves there; `count` says how many


class Edge(Fact):
    """`source` depends on `target` (paths of modules), at these lines."""

    source: str
    target: str
    kind: Kind
    lines: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    count: int = 1


class Table(Fact):
    """A table or model, and where it is declared. `framework`: django, sqlalchemy, sqlmodel, sql."""

    name: str
    model: str
    place: Place
    framework: str
    references: tuple[str, ...] = ()  # names of the tables its foreign keys point to
    reference_places: tuple[Place, ...] = ()  # where each of them is written: in the table, or in an abstract base


class Access(Fact):
    """A module reads or writes a table; `transaction` names the function or block that holds it open, if any."""

    path: str
    line: int
    table: str
    writes: bool
    transaction: str = ""


class Reached(Fact):
    """A transaction touches a table in a function that it calls, at `place`, or one that this calls; there at `access`.

    `transaction` is named as in `Access`.
    """

    place: Place
    transaction: str
    table: str
    writes: bool
    access: Place


class Route(Fact):
    """An HTTP route that is served."""

    place: Place
    method: str
    path: str


class Request(Fact):
    """An HTTP request that is made; `target` is a URL, a host, or the name of the setting that holds one."""

    place: Place
    method: str
    target: str


class Topic(Fact):
    """A message, task or signal that is sent or received."""

    place: Place
    name: str
    sends: bool
    system: str = ""  # celery, kafka, nats, rabbitmq, django-signal …


LARGEST_COMMIT = 30


class Commit(Fact):
    """A commit that HEAD contains: `at` in seconds since the epoch, `author` folded by mailmap, name and address.

    Files are known by the names they have today where a rename could be recognised; a merge has none of its own.
    `squash` if it says that it is a pull request in one piece; then `coauthors` are those it names.
    """

    id: str
    at: float
    author: str
    files: tuple[str, ...]
    merge: bool = False
    subject: str = ""
    squash: bool = False
    coauthors: tuple[str, ...] = ()

    @property
    def is_large(self) -> bool:
        """It changes so many files that it says nothing about coupling: it moves or reformats (code-maat's default)."""
        return len(self.files) > LARGEST_COMMIT


class Pass(Fact):
    """A function gives a parameter on to a function of `target`, a module, and does nothing else with it."""

    place: Place
    function: str
    parameter: str
    target: str


class Call(Fact):
    """A call seen at run time, summed up: between two services, or modules, with its mean latency and payload."""

    source: str
    target: str
    operation: str
    count: int
    mean_ms: float
    bytes: int = 0


class Gap(Fact):
    """Something that could not be read, and what that means for the report."""

    what: str
    why: str
    count: int = 1
    examples: tuple[str, ...] = ()


class Owner(Fact):
    """A line of CODEOWNERS."""

    pattern: str
    owners: tuple[str, ...]


class Signal(Fact):
    """Evidence for or against an item of the readiness checklist or an anti-pattern, such as a Dockerfile."""

    name: str
    place: Place
    detail: str = ""


class Facts(Fact):
    """Everything found under one root. Sorted throughout, so that equal input gives equal facts."""

    root: str
    roots: tuple[str, ...] = ()  # where imports begin
    modules: tuple[Module, ...] = ()
    edges: tuple[Edge, ...] = ()
    tables: tuple[Table, ...] = ()
    accesses: tuple[Access, ...] = ()
    reached: tuple[Reached, ...] = ()
    routes: tuple[Route, ...] = ()
    requests: tuple[Request, ...] = ()
    topics: tuple[Topic, ...] = ()
    passes: tuple[Pass, ...] = ()
    commits: tuple[Commit, ...] = ()  # newest first
    tags: tuple[tuple[str, float], ...] = ()
    owners: tuple[Owner, ...] = ()
    signals: tuple[Signal, ...] = ()
    traffic: tuple[Call, ...] = ()
    gaps: tuple[Gap, ...] = ()
