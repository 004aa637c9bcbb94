"""Small code bases and histories, written to a folder."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from ramet.advisor.facts import Facts
from ramet.advisor.read import ReadOptions, read_facts
from ramet.advisor.scan.tree import moment, walk


def write(root: Path, files: Mapping[str, str]) -> Path:
    """Files with their text, below a folder."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    return root


def write_settled(root: Path, files: Mapping[str, str]) -> Path:
    """Files that are older than the moment, as the file system counts it."""
    return settle(write(root, files))


def settle(root: Path) -> Path:
    """Wait until the file system's clock has gone on since anything below a folder was changed."""
    tree = walk(root)
    last = max(file.stamp.touched for file in (*tree.python, *tree.others))
    while moment() <= last:
        pass
    return root


def facts_of(root: Path, files: Mapping[str, str]) -> Facts:
    """What is found in these files, without a history and without a cache."""
    return read_facts(write(root, files), options=ReadOptions(cache=None, history=False))


class Repository:
    """A git repository whose commits have given authors and times."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self._at = 1_700_000_000
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, author: str = "Ann Lee <ann@example.org>") -> str:
        """Git with this author at the next minute."""
        self._at += 60
        name, _, address = author.rstrip(">").partition(" <")
        when = f"{self._at} +0000"
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": address,
            "GIT_AUTHOR_DATE": when,
            "GIT_COMMITTER_NAME": name,
            "GIT_COMMITTER_EMAIL": address,
            "GIT_COMMITTER_DATE": when,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        return subprocess.run(
            ["git", *arguments], cwd=self.root, env=environment, check=True, capture_output=True, text=True
        ).stdout

    def commit(self, message: str, files: Mapping[str, str], author: str = "Ann Lee <ann@example.org>") -> str:
        """A commit that writes these files; its id."""
        write(self.root, files)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message, author=author)
        return self.git("rev-parse", "HEAD").strip()
