"""Pure: what one Python file says by itself, before anybody knows what its names mean; kept in the cache by content.

Dotted names are written in one of three ways: "a.b" as the file would import it, ".b" or "..b" relative to its package,
":Name" defined in the file itself.
"""

from __future__ import annotations

from typing import NamedTuple, dataclass_transform

import msgspec

from ramet.advisor.facts import Kind


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Part(msgspec.Struct, frozen=True, array_like=True):
    """Base of what a file says; short on disk because every code base has very many of them."""


class Import(Part):
    """`from module import names` (names with what they are bound to), or `import module` (no names)."""

    module: str
    names: tuple[tuple[str, str], ...]
    line: int
    kind: Kind


class Use(Part):
    """A name from elsewhere that is called: how often, and the first lines."""

    name: str
    count: int
    lines: tuple[int, ...]


class Text(Part):
    """A string that may be a reference. `how`: dotted, app, model, class, task, sql."""

    text: str
    line: int
    how: str


class Link(Part):
    """A foreign key: a dotted name, or a string such as "app.Model", "table.column" or "self" when `quoted`."""

    target: str
    line: int
    quoted: bool


class Shape(Part):
    """A class, or an assigned `Table(...)`, that may be a table once its bases are known."""

    name: str
    line: int
    bases: tuple[str, ...]
    table: str
    label: str
    abstract: bool
    proxy: bool
    mapped: bool
    links: tuple[Link, ...]


class Touch(Part):
    """A model or table that is read or written in a function; `sure` if the syntax alone says that it is a table."""

    name: str
    line: int
    writes: bool
    function: str
    transaction: str
    sure: bool


class Ask(Part):
    """A function calls another, `target`, once or more."""

    function: str
    target: str
    line: int
    transaction: str


class Hand(Part):
    """A function gives a parameter on to `target` and does nothing else with it."""

    function: str
    parameter: str
    target: str
    line: int


class Web(Part):
    """A route that is served, or a request that is made."""

    method: str
    path: str
    line: int
    serves: bool


class Note(Part):
    """A message, task or signal; `name` is a dotted name where `resolve` says so."""

    name: str
    line: int
    sends: bool
    system: str
    resolve: bool


class Leaf(Part):
    """Everything one file says. `trouble` is why it could be read only in part, or ""."""

    lines: int = 0
    functions: int = 0
    classes: int = 0
    complexity: int = 0
    doc: str = ""
    words: dict[str, int] = {}
    defined: tuple[str, ...] = ()
    imports: tuple[Import, ...] = ()
    uses: tuple[Use, ...] = ()
    texts: tuple[Text, ...] = ()
    shapes: tuple[Shape, ...] = ()
    touches: tuple[Touch, ...] = ()
    asks: tuple[Ask, ...] = ()
    committing: tuple[str, ...] = ()  # functions that commit by themselves
    hands: tuple[Hand, ...] = ()
    webs: tuple[Web, ...] = ()
    notes: tuple[Note, ...] = ()
    trouble: str = ""
    detail: str = ""


class Read(NamedTuple):
    """A leaf, and the digest of the content that it was made of; b"" where the file could not be opened."""

    digest: bytes
    leaf: Leaf
