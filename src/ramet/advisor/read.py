"""Reading a code base: its files, history, owners and traffic become facts; nothing of it is imported or executed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import msgspec

from ramet.advisor.cache import Cache, Leaves, default_folder, hash_of
from ramet.advisor.facts import Facts, Gap, Owner
from ramet.advisor.history.commits import MOST_COMMITS, History, Reading
from ramet.advisor.history.ownership import PLACES, owners_of
from ramet.advisor.history.traffic import read_traffic
from ramet.advisor.scan.leaf import Read
from ramet.advisor.scan.pool import FEWEST_BYTES, Ahead, context, processes
from ramet.advisor.scan.scan import understand
from ramet.advisor.scan.signals import find_signals
from ramet.advisor.scan.sql import can_read_sql
from ramet.advisor.scan.tree import File, Tree, content_of, moment, walk
from ramet.errors import ConfigurationError

T = TypeVar("T")
Progress = Callable[[str, int, int], None]
LEFT_OUT = {
    "link": "symbolic links are not followed, so that nothing outside is read and nothing twice",
    "foreign": "folders of tools and environments hold code of others",
    "vendored": "vendored code belongs to others",
    "built": "what a build made is a copy",
    "hidden": "Python below hidden folders belongs to tools",
    "permission": "they could not be opened",
    "number": "there are too many files; the rest was not read",
}
UNDERSTOOD = ("roots", "modules", "edges", "tables", "accesses", "reached", "routes", "requests", "topics", "passes")
MOST_EXAMPLES = 5
LARGEST_TEXT = 1_000_000


class ReadOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a code base is read.

    `cache` is the folder of the cache, None for no cache at all; `workers` the number of processes, 0 for one for each
    processor; `traffic` are files of OTLP traces in JSON.
    """

    cache: Path | None = msgspec.field(default_factory=default_folder)
    workers: int = 0
    history: bool = True
    most_commits: int = MOST_COMMITS
    traffic: tuple[Path, ...] = ()


def read_facts(root: Path, *, progress: Progress | None = None, options: ReadOptions | None = None) -> Facts:
    """Everything found below `root`, sorted; what could not be read is among the gaps.

    `progress` is told the stage, how much of it is done, and how much there is.

    Raises: ConfigurationError, if `root` is no folder.
    """
    return Code(root, progress=progress, options=options).facts


