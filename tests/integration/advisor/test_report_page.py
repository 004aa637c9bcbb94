"""The report in a real browser: search, map and findings work from a file, and nobody is asked for anything."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright, expect

from ramet.cli.entry import run
from tests.servers import CHROMIUM
from tests.unit.cli.advised import shop

pytestmark = [pytest.mark.needs("chromium", "git"), pytest.mark.asyncio(loop_scope="module")]
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
expect.set_options(timeout=30_000)  # milliseconds: a browser on a busy machine takes its time


@dataclass(frozen=True, kw_only=True)
class Report:
    """The open report, what it asked for, and what it complained of."""

    page: Page
    url: str
    asked: list[str]
    complaints: list[str]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def report(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Report]:
    folder = tmp_path_factory.mktemp("report")
    file = folder / "advice.html"
    assert run(["advise", str(shop(folder / "shop")), "--no-cache", f"--html={file}"]) == 0
    program = next(found for name in CHROMIUM if (found := shutil.which(name)))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        page = await browser.new_page(viewport={"width": 1280, "height": 900})
        made = Report(page=page, url=file.as_uri(), asked=[], complaints=[])
        page.on("request", lambda request: made.asked.append(request.url))
        page.on("pageerror", lambda error: made.complaints.append(str(error)))
        page.on("console", lambda said: made.complaints.append(said.text))
        await page.goto(made.url)
        yield made
        await browser.close()


async def test_it_shows_the_advice_without_a_complaint_and_asks_nobody(report: Report) -> None:
    await expect(report.page.get_by_role("heading", level=1)).to_have_text("shop")
    await expect(report.page.locator(".advice")).to_contain_text("Stay with one application")
    await expect(report.page.locator("#map svg circle").first).to_be_visible()
    await expect(report.page.locator("#timeline svg rect").first).to_be_visible()
    assert report.asked == [report.url]
    assert report.complaints == []


async def test_a_click_opens_a_folder_of_the_map_and_collapse_closes_it(report: Report) -> None:
    circles = report.page.locator("#map circle")
    before = await circles.count()
    await report.page.locator("#map g", has=report.page.locator("title", has_text="shop/orders")).click()
    await expect(report.page.locator("#map title", has_text=re.compile("^shop/orders/checkout.py:"))).to_have_count(1)
    await report.page.get_by_role("button", name="Collapse").click()
    await expect(circles).to_have_count(before)


async def test_the_search_hides_the_findings_that_do_not_match(report: Report) -> None:
    search = report.page.get_by_label("Search")
    shown = report.page.locator("#findings details:visible")
    await search.fill("stock_stock")
    await expect(shown).to_have_count(1)
    await expect(report.page.locator("#finding-count")).to_have_text("1 shown")
    await search.fill("nothing is called like this")
    await expect(shown).to_have_count(0)
    await search.fill("")
    await expect(shown).to_have_count(await report.page.locator("#findings details").count())


async def test_a_finding_opens_on_the_code_it_speaks_of(report: Report) -> None:
    finding = report.page.locator("#findings details", has_text="stock_stock")
    await finding.locator("summary").click()
    await expect(finding.locator("pre .at")).to_contain_text('Stock.objects.filter(name=name).update(name="taken")')


async def test_the_keyboard_opens_a_folder_and_goes_on_inside(report: Report) -> None:
    await report.page.locator("#collapse").click()
    folder = report.page.locator("#map g[data-name='shop/orders']")
    await folder.focus()
    await folder.press("Enter")
    assert await report.page.evaluate("document.activeElement.dataset.name.startsWith('shop/orders/')")
    await report.page.locator("#collapse").click()


async def test_it_fits_a_narrow_window(report: Report) -> None:
    await report.page.set_viewport_size({"width": 380, "height": 800})
    assert await report.page.evaluate("document.documentElement.scrollWidth") <= 380
    await report.page.set_viewport_size({"width": 1280, "height": 900})


async def test_names_with_line_breaks_do_not_break_the_map(report: Report, tmp_path: Path) -> None:
    root = shop(tmp_path / "shop")
    (root / "shop" / "a\nb").mkdir()
    (root / "shop" / "a\nb" / "c.py").write_text("from shop.orders import models\nfrom shop.stock import models\n")
    file = tmp_path / "advice.html"
    assert run(["advise", str(root), "--no-cache", f"--html={file}"]) == 0
    await report.page.goto(file.as_uri())
    await expect(report.page.locator("#map svg circle").first).to_be_visible()
    await report.page.goto(report.url)
    assert report.complaints == []
