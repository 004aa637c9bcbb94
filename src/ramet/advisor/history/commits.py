"""The history of a code base, asked of git itself; nothing that the repository configures is executed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec

from ramet.advisor.facts import Commit, Gap
from ramet.advisor.history.log import FORMAT, commits_of, entries

MOST_COMMITS = 100_000
PATIENCE_SECONDS = 120.0
CHUNK = 1 << 20
SAFE = (
    "--no-pager", "--no-optional-locks",
    "-c", "core.fsmonitor=", "-c", "core.hooksPath=/dev/null", "-c", "safe.directory=*", "-c", "protocol.allow=never",
    "-c", "log.showSignature=false", "-c", "core.quotePath=false", "-c", "diff.external=",
    "-c", "core.sshCommand=false",
    "-c", "core.askPass=", "-c", "credential.helper=", "-c", "gc.auto=0", "-c", "maintenance.auto=false",
    "-c", "core.packedGitWindowSize=4m", "-c", "core.packedGitLimit=64m", "-c", "core.deltaBaseCacheLimit=48m",
    "-c", "log.showRoot=true", "-c", "log.diffMerges=off", "-c", "submodule.recurse=false",
)  # fmt: skip
LOG = (
    "log", "-z", "--raw", "--no-renames", "--no-abbrev", "--no-ext-diff", "--no-textconv", "--no-color", "--no-notes",
    "--no-decorate", "--no-show-signature", "--ignore-submodules=all", "--relative", f"--format={FORMAT}",
)  # fmt: skip


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Commits newest first, tags by time, and what is missing. `head` and `key` say what it was made from."""

    head: str = ""
    key: str = ""
    commits: tuple[Commit, ...] = ()
    tags: tuple[tuple[str, float], ...] = ()
    gaps: tuple[Gap, ...] = ()


class Git:
    """Git in one folder, with an environment in which it can neither run foreign programs nor reach the network."""

    def __init__(self, root: Path) -> None:
        self._root = root
        found = shutil.which("git")
        self._program = found if found and Path(found).is_absolute() else None  # never one of the folder that is read
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        self._environment = {
            **kept,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": "",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "LC_ALL": "C",
        }

    @property
    def found(self) -> bool:
        """Whether git is installed."""
        return self._program is not None

    def start(self, *arguments: str, output: IO[bytes]) -> subprocess.Popen[bytes]:
        """Git at work, writing to a file."""
        assert self._program is not None
        return subprocess.Popen(  # noqa: S603 - the program is git, the arguments are ours
            [self._program, *SAFE, *arguments],
            cwd=self._root,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.DEVNULL,
        )

    def ask(self, *arguments: str) -> str | None:
        """What git answers, or None if it refuses."""
        with tempfile.TemporaryFile() as output:
            if not _finish(self.start(*arguments, output=output)):
                return None
            output.seek(0)
            return output.read().decode("utf-8", "backslashreplace")


def _finish(process: subprocess.Popen[bytes]) -> bool:
    try:
        return process.wait(PATIENCE_SECONDS) == 0
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False


class Reading:
    """A history that is being read: git writes to a file while others work; `finish` makes commits of it."""

    def __init__(self, root: Path, *, most_commits: int = MOST_COMMITS) -> None:
        self._git = Git(root)
        self._most = most_commits
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None
        self.gap = self._begin()

    def _begin(self) -> Gap | None:
        if not self._git.found:
            return Gap(what="History", why="git is not installed, so nothing is known of changes, authors and ages")
        asked = self._git.ask("rev-parse", "--is-shallow-repository", "--git-path", "shallow", "--verify", "HEAD")
        if asked is None or len(lines := asked.splitlines()) < 3:
            return Gap(
                what="History",
                why="this is no git repository, or it has no commits, so nothing is known of changes, authors and ages",
            )
        self._shallow = lines[0] == "true"
        self._boundary = self._ends(lines[1]) if self._shallow else frozenset()
        self.head = lines[-1]
        # without a path git also names commits that change nothing here, which is what the whole repository needs
        self._within = ("--", ".") if (self._git.ask("rev-parse", "--show-prefix") or "").strip() else ()
        self.key = f"{self.head} {self._shallow} {self._most} {self._tags_key()}"
        return None

    def _ends(self, path: str) -> frozenset[str]:
        try:
            return frozenset(Path(self._git._root, path).read_text(encoding="ascii").split())  # noqa: SLF001 - a companion in this module
        except (OSError, ValueError):
            return frozenset()

    def _tags_key(self) -> str:
        self._tags = self._git.ask("for-each-ref", "refs/tags", "--format=%(creatordate:unix) %(refname:short)") or ""
        return f"{len(self._tags)}:{hash_of(self._tags)}"

    def start(self) -> None:
        """Let git begin."""
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `finish`
        self._process = self._git.start(
            *LOG, f"--max-count={self._most + 1}", "HEAD", *self._within, output=self._output
        )

    def finish(self) -> History:
        """Wait for git, at most its patience; what came until then is used."""
        assert self._process is not None
        assert self._output is not None
        whole = _finish(self._process)
        with self._output as output:
            output.seek(0)
            commits, _ = commits_of(entries(_chunks(output)), self._boundary)
        gaps = tuple(self._gaps(len(commits), whole=whole))
        return History(head=self.head, key=self.key, commits=commits[: self._most], tags=self._read_tags(), gaps=gaps)

    def _gaps(self, count: int, *, whole: bool) -> Iterator[Gap]:
        if self._shallow:
            yield Gap(
                what="History is shallow",
                why=f"only {count} commits are here; `git fetch --unshallow` brings the others",
            )
        if not whole:
            yield Gap(
                what="History is incomplete",
                why=f"git ended after {count} commits: objects are missing, or it took too long",
            )
        if count > self._most:
            yield Gap(what="Older history", why=f"only the newest {self._most} commits were read")

    def _read_tags(self) -> tuple[tuple[str, float], ...]:
        found = []
        for line in self._tags.splitlines():
            at, _, name = line.partition(" ")
            if at.lstrip("-").isdigit():
                found.append((name, float(at)))
        return tuple(sorted(found, key=lambda tag: (tag[1], tag[0])))


def hash_of(text: str) -> str:
    """A short name for a text."""
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _chunks(output: IO[bytes]) -> Iterator[bytes]:
    while chunk := output.read(CHUNK):
        yield chunk
