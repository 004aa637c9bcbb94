"""A link to a section of a page leads to a heading that is there."""

from __future__ import annotations

import re
from pathlib import Path

from tests.house.test_pages import FENCE
from tests.house.tree import ROOT, listed, pages

LINK = re.compile(r"\[[^\]]+\]\((?!https?://)([^)#\s]*)#([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The sections of a page as links name them."""
    headings = HEADING.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_links_to_sections_lead_somewhere() -> None:
    offenders = [
        f"{page.relative_to(ROOT)}: {target}#{anchor}"
        for page in pages()
        for target, anchor in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
        if anchor not in anchors(page.parent / target if target else page)
    ]
    assert not offenders, listed(offenders)
