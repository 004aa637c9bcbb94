"""What git remembers: commits, people, renames, tags; and what is missing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ramet.advisor.facts import Facts
from ramet.advisor.read import ReadOptions, read_facts
from tests.unit.advisor.code_base import Repository


def read(root: Path) -> Facts:
    return read_facts(root, options=ReadOptions(cache=None))


def test_commits_come_newest_first_with_their_files_and_people(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    repository.commit("First", {"a.py": "1", "b.py": "2"})
    repository.commit("Two\n\nCo-authored-by: Bo Ek <bo@example.org>", {"a.py": "3"}, author="ann <ANN@example.org>")
    repository.commit("Three (#7)", {"c.py": "4"}, author="Ann Lee <ann.lee@home.example>")
    commits = read(tmp_path).commits
    assert [(one.subject, one.files, one.author) for one in commits] == [
        ("Three (#7)", ("c.py",), "Ann Lee"),
        ("Two", ("a.py",), "Ann Lee"),
        ("First", ("a.py", "b.py"), "Ann Lee"),
    ]
    assert [one.coauthors for one in commits] == [(), ("Bo Ek",), ()]
    assert [one.squash for one in commits] == [True, False, False]


def test_a_file_keeps_its_history_under_its_name_of_today(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    repository.commit("Another file of that name", {"old/x.py": "before"})
    (tmp_path / "old/x.py").unlink()
    repository.commit("Gone", {})
    repository.commit("Come", {"old/x.py": "one"})
    (tmp_path / "old/x.py").rename(tmp_path / "y.py")
    repository.commit("Moved", {})
    (tmp_path / "y.py").unlink()
    repository.commit("Moved and changed", {"new/y.py": "two"})
    assert [(one.subject, one.files) for one in read(tmp_path).commits] == [
        ("Moved and changed", ("new/y.py",)),
        ("Moved", ("new/y.py",)),
        ("Come", ("new/y.py",)),
        ("Gone", ("old/x.py",)),
        ("Another file of that name", ("old/x.py",)),
    ]


def test_merges_have_no_files_of_their_own_and_tags_have_times(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    repository.commit("One", {"a.py": ""})
    repository.git("switch", "-q", "-c", "side")
    repository.commit("Side", {"b.py": ""})
    repository.git("switch", "-q", "main")
    repository.commit("Main", {"c.py": ""})
    repository.git("merge", "-q", "--no-ff", "-m", "Merge", "side")
    repository.git("tag", "v1.0")
    facts = read(tmp_path)
    assert [(one.subject, one.merge, one.files) for one in facts.commits if one.merge] == [("Merge", True, ())]
    assert {one.subject for one in facts.commits} == {"One", "Side", "Main", "Merge"}
    assert facts.tags == (("v1.0", facts.commits[0].at),)


def test_a_folder_of_a_repository_has_only_its_own_history(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    repository.commit("Inside", {"part/a.py": ""})
    repository.commit("Outside", {"b.py": ""})
    assert [(one.subject, one.files) for one in read(tmp_path / "part").commits] == [("Inside", ("a.py",))]


def test_a_shallow_clone_is_told_and_its_last_commit_adds_nothing(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "origin")
    for number in range(4):
        repository.commit(f"Change {number}", {f"{number}.py": ""})
    subprocess.run(
        ["git", "clone", "-q", "--depth", "2", f"file://{tmp_path}/origin", str(tmp_path / "clone")], check=True
    )
    facts = read(tmp_path / "clone")
    assert [one.files for one in facts.commits] == [("3.py",), ()]
    assert "History is shallow" in {gap.what for gap in facts.gaps}


def test_a_clone_without_blobs_has_its_whole_history_and_asks_nobody(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "origin")
    repository.git("config", "uploadpack.allowFilter", "true")
    for number in range(3):
        repository.commit(f"Change {number}", {"a.py": str(number)})
    clone = tmp_path / "clone"
    subprocess.run(
        ["git", "clone", "-q", "--filter=blob:none", "--no-checkout", f"file://{tmp_path}/origin", str(clone)],
        check=True,
    )
    (tmp_path / "origin").rename(tmp_path / "elsewhere")
    assert [one.files for one in read(clone).commits] == [("a.py",)] * 3


@pytest.mark.parametrize("damage", ["objects", "HEAD"])
def test_a_damaged_repository_is_a_gap(tmp_path: Path, damage: str) -> None:
    repository = Repository(tmp_path)
    repository.commit("One", {"a.py": "x = 1\n"})
    (tmp_path / ".git" / damage).rename(tmp_path / ".git" / "lost")
    facts = read(tmp_path)
    assert len(facts.modules) == 1
    assert any(gap.what.startswith("History") for gap in facts.gaps)


def test_a_folder_without_a_repository_or_commits_is_a_gap(tmp_path: Path) -> None:
    for root in (tmp_path / "plain", Repository(tmp_path / "empty").root):
        root.mkdir(exist_ok=True)
        assert [gap.what for gap in read(root).gaps if gap.what == "History"] == ["History"]


def test_nothing_that_the_repository_configures_is_executed(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "code")
    repository.commit("One", {"a.py": "1", ".gitattributes": "*.py diff=evil\n"})
    repository.commit("Two", {"a.py": "2"})
    trap, evil = tmp_path / "trapped", tmp_path / "evil.sh"
    evil.write_text(f"#!/bin/sh\ntouch {trap}\n")
    evil.chmod(0o755)
    for name in (
        "core.fsmonitor",
        "diff.external",
        "diff.evil.textconv",
        "diff.evil.command",
        "core.pager",
        "gpg.program",
        "pager.log",
        "core.sshCommand",
        "core.editor",
        "credential.helper",
        "alias.log",
    ):
        repository.git("config", name, str(evil))
    repository.git("config", "log.showSignature", "true")
    repository.git("config", "core.hooksPath", str(tmp_path))
    repository.git("config", "diff.orderFile", "/nowhere")
    repository.git("config", "format.pretty", "oops")
    trap.unlink(missing_ok=True)
    assert len(read(tmp_path / "code").commits) == 2
    assert not trap.exists()


def test_variables_of_git_in_the_environment_do_not_lead_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Repository(tmp_path / "other").commit("Other", {"o.py": ""})
    Repository(tmp_path / "code").commit("Mine", {"m.py": ""})
    monkeypatch.setenv("GIT_DIR", os.fspath(tmp_path / "other/.git"))
    assert [one.subject for one in read(tmp_path / "code").commits] == ["Mine"]
