"""The history of a code base, asked of git itself; nothing that the repository configures is executed."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import IO

import msgspec

from ramet.advisor.facts import Commit, Gap
from ramet.advisor.history.log import FORMAT, commits_of, entries

MOST_COMMITS = 100_000
PATIENCE_SECONDS = 120.0
QUICKLY_SECONDS = 10.0
"""For questions whose answer git has at hand: who configures a pipe as an include waits for ever."""
CHUNK = 1 << 20
SAFE = (
    "--no-pager", "--no-optional-locks",
    "-c", "core.fsmonitor=", "-c", "core.hooksPath=/dev/null", "-c", "safe.directory=*", "-c", "protocol.allow=never",
    "-c", "log.showSignature=false", "-c", "core.quotePath=false", "-c", "diff.external=",
    "-c", "core.sshCommand=false",
    "-c", "core.askPass=", "-c", "credential.helper=", "-c", "gc.auto=0", "-c", "maintenance.auto=false",
    "-c", "core.packedGitWindowSize=4m", "-c", "core.packedGitLimit=64m", "-c", "core.deltaBaseCacheLimit=48m",
    "-c", "log.showRoot=true", "-c", "log.diffMerges=off", "-c", "submodule.recurse=false",
    "-c", "mailmap.file=", "-c", "mailmap.blob=", "-c", "format.pretty=medium",
)  # fmt: skip
LOG = (
    "log", "-z", "--raw", "--no-renames", "--no-abbrev", "--no-ext-diff", "--no-textconv", "--no-color", "--no-notes",
    "--no-decorate", "--no-show-signature", "-O/dev/null", "--ignore-submodules=all", "--relative",
)  # fmt: skip
FOLDED = (f"--format={FORMAT}",)
PLAIN = ("--no-mailmap", f"--format={FORMAT.replace('%aN', '%an').replace('%aE', '%ae')}")
WHERE = (
    "rev-parse", "--is-shallow-repository", "--show-prefix", "--show-toplevel", "--git-path", "shallow",
    "--verify", "HEAD",
)  # fmt: skip
REFS = ("for-each-ref", "refs/tags", "refs/replace", "--format=%(creatordate:unix) %(objectname) %(refname)")
TAGS = "refs/tags/"
NO_REPOSITORY = Gap(
    what="History",
    why="this is no git repository, or it has no commits, so nothing is known of changes, authors and ages",
)


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Commits newest first, tags by time, and what is missing."""

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

    def start(self, *arguments: str, output: IO[bytes] | int = subprocess.PIPE) -> subprocess.Popen[bytes]:
        """Git at work, writing to a file or a pipe."""
        assert self._program is not None
        return subprocess.Popen(  # noqa: S603 - the program is git, the arguments are ours
            [self._program, *SAFE, *arguments],
            cwd=self._root,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.DEVNULL,
        )


def _answer(process: subprocess.Popen[bytes]) -> str | None:
    """What git answers, or None if it refuses."""
    try:
        answer, _ = process.communicate(timeout=QUICKLY_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return None
    return answer.decode("utf-8", "backslashreplace") if process.returncode == 0 else None


def _finish(process: subprocess.Popen[bytes]) -> bool:
    try:
        return process.wait(PATIENCE_SECONDS) == 0
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False


class Reading:
    """A history that is being read: git answers and writes while others work; `finish` makes commits of it."""

    def __init__(self, root: Path, *, most_commits: int = MOST_COMMITS) -> None:
        self._git = Git(root)
        self._root = root
        self._most = most_commits
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None
        self._asked = (self._git.start(*WHERE), self._git.start(*REFS)) if self._git.found else None
        self.whole = False
        """Whether everything that is there was read, so that it need not be read again."""

    @cached_property
    def gap(self) -> Gap | None:
        """Why there is no history."""
        if not self._git.found:
            return Gap(what="History", why="git is not installed, so nothing is known of changes, authors and ages")
        return None if self._where else NO_REPOSITORY

    @cached_property
    def key(self) -> bytes:
        """Everything that the history depends on: the head, tags and replaced objects, depth, other names of people."""
        if self.gap:
            return b""
        parts = (self._head, self._prefix, sorted(self._boundary), self._most, self._refs)
        return f"{parts}".encode("utf-8", "backslashreplace") + (self._mailmap() or b"")

    @cached_property
    def _answers(self) -> tuple[str | None, str | None]:
        assert self._asked is not None
        where, refs = self._asked
        if (found := _answer(where)) is None:
            refs.kill()  # it waits for the same
        return found, _answer(refs)

    @cached_property
    def _where(self) -> list[str]:
        """Shallow or not, the folder within the repository, its top, the list of its ends, the head."""
        lines = (self._answers[0] or "").splitlines()
        return lines if len(lines) >= 5 else []

    @property
    def _head(self) -> str:
        return self._where[-1]

    @property
    def _shallow(self) -> bool:
        return self._where[0] == "true"

    @property
    def _prefix(self) -> str:
        return self._where[1].strip()

    @property
    def _refs(self) -> str:
        return self._answers[1] or ""

    @cached_property
    def _boundary(self) -> frozenset[str]:
        """The commits at which a shallow clone ends."""
        try:
            listed = Path(self._root, self._where[-2]).read_text(encoding="ascii") if self._shallow else ""
        except (OSError, ValueError):
            return frozenset()
        return frozenset(listed.split())

    def _mailmap(self) -> bytes | None:
        """What folds the names of people; None where git would wait for ever to read it."""
        found = Path(self._where[2], ".mailmap")
        try:
            return found.read_bytes() if stat.S_ISREG(found.lstat().st_mode) else None
        except OSError:
            return b""

    def start(self) -> None:
        """Let git begin."""
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `finish`
        # without a path git also names commits that change nothing here, which is what the whole repository needs
        within = ("--", ".") if self._prefix else ()
        names = PLAIN if self._mailmap() is None else FOLDED
        self._process = self._git.start(
            *LOG, *names, f"--max-count={self._most + 1}", self._head, *within, output=self._output
        )

    def finish(self) -> History:
        """Wait for git, at most its patience; what came until then is used."""
        assert self._process is not None
        assert self._output is not None
        self.whole = _finish(self._process)
        with self._output as output:
            output.seek(0)
            commits, _ = commits_of(entries(_chunks(output)), self._boundary)
        gaps = tuple(self._gaps(len(commits), whole=self.whole))
        return History(commits=commits[: self._most], tags=self._read_tags(), gaps=gaps)

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
        for line in self._refs.splitlines():
            at, _, rest = line.partition(" ")
            name = rest.partition(" ")[2]
            if at.lstrip("-").isdigit() and name.startswith(TAGS):
                found.append((name.removeprefix(TAGS), float(at)))
        return tuple(sorted(found, key=lambda tag: (tag[1], tag[0])))


def _chunks(output: IO[bytes]) -> Iterator[bytes]:
    while chunk := output.read(CHUNK):
        yield chunk
