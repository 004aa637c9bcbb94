"""The documentation page in a real browser: it shows the API, tries it, reads well, and asks nobody else."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from ramet.clock import SystemClock
from ramet.contract.api import Api, get, post
from ramet.contract.struct import Struct
from ramet.contract.web.request import Request
from ramet.contract.web.responses import EventStream
from ramet.errors import Refusal, Unauthenticated
from ramet.http.application import HttpApplication
from ramet.http.server import HttpServer
from ramet.http.surroundings import HttpSettings, Surroundings
from ramet.tasks import Tasks
from ramet.telemetry.context import Caller
from tests.servers import CHROMIUM

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="module")]

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDE, PHONE = (1280, 900), (390, 844)
UNREADABLE = Path(__file__).with_name("unreadable.js").read_text(encoding="utf-8")
EXACT = 9_007_199_254_740_993  # the first integer that JavaScript cannot hold
expect.set_options(timeout=30_000)  # milliseconds: a browser on a busy machine takes its time


class Line(Struct):
    sku: str
    quantity: int = 1


class Chosen(Struct):
    sku: str
    quantity: int
    shade: str | None


class SoldOut(Refusal):
    """There is no {sku} left."""

    sku: str


class Shop(Api, prefix="/api", version="1.2.3"):
    """Sells `tea`."""

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.left = asyncio.Event()

    async def authenticate(self, request: Request) -> Caller | None:
        token = request.headers.get("authorization")
        if token not in (None, "Bearer secret"):
            raise Unauthenticated("The token is not valid.")
        return Caller(subject="ann") if token else None

    @get("/lines/{sku}", tags=["lines"])
    async def line(self, sku: str, quantity: int = 1, shade: Literal["light", "dark"] | None = None) -> Chosen:
        """One line, of `sku`."""
        return Chosen(sku=sku, quantity=quantity, shade=shade)

    @post("/lines", status=201, tags=["lines"], refuses=(SoldOut,))
    async def add(self, line: Line) -> Line:
        if line.sku == "gone":
            raise SoldOut(sku=line.sku)
        return line

    @get("/exact", tags=["lines"])
    async def exact(self) -> int:
        return EXACT

    @post("/form", tags=["lines"])
    async def form(self, request: Request) -> None:
        """A body that is read by hand."""

    @get("/me", tags=["account"])
    async def me(self, caller: Caller) -> str:
        return caller.subject

    @get("/events", tags=["account"])
    async def events(self) -> EventStream[Line]:
        try:
            yield Line(sku="first")
            await self.release.wait()
            yield Line(sku="second")
            await asyncio.Event().wait()
        finally:
            self.left.set()


@dataclass(frozen=True, kw_only=True)
class Docs:
    """The page, open, and what the browser asked for and complained of."""

    shop: Shop
    page: Page
    url: str
    asked: list[str]
    complaints: list[str]

    async def open(self, operation: str) -> Locator:
        """Unfold an operation as its link in the list does; gives its part of the page."""
        await self.page.goto(f"{self.url}/api/docs#{operation}")
        return self.page.locator(f"details#{operation}")

    async def answer(self, part: Locator, status: str) -> str:
        """Send; gives the text of the answer, once it is there whole."""
        await part.get_by_role("button", name="Send").click()
        await expect(part.get_by_role("status")).to_have_text(re.compile(rf"^{status} in \d+ ms$"))
        return await part.get_by_label("Answer").inner_text()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    program = next(filter(None, map(shutil.which, CHROMIUM)))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def url_and_shop() -> AsyncIterator[tuple[str, Shop]]:
    tasks, shop = Tasks(), Shop()
    around = Surroundings(clock=SystemClock(), spawn=tasks.spawn)
    server = HttpServer(
        HttpApplication([(Shop, shop)], settings=HttpSettings(), around=around), port=0, spawn=tasks.spawn
    )
    await server.start()
    yield server.url, shop
    await server.stop(grace_seconds=0.2)
    await tasks.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def docs(url_and_shop: tuple[str, Shop], browser: Browser) -> AsyncIterator[Docs]:
    url, shop = url_and_shop
    context = await browser.new_context(viewport={"width": WIDE[0], "height": WIDE[1]})
    page = await context.new_page()
    docs = Docs(shop=shop, page=page, url=url, asked=[], complaints=[])
    page.on("request", lambda request: docs.asked.append(request.url))
    page.on("pageerror", lambda error: docs.complaints.append(str(error)))
    page.on("console", lambda said: docs.complaints.append(said.text) if said.type in {"error", "warning"} else None)
    await page.goto(f"{url}/api/docs")
    yield docs
    await context.close()


async def test_the_page_shows_the_api_and_asks_for_nothing_but_itself(docs: Docs) -> None:
    await expect(docs.page).to_have_title("Shop")
    await expect(docs.page.get_by_role("heading", level=1)).to_have_text("Shop1.2.3")
    await expect(docs.page.get_by_role("navigation").get_by_role("link")).to_have_count(6)
    await expect(docs.page.locator("tr#sold-out")).to_contain_text("left.")
    assert docs.asked == [f"{docs.url}/api/docs"]
    assert docs.complaints == []


async def test_try_a_get_with_parameters_of_path_and_query(docs: Docs) -> None:
    part = await docs.open("line")
    await part.get_by_label("sku").fill("blue tea")
    await part.get_by_label("quantity").fill("3")
    await part.get_by_label("shade").select_option("dark")
    answer = await docs.answer(part, "200 OK")
    assert json.loads(answer) == {"sku": "blue tea", "quantity": 3, "shade": "dark"}
    assert docs.asked[-1] == f"{docs.url}/api/lines/blue%20tea?quantity=3&shade=dark"


async def test_a_parameter_that_is_needed_is_asked_for_before_anything_is_sent(docs: Docs) -> None:
    part = await docs.open("line")
    await part.get_by_role("button", name="Send").click()
    await expect(part.get_by_label("sku")).to_be_focused()
    assert docs.asked == [f"{docs.url}/api/docs"]


async def test_try_a_post_with_a_body(docs: Docs) -> None:
    part = await docs.open("add")
    body = part.get_by_label("Body")
    assert json.loads(await docs.answer(part, "201 Created")) == json.loads(await body.input_value())
    await body.fill('{"sku": "tea", "quantity": 7}')
    assert json.loads(await docs.answer(part, "201 Created")) == {"sku": "tea", "quantity": 7}


async def test_an_error_is_shown_as_the_problem_it_is(docs: Docs) -> None:
    part = await docs.open("add")
    await part.get_by_label("Body").fill('{"sku": "gone"}')
    refused = json.loads(await docs.answer(part, "409 Conflict"))
    await part.get_by_label("Body").fill('{"sku": 1}')
    invalid = json.loads(await docs.answer(part, f"422 {HTTPStatus.UNPROCESSABLE_ENTITY.phrase}"))
    assert (refused["code"], refused["sku"]) == ("sold-out", "gone")
    assert [error["pointer"] for error in invalid["errors"]] == ["/sku"]


async def test_the_token_goes_along_and_outlives_a_reload(docs: Docs) -> None:
    part = await docs.open("me")
    assert json.loads(await docs.answer(part, "401 Unauthorized"))["code"] == "unauthenticated"
    await docs.page.get_by_label("Token").fill("secret")
    assert json.loads(await docs.answer(part, "200 OK")) == "ann"
    await docs.page.reload()
    assert json.loads(await docs.answer(part, "200 OK")) == "ann"
    await part.get_by_role("button", name="As curl").click()
    await expect(part.get_by_label("As curl").last).to_contain_text("-H 'authorization: Bearer secret'")


async def test_events_appear_as_they_come_until_one_stops_them(docs: Docs) -> None:
    part = await docs.open("events")
    await part.get_by_role("button", name="Send").click()
    await expect(part.get_by_label("Answer")).to_contain_text('"first"')
    await expect(part.get_by_label("Answer")).not_to_contain_text('"second"')
    docs.shop.release.set()
    await expect(part.get_by_label("Answer")).to_contain_text('"second"')
    await part.get_by_role("button", name="Stop").click()
    await expect(part.get_by_role("status")).to_contain_text("stopped")
    async with asyncio.timeout(10):
        await docs.shop.left.wait()


async def test_long_numbers_stay_exact(docs: Docs) -> None:
    assert await docs.answer(await docs.open("exact"), "200 OK") == str(EXACT)


async def test_a_server_that_is_gone_is_said_to_be(docs: Docs) -> None:
    part = await docs.open("exact")
    await docs.page.context.set_offline(True)
    await part.get_by_role("button", name="Send").click()
    await expect(part.get_by_role("status")).to_contain_text("No answer")


async def test_the_keyboard_is_enough(docs: Docs) -> None:
    await docs.page.keyboard.press("Tab")
    await expect(docs.page.get_by_role("link", name="Skip to the operations")).to_be_focused()
    await docs.page.keyboard.press("Tab")
    await docs.page.keyboard.type("exact")
    await expect(docs.page.locator("details.operation:visible")).to_have_count(1)
    await expect(docs.page.get_by_role("navigation").get_by_role("link")).to_have_count(1)
    await docs.page.keyboard.press("Tab")
    await docs.page.keyboard.press("Enter")
    await expect(docs.page.locator("details#exact")).to_have_attribute("open", "")


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everything_can_be_read(docs: Docs, scheme: Literal["light", "dark"], size: tuple[int, int]) -> None:
    await docs.page.emulate_media(color_scheme=scheme)
    await docs.page.set_viewport_size({"width": size[0], "height": size[1]})
    await docs.answer(await docs.open("exact"), "200 OK")
    assert await docs.page.evaluate(UNREADABLE) == []
    assert await docs.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_light_and_dark_can_be_chosen(docs: Docs) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    await docs.page.emulate_media(color_scheme="light")
    before = await docs.page.evaluate(paper)
    await docs.page.get_by_role("button", name="Light / dark").click()
    chosen = await docs.page.evaluate(paper)
    await docs.page.reload()
    assert before != chosen == await docs.page.evaluate(paper)
