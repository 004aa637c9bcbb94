"""Pure: from what `git log` prints to commits: renames followed backwards, the several names of one person folded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ramet.advisor.facts import Commit

START, FIELD, ITEM = b"\x01", b"\x02", b"\x03"
FORMAT = "%x01%H%x02%ct%x02%aN%x02%aE%x02%P%x02%(trailers:key=Co-authored-by,valueonly,separator=%x03)%x02%s"
PULL_REQUEST = re.compile(r"\(#\d+\)\s*$")
PERSON = re.compile(r"^(.*?)\s*<([^>]*)>\s*$")
MOST_FILES = 1_000  # of one commit; whoever changes more moves the furniture


class Change(NamedTuple):
    """One file of a commit: A, D, M or T, the blobs before and after."""

    path: str
    status: str
    before: bytes
    after: bytes


class Entry(NamedTuple):
    """A commit as git printed it."""

    id: str
    at: float
    author: tuple[str, str]
    coauthors: tuple[tuple[str, str], ...]
    merge: bool
    subject: str
    changes: tuple[Change, ...]


def tokens(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The parts between null bytes, however the bytes arrive."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole
    if rest:
        yield rest


def entries(chunks: Iterable[bytes]) -> Iterator[Entry]:
    """Commits in the order printed; what cannot be understood is skipped."""
    header: bytes | None = None
    changes: list[Change] = []
    raw: list[bytes] | None = None
    for token in tokens(chunks):
        if raw is not None:
            changes.append(Change(_text(token), raw[4][:1].decode("ascii", "replace"), raw[2], raw[3]))
            raw = None
        elif token.lstrip(b"\n")[:1] == START:
            if header is not None and (entry := _entry(header, changes)):
                yield entry
            header, changes = token.lstrip(b"\n"), []
        else:
            parts = token.strip().split(b" ")
            raw = parts if len(parts) == 5 and parts[0][:1] == b":" else None
    if header is not None and (entry := _entry(header, changes)):
        yield entry


def _entry(header: bytes, changes: list[Change]) -> Entry | None:
    parts = header[1:].split(FIELD, 6)
    if len(parts) != 7 or not parts[1].strip().lstrip(b"-").isdigit():
        return None
    id_, at, name, address, parents, also, subject = parts
    people = (PERSON.match(_text(one).strip()) for one in also.split(ITEM))
    return Entry(
        id=_text(id_),
        at=float(at),
        author=(_text(name), _text(address)),
        coauthors=tuple((one[1], one[2]) for one in people if one),
        merge=b" " in parents.strip(),
        subject=_text(subject),
        changes=tuple(changes),
    )


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def commits_of(found: Iterable[Entry], boundary: frozenset[str] = frozenset()) -> tuple[tuple[Commit, ...], int]:
    """Commits newest first, with today's names of files; and how many renames were recognised.

    `boundary` are the commits at which a shallow clone ends: what they seem to add was there before.
    """
    today: dict[str, str] = {}
    people = _People()
    kept: list[tuple[Entry, tuple[str, ...]]] = []
    renames = 0
    for entry in found:
        people.meet(*entry.author)
        for one in entry.coauthors:
            people.meet(*one)
        changes = () if entry.id in boundary else entry.changes
        moved = renamed(changes)
        renames += len(moved)
        names = {today.get(one.path, one.path) for one in changes if one.path not in moved}
        kept.append((entry, tuple(sorted(names)[:MOST_FILES])))
        _go_back(today, changes, moved)
    return tuple(_commit(entry, files, people) for entry, files in kept), renames


def _go_back(today: dict[str, str], changes: Iterable[Change], moved: dict[str, str]) -> None:
    """Before this commit, what it added was something else, and what it moved had its old name."""
    before = {old: today.get(new, new) for old, new in moved.items()}
    for one in changes:
        if one.status == "A":
            today.pop(one.path, None)
    today.update(before)


def _content(one: Change) -> str | bytes:
    return one.before if one.status == "D" else one.after


def _file_name(one: Change) -> str | bytes:
    return one.path.rpartition("/")[2]


def renamed(changes: Iterable[Change]) -> dict[str, str]:
    """Old names with new ones: the same content gone here and come there, or else the only file of its name."""
    gone = [one for one in changes if one.status == "D"]
    come = [one for one in changes if one.status == "A"] if gone else []
    if not come:
        return {}
    moved: dict[str, str] = {}
    for key in (_content, _file_name):
        left = _alone((key(one), one.path) for one in gone if one.path not in moved)
        right = _alone((key(one), one.path) for one in come if one.path not in moved.values())
        moved |= {left[shared]: right[shared] for shared in left.keys() & right.keys() if shared != "__init__.py"}
    return moved


def _alone(pairs: Iterable[tuple[bytes | str, str]]) -> dict[bytes | str, str]:
    """Keys that occur once, with their path."""
    found: dict[bytes | str, list[str]] = {}
    for key, path in pairs:
        found.setdefault(key, []).append(path)
    return {key: paths[0] for key, paths in found.items() if len(paths) == 1}


def _commit(entry: Entry, files: tuple[str, ...], people: _People) -> Commit:
    author = people.name(*entry.author)
    others = {people.name(*one) for one in entry.coauthors} - {author}
    return Commit(
        id=entry.id,
        at=entry.at,
        author=author,
        files=files,
        merge=entry.merge,
        subject=entry.subject,
        squash=not entry.merge and bool(PULL_REQUEST.search(entry.subject)),
        coauthors=tuple(sorted(others)),
    )


class _People:
    """Names and addresses that belong together: the same address, or the same full name, is the same person."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._seen: dict[str, int] = {}

    def meet(self, name: str, address: str) -> None:
        """A name and an address seen together; of several names the newest full one is kept."""
        shown = name or address
        self._seen.setdefault(shown, len(self._seen))
        keys = self._keys(name, address)
        tops = [self._top(key) for key in keys]
        names = [shown, *(self._names[top] for top in tops if top in self._names)]
        for top in tops[1:]:
            self._above[top] = tops[0]
        self._names[tops[0]] = min(names, key=lambda one: (" " not in one, self._seen[one]))

    def name(self, name: str, address: str) -> str:
        """What this person is called in the facts."""
        return self._names[self._top(self._keys(name, address)[0])]

    def _keys(self, name: str, address: str) -> list[str]:
        by_address, by_name = f"<{address.strip().lower()}>", " ".join(name.lower().split())
        if by_address == "<>" or "@" not in by_address:
            return [by_name]
        return [by_address, by_name] if " " in by_name else [by_address]

    def _top(self, key: str) -> str:
        self._above.setdefault(key, key)
        while self._above[key] != key:
            self._above[key] = self._above[self._above[key]]
            key = self._above[key]
        return key
