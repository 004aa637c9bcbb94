"""The page holds everything it needs, is the same for the same facts, and nothing of a code base runs in it."""

from __future__ import annotations

import re

from ramet.advisor.advise import RULES, advise
from ramet.advisor.excerpts import Excerpt
from ramet.advisor.facts import Commit, Module
from ramet.advisor.readiness.score import Answers
from ramet.advisor.report.html import html
from tests.unit.advisor.small_shop import shop


def page(**changes: object) -> str:
    facts = type(shop())(**{name: getattr(shop(), name) for name in shop().__struct_fields__} | changes)
    return html(advise(facts, Answers()), facts, RULES, [Excerpt(path="a.py", line=1, first=1, lines=("<b>",))])


def test_nothing_is_fetched_from_anywhere() -> None:
    text = page()
    assert not re.findall(r"(?:src|href)=\"(?!#)", text)
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in text


def test_equal_facts_give_equal_pages() -> None:
    assert page() == page()


def test_a_path_that_looks_like_markup_is_text() -> None:
    odd = Module(path="</script><script>alert(1)</script>.py", name="x", lines=3)
    assert "<script>alert" not in page(modules=(*shop().modules, odd))


def test_months_without_a_commit_are_shown_and_machines_are_no_people() -> None:
    commits = (
        Commit(id="1", at=1_700_000_000.0, author="Ann", files=()),
        Commit(id="2", at=1_690_000_000.0, author="dependabot[bot]", files=()),
    )
    found = re.search(r'"months":(\[\[.*?\]\])', page(commits=commits))
    assert found is not None
    assert found[1] == '[["2023-07",1,0],["2023-08",0,0],["2023-09",0,0],["2023-10",0,0],["2023-11",1,1]]'
