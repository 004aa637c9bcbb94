"""What was read and said before, by root: leaves by content, the rest by a key; what is wrong with it is ignored."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeVar

import msgspec

from ramet.advisor.scan.leaf import Leaf, Read
from ramet.advisor.scan.tree import File, Stamp, digest_of

T = TypeVar("T")
DIGEST = 16
LIBRARIES = ("ramet", "msgspec", "igraph", "sqlglot")


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """A leaf with what its file looked like; a file that might change without a new stamp has none."""

    stamp: Stamp | None
    digest: bytes
    leaf: Leaf


def default_folder() -> Path | None:
    """`$XDG_CACHE_HOME/ramet/advisor`; None where nobody knows a home.

    A relative path counts as none, as the XDG Base Directory Specification has it.
    """
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        return (given if given.is_absolute() else Path.home() / ".cache") / "ramet" / "advisor"
    except RuntimeError:
        return None


@lru_cache(maxsize=1)
def edition() -> bytes:
    """What else everything depends on: the code of the advisor, this Python, and the libraries it reads with."""
    state = hashlib.blake2b(f"{sys.version_info[:3]} {list(_versions())}".encode(), digest_size=DIGEST)
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        state.update(path.read_bytes())
    return state.digest()


def _versions() -> Iterator[str]:
    for name in LIBRARIES:
        try:
            yield version(name)
        except PackageNotFoundError:
            yield ""


def hash_of(*parts: bytes) -> bytes:
    """A short name for several parts."""
    state = hashlib.blake2b(digest_size=DIGEST)
    for part in parts:
        state.update(len(part).to_bytes(8) + part)
    return state.digest()


class Cache:
    """The cache of one root; `folder` is None to have none."""

    def __init__(self, folder: Path | None, root: Path) -> None:
        name = hash_of(os.fsencode(root.resolve())).hex()
        self._stem = str(folder / name) if folder else ""

    def recall(self, kind: str, key: bytes, type_: type[T]) -> T | None:
        """What was remembered last of this kind, if it was for the same key and by the same edition."""
        if not self._stem or not key:
            return None
        head = edition() + hash_of(key)
        try:
            with open(f"{self._stem}.{kind}", "rb") as opened:  # noqa: PTH123 - one file, by a name that is complete
                if opened.read(len(head)) != head:
                    return None
                return msgspec.msgpack.decode(opened.read(), type=type_)
        except (OSError, ValueError, RecursionError, msgspec.MsgspecError):
            return None

    def remember(self, kind: str, key: bytes, value: object) -> None:
        """Write it in one step; where that cannot be done, the next time is slower, no more."""
        if self._stem and key:
            with contextlib.suppress(OSError, UnicodeError):
                _write(Path(f"{self._stem}.{kind}"), edition() + hash_of(key) + msgspec.msgpack.encode(value))


class Leaves:
    """The leaves that a cache knows."""

    KEY = b"leaves"

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    @cached_property
    def _known(self) -> dict[str, Kept]:
        return self._cache.recall("leaves", self.KEY, dict[str, Kept]) or {}

    @cached_property
    def _digests(self) -> dict[bytes, Leaf]:
        return {kept.digest: kept.leaf for kept in self._known.values() if kept.digest}

    def find(self, file: File) -> Read | None:
        """The leaf of a file that has not changed: the same stamp, or else the same content."""
        kept = self._known.get(file.path)
        if kept and kept.stamp == file.stamp:
            return Read(kept.digest, kept.leaf)
        if not self._digests:
            return None
        digest = digest_of(file)
        leaf = self._digests.get(digest)
        return Read(digest, leaf) if leaf is not None else None

    def keep(self, files: Iterable[File], read: Mapping[str, Read], *, before: int) -> None:
        """Remember all leaves, if anything is new. A file that was changed `before` no sooner keeps no stamp."""
        kept = {file.path: Kept(file.stamp if file.stamp.settled(before) else None, *read[file.path]) for file in files}
        if kept != self._known:
            self._cache.remember("leaves", self.KEY, kept)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(data)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
