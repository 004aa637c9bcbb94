"""The files below a folder; links are not followed, code of others is left out, and both are told."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HISTORIES = frozenset({".git", ".hg", ".svn", ".bzr", ".jj"})
"""Not code at all, so nobody has to be told that they are left out."""
FOREIGN = frozenset(
    [
        "node_modules",
        "bower_components",
        "__pycache__",
        "__pypackages__",
        "site-packages",
        ".tox",
        ".nox",
        ".venv",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
        ".hypothesis",
        ".eggs",
        ".idea",
        ".vscode",
        ".terraform",
        ".gradle",
    ]
)
VENDORED = frozenset({"vendor", "vendored", "_vendor", "_vendored", "third_party", "thirdparty", "3rdparty"})
BUILT = frozenset({"build", "dist", "htmlcov", "target"})
MOST_FILES = 1_000_000
LARGEST_READ = 64_000_000


COARSE = 1_000_000_000
"""A time in whole seconds is of a file system that knows no finer ones: two of them may be one."""


class Stamp(NamedTuple):
    """What changes whenever a file does. Nobody can set `touched`, the time at which its inode was changed."""

    size: int
    changed: int
    touched: int
    inode: int

    def settled(self, before: int) -> bool:
        """Whether the file had its last change before this moment; else it may change again without a new stamp."""
        return self.touched + (0 if self.touched % COARSE else 2 * COARSE) < before


class File(NamedTuple):
    """A file: its path relative to the root with "/", printable; where to open it; its stamp."""

    path: str
    where: str
    stamp: Stamp

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self.stamp.size


class Tree:
    """Everything found: `python` and `others` sorted by path, and what was left out, by reason."""

    def __init__(self) -> None:
        self.python: list[File] = []
        self.others: list[File] = []
        self.left_out: dict[str, list[str]] = {}

    def leave_out(self, reason: str, path: str) -> None:
        """Remember that something was not read."""
        self.left_out.setdefault(reason, []).append(path)


def walk(root: Path) -> Tree:
    """All regular files below `root`; what cannot be listed is told, not raised."""
    tree = Tree()
    ahead = [(str(root), "")]
    while ahead:
        folder, prefix = ahead.pop()
        for entry in _entries(folder, prefix, tree):
            path = prefix + printable(entry.name)
            if entry.is_symlink():
                tree.leave_out("link", path)
            elif entry.is_dir(follow_symlinks=False):
                if entry.name in HISTORIES:
                    continue
                if reason := _foreign(entry):
                    tree.leave_out(reason, path)
                else:
                    ahead.append((entry.path, f"{path}/"))
            elif entry.is_file(follow_symlinks=False):
                _keep(tree, entry, path)
        if len(tree.python) + len(tree.others) > MOST_FILES:
            tree.leave_out("number", prefix)
            break
    tree.python.sort()
    tree.others.sort()
    return tree


def _entries(folder: str, prefix: str, tree: Tree) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:
        tree.leave_out("permission", prefix or ".")


def _keep(tree: Tree, entry: os.DirEntry[str], path: str) -> None:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        tree.leave_out("permission", path)
        return
    is_python = path.endswith((".py", ".pyw"))
    if is_python and (path.startswith(".") or "/." in path):
        tree.leave_out("hidden", path)
        return
    kept = tree.python if is_python else tree.others
    stamp = Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    kept.append(File(path, entry.path, stamp))


def _foreign(entry: os.DirEntry[str]) -> str:
    name = entry.name
    if name in FOREIGN or name.endswith((".egg-info", ".dist-info")):
        return "foreign"
    if name in VENDORED:
        return "vendored"
    if name in BUILT and not _holds(entry, "__init__.py"):
        return "built"
    if _holds(entry, "pyvenv.cfg") or (name in {"venv", "env", "virtualenv"} and _holds(entry, "bin/activate")):
        return "foreign"
    return ""


def _holds(entry: os.DirEntry[str], name: str) -> bool:
    """Whether a folder has a file of this name; `Path.exists` would raise for a folder that nobody may look into."""
    return os.path.exists(f"{entry.path}/{name}")  # noqa: PTH110 - no OSError


def printable(name: str) -> str:
    """A file name as text that can be stored: bytes that are no UTF-8 are written with backslashes."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def digest_of(file: File) -> bytes:
    """The hash of a file's content; of what cannot be read, none."""
    try:
        return content_digest(content_of(file.where, LARGEST_READ))
    except OSError:
        return b""


def content_of(where: str, most: int) -> bytes:
    """The first bytes of a regular file, also where a link, a pipe or a device has taken its place since it was found.

    Raises: OSError, where it is no regular file any more, or cannot be read.
    """
    handle = os.open(where, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb") as opened:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "no regular file any more")
        return opened.read(most)


def content_digest(data: bytes) -> bytes:
    """The hash of what was read of a file."""
    return hashlib.blake2b(data, digest_size=16).digest()


def moment() -> int:
    """Now, as the file system counts it, which may lag behind the clock."""
    with tempfile.TemporaryFile() as opened:
        return os.fstat(opened.fileno()).st_ctime_ns
