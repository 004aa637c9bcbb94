"""What was read before, by root: leaves by content, the history by its head; what is wrong with it is ignored."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

import msgspec

from ramet.advisor.history.commits import History
from ramet.advisor.scan.leaf import Leaf
from ramet.advisor.scan.sql import can_read_sql
from ramet.advisor.scan.tree import File


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """A leaf with what its file looked like."""

    size: int
    changed: int
    digest: bytes
    leaf: Leaf


class Content(msgspec.Struct, frozen=True, array_like=True):
    """A cache file."""

    leaves: dict[str, Kept] = {}
    history: History | None = None


def default_folder() -> Path:
    """`$XDG_CACHE_HOME/ramet/advisor`, as the XDG Base Directory Specification has it."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "ramet", "advisor")


@lru_cache(maxsize=1)
def edition() -> bytes:
    """What else leaves depend on: the code that reads them, this Python, and whether SQL can be read."""
    here = Path(__file__).parent.parent
    state = hashlib.blake2b(f"{sys.version_info[:3]} {can_read_sql()}".encode(), digest_size=16)
    for path in sorted((*here.glob("scan/*.py"), *here.glob("history/*.py"), here / "facts.py")):
        state.update(path.read_bytes())
    return state.digest()


class Cache:
    """The cache of one root; `folder` is None to have none."""

    def __init__(self, folder: Path | None, root: Path) -> None:
        name = hashlib.blake2b(os.fsencode(root.resolve()), digest_size=16).hexdigest()
        self._path = folder / f"{name}.facts" if folder else None
        self._content = self._load()
        self._digests = {kept.digest: kept.leaf for kept in self._content.leaves.values()}

    def _load(self) -> Content:
        try:
            data = self._path.read_bytes() if self._path else b""
            size = len(edition())
            return msgspec.msgpack.decode(data[size:], type=Content) if data[:size] == edition() else Content()
        except (OSError, ValueError, RecursionError, msgspec.MsgspecError):
            return Content()

    def leaf(self, file: File) -> Leaf | None:
        """The leaf of a file that has not changed: the same size and time, or else the same content."""
        kept = self._content.leaves.get(file.path)
        if kept and kept.size == file.size and kept.changed == file.changed:
            return kept.leaf
        return self._digests.get(digest_of(file)) if self._digests else None

    def fresh(self, file: File) -> bool:
        """Whether the cache knows nothing, or something else, of this size and time of a file."""
        kept = self._content.leaves.get(file.path)
        return kept is None or (kept.size, kept.changed) != (file.size, file.changed)

    def history(self, key: str) -> History | None:
        """The history as it was read for the same head, tags and depth."""
        found = self._content.history
        return found if found and found.key == key else None

    def keep(self, files: Iterable[File], leaves: Mapping[str, Leaf], history: History | None) -> None:
        """Write what was read, in one step; where that cannot be done, the next reading is slower, no more."""
        if self._path is None:
            return
        known = self._content.leaves
        content = {}
        for file in files:
            old = known.get(file.path)
            same = old and old.size == file.size and old.changed == file.changed
            digest = old.digest if old and same else digest_of(file)
            content[file.path] = Kept(file.size, file.changed, digest, leaves[file.path])
        with contextlib.suppress(OSError, UnicodeError):
            kept_history = history if history and history.head else self._content.history
            self._write(edition() + msgspec.msgpack.encode(Content(content, kept_history)))

    def _write(self, data: bytes) -> None:
        assert self._path is not None
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._path.parent)
        try:
            with os.fdopen(handle, "wb") as opened:
                opened.write(data)
            Path(name).replace(self._path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise


def digest_of(file: File) -> bytes:
    """The hash of a file's content; of what cannot be read, a hash that no file has."""
    try:
        with open(file.where, "rb") as opened:  # noqa: PTH123 - names may hold bytes that only the file system knows
            return hashlib.blake2b(opened.read(), digest_size=16).digest()
    except OSError:
        return b""