class Code:
    """A code base as it is at one moment: what is known of just this state is not found out again.

    Raises: ConfigurationError, if `root` is no folder, or a file of traces cannot be read.
    """

    def __init__(self, root: Path, *, progress: Progress | None = None, options: ReadOptions | None = None) -> None:
        if not root.is_dir():
            raise ConfigurationError(f"{root} is not a folder; name the folder of the code base that should be read.")
        self._root = root
        self._options = options or ReadOptions()
        self._tell: Progress = progress or (lambda _stage, _done, _total: None)
        self._cache = Cache(self._options.cache, root)
        self._reading = Reading(root, most_commits=self._options.most_commits) if self._options.history else None
        self._tell("files", 0, 0)
        self._moment = moment()
        self._tree = walk(root)
        self._state = self._seen() if self._options.cache else b""

    def answered(self, question: bytes, type_: type[T]) -> T | None:
        """What was remembered for this question about this state."""
        return self._cache.recall("answer", hash_of(self._state, question), type_) if self._state else None

    def remember(self, question: bytes, answer: object) -> None:
        """Remember the last question and its answer."""
        if self._state:
            self._cache.remember("answer", hash_of(self._state, question), answer)

    @cached_property
    def facts(self) -> Facts:
        """Everything found, sorted."""
        if (known := self._cache.recall("facts", self._state, Facts)) is not None:
            return known
        facts = self._read()
        self._cache.remember("facts", self._state, facts)
        return facts

    def _seen(self) -> bytes:
        """The state of everything that facts depend on; b"" if a file could change without being noticed."""
        files = (*self._tree.python, *self._tree.others)
        if not all(file.stamp.settled(self._moment) for file in files):
            return b""
        listed = [(file.path, file.stamp) for file in files]
        seen = (os.geteuid(), self._options.history, listed, sorted(self._tree.left_out.items()))
        traces = (_content(path) for path in self._options.traffic)
        return hash_of(msgspec.msgpack.encode(seen), self._reading.key if self._reading else b"", *traces)

    def _read(self) -> Facts:
        tree, tell = self._tree, self._tell
        read, history = self._leaves_and_history()
        leaves = {path: one.leaf for path, one in read.items()}
        tell("meaning", 0, 1)
        others = {file.path: file for file in tree.others}
        scan = understand(leaves, others)
        traffic, unread = read_traffic(self._options.traffic)
        tell("meaning", 1, 1)
        gaps = (*scan.gaps, *_left_out(tree), *history.gaps, *unread, *_extras())
        return Facts(
            root=self._root.resolve().name,
            owners=_owners(tree),
            signals=find_signals(leaves, others, lambda path: text_of_file(others[path]), scan.index),
            traffic=traffic,
            commits=history.commits,
            tags=history.tags,
            gaps=tuple(sorted(gaps, key=lambda gap: (gap.what, gap.why))),
            **{name: getattr(scan, name) for name in UNDERSTOOD},
        )

    def _leaves_and_history(self) -> tuple[dict[str, Read], History]:
        """At the same time: git and the processes of the pool work while this one reads the log."""
        reading, tell = self._reading, self._tell
        known = self._cache.recall("history", reading.key, History) if reading and not reading.gap else None
        if reading and not reading.gap and not known:
            reading.start()
        leaves = Leaves(self._cache)
        read = {file.path: one for file in self._tree.python if (one := leaves.find(file))}
        unread = [file for file in self._tree.python if file.path not in read]
        total, count = len(self._tree.python), len(read)
        tell("files", count, total)

        def done(more: int) -> None:
            nonlocal count
            count += more
            tell("files", count, total)

        with _pool(unread, self._options) as pool:
            ahead = Ahead(unread, pool)
            history = known or _history(reading, tell)
            read.update(ahead.leaves(done))
        leaves.keep(self._tree.python, read, before=self._moment)
        if reading and reading.whole:
            self._cache.remember("history", reading.key, history)
        return read, history


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        return str(error).encode()


def _history(reading: Reading | None, tell: Progress) -> History:
    if reading is None:
        return History()
    if reading.gap:
        return History(gaps=(reading.gap,))
    tell("history", 0, 1)
    history = reading.finish()
    tell("history", 1, 1)
    return history


@contextmanager
def _pool(files: list[File], options: ReadOptions) -> Iterator[ProcessPoolExecutor | None]:
    workers = options.workers or processes()
    if workers < 2 or sum(file.size for file in files) < FEWEST_BYTES:
        yield None
        return
    with ProcessPoolExecutor(workers, mp_context=context()) as pool:
        yield pool


def _owners(tree: Tree) -> tuple[Owner, ...]:
    others = {file.path: file for file in tree.others}
    found = next((others[place] for place in PLACES if place in others), None)
    return owners_of(text_of_file(found)) if found else ()


def text_of_file(file: File) -> str:
    """The text of a small file, whatever its bytes; "" if it cannot be opened."""
    try:
        return content_of(file.where, LARGEST_TEXT).decode("utf-8", "replace")
    except OSError:
        return ""


def _left_out(tree: Tree) -> Iterator[Gap]:
    for reason, paths in sorted(tree.left_out.items()):
        examples = tuple(sorted(paths)[:MOST_EXAMPLES])
        yield Gap(what=f"Left out: {reason}", why=LEFT_OUT[reason], count=len(paths), examples=examples)


def _extras() -> Iterator[Gap]:
    if not can_read_sql():
        yield Gap(
            what="SQL in strings", why="sqlglot is not installed, so raw SQL was not read: pip install 'ramet[advisor]'"
        )
