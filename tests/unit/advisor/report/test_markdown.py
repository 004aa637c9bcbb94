"""The report as Markdown says the same, and what comes from a code base stays text."""

from __future__ import annotations

from ramet.advisor.advise import advise
from ramet.advisor.readiness.score import Answers
from ramet.advisor.report.markdown import markdown
from tests.unit.advisor.small_shop import shop


def test_every_section_is_there() -> None:
    text = markdown(advise(shop(), Answers()))
    heads = [line for line in text.splitlines() if line.startswith("#")]
    assert [head.split(":")[0] for head in heads] == [
        "# shop",
        "## What would make good services",
        "## What to do, in this order",
        "## Readiness",
        "## Findings (2)",
    ]
    assert "**Stay with one application, and keep its parts apart inside it.**" in text


def test_a_finding_has_its_place() -> None:
    text = markdown(advise(shop(), Answers()))
    assert "- **warning** shop/orders writes stock of shop/stock in 1 place. `shop/orders/rules.py:11`" in text
