"""Reading a code base: its files, history, owners and traffic become facts; nothing of it is imported or executed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import msgspec

from ramet.advisor.facts import Facts, Gap, Owner
from ramet.advisor.history.cache import Cache, default_folder
from ramet.advisor.history.commits import MOST_COMMITS, History, Reading
from ramet.advisor.history.ownership import PLACES, owners_of
from ramet.advisor.history.traffic import read_traffic
from ramet.advisor.scan.leaf import Leaf
from ramet.advisor.scan.pool import FEWEST_BYTES, Ahead, context, processes
from ramet.advisor.scan.scan import understand
from ramet.advisor.scan.signals import find_signals
from ramet.advisor.scan.sql import can_read_sql
from ramet.advisor.scan.tree import File, Tree, walk
from ramet.errors import ConfigurationError

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
UNDERSTOOD = ("roots", "modules", "edges", "tables", "accesses", "routes", "requests", "topics", "passes")
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
    if not root.is_dir():
        raise ConfigurationError(f"{root} is not a folder; name the folder of the code base that should be read.")
    options = options or ReadOptions()
    tell: Progress = progress or (lambda _stage, _done, _total: None)
    cache = Cache(options.cache, root)
    reading = Reading(root, most_commits=options.most_commits) if options.history else None
    known = cache.history(reading.key) if reading and not reading.gap else None
    if reading and not reading.gap and not known:
        reading.start()
    tell("files", 0, 0)
    tree = walk(root)
    leaves, history = _read(tree, cache, options, tell, reading if not known else None)
    history = known or history
    tell("meaning", 0, 1)
    others = {file.path: file for file in tree.others}
    scan = understand(leaves, others)
    traffic, unread = read_traffic(options.traffic)
    if (history.head and history is not known) or any(cache.fresh(file) for file in tree.python):
        cache.keep(tree.python, leaves, history)
    tell("meaning", 1, 1)
    gaps = (*scan.gaps, *_left_out(tree), *history.gaps, *unread, *_extras())
    return Facts(
        root=root.resolve().name,
        owners=_owners(tree),
        signals=find_signals(leaves, others, lambda path: text_of_file(others[path]), scan.index),
        traffic=traffic,
        commits=history.commits,
        tags=history.tags,
        gaps=tuple(sorted(gaps, key=lambda gap: (gap.what, gap.why))),
        **{name: getattr(scan, name) for name in UNDERSTOOD},
    )


def _read(
    tree: Tree, cache: Cache, options: ReadOptions, tell: Progress, reading: Reading | None
) -> tuple[dict[str, Leaf], History]:
    """Leaves and history, at the same time: git and the processes of the pool work while this one reads the log."""
    leaves: dict[str, Leaf] = {}
    unread: list[File] = []
    for file in tree.python:
        if leaf := cache.leaf(file):
            leaves[file.path] = leaf
        else:
            unread.append(file)
    total, read = len(tree.python), len(leaves)
    tell("files", read, total)

    def done(count: int) -> None:
        nonlocal read
        read += count
        tell("files", read, total)

    with _pool(unread, options) as pool:
        ahead = Ahead(unread, pool)
        history = _history(reading, tell)
        leaves.update(ahead.leaves(done))
    return leaves, history


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
        with open(file.where, "rb") as opened:  # noqa: PTH123 - names may hold bytes that only the file system knows
            return opened.read(LARGEST_TEXT).decode("utf-8", "replace")
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
