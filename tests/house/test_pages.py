"""The pages: the README is short, links lead somewhere, and no page or comment knows somebody's machine."""

from __future__ import annotations

import re

from tests.house.tree import ROOT, library, listed, pages, python

LINK = re.compile(r"(?<!!)\[[^\]]+\]\((?!https?://|mailto:|#)([^)#\s]+)[^)]*\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
MACHINE = re.compile(r"(?<![\w.<])/(?:home|root|Users|work)/\w+")
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")


def test_the_readme_has_80_to_120_lines() -> None:
    assert 80 <= len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


def test_links_between_pages_lead_somewhere() -> None:
    offenders = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages()
        for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
        if not (page.parent / target).exists()
    ]
    assert not offenders, listed(offenders)


def test_nothing_names_a_path_of_one_machine_or_is_left_unfinished() -> None:
    sources = [module.path for module in (*library(), *python("tests", "examples", "benchmarks", "tools"))]
    others = [ROOT / "Makefile", ROOT / "pyproject.toml", ROOT / "uv.lock", ROOT / ".ci" / "run"]
    offenders = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in (*pages(), *sources, *others)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if MACHINE.search(line) or UNFINISHED.search(line)
    ]
    assert not offenders, listed(offenders)


def test_the_lock_can_be_used_anywhere() -> None:
    hosts = set(re.findall(r"https?://([^/\"]+)", (ROOT / "uv.lock").read_text(encoding="utf-8")))
    assert hosts <= {"pypi.org", "files.pythonhosted.org"}
