"""Contracts over HTTP, from both sides: what arrives, what is refused, and what is known when it goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest

from ramet.errors import (
    CallError,
    Cancelled,
    DeadlineExceeded,
    Denied,
    OutcomeUnknown,
    Overloaded,
    Unauthenticated,
    Unavailable,
)
from ramet.http.external import LONGEST_ANSWER_BYTES
from ramet.telemetry.context import Context, current_context
from ramet.testing.engines.base import free_port
from ramet.transport.base import Peer
from tests.integration.external.catalog import PRODUCTS, Catalog
from tests.integration.external.outside import answering, external


async def test_a_query_is_answered_with_its_type() -> None:
    async with answering() as url, external(Catalog, url) as catalog:
        assert await catalog["product"]("tea") == PRODUCTS["tea"]


async def test_a_refusal_arrives_with_its_facts() -> None:
    async with answering() as url, external(Catalog, url) as catalog:
        with pytest.raises(Catalog.NoSuchProduct) as refused:
            await catalog["product"]("gold")
    assert refused.value.sku == "gold"


async def test_a_repeated_key_is_answered_as_the_first_time() -> None:
    async with answering() as url, external(Catalog, url) as catalog:
        first = await catalog["rename"]("key-1", ("tea", "Tea"))
        assert await catalog["rename"]("key-1", ("tea", "Tea")) == first
        assert await catalog["rename"]("key-2", ("tea", "Tea")) == first + 1


async def test_a_key_is_its_callers_own_and_never_empty() -> None:
    async with answering(lambda token: Peer(token.decode(), frozenset({"catalog"}))) as url:
        async with external(Catalog, url, token="ada") as ada, external(Catalog, url, token="eve") as eve:
            first = await ada["rename"]("key-1", ("tea", "Tea"))
            assert await eve["rename"]("key-1", ("tea", "Tea")) == first + 1
            assert await ada["rename"]("key-1", ("tea", "Tea")) == first
        async with aiohttp.ClientSession(headers={"Authorization": "Bearer ada", "Idempotency-Key": ""}) as session:
            asked = session.post(f"{url}/catalog/rename", json={"sku": "tea", "name": "Tea"})
            async with asked as response:
                assert response.status == 422
                assert "Idempotency-Key is empty" in (await response.json())["detail"]


async def test_arguments_that_do_not_fit_are_refused_by_name() -> None:
    async with answering() as url, aiohttp.ClientSession() as session:
        for arguments in ({"sku": 17}, {}, {"sku": "tea", "colour": "green"}):
            async with session.post(f"{url}/catalog/product", json=arguments) as response:
                assert response.status == 422
                assert response.content_type == "application/problem+json"
                detail = (await response.json())["detail"]
                assert "sku" in detail
                assert "colour" not in arguments or "colour" in detail


async def test_what_is_not_there_is_a_problem_too() -> None:
    async with answering() as url, aiohttp.ClientSession() as session:
        async with session.post(f"{url}/catalog/nothing", json={}) as response:
            assert (response.status, (await response.json())["code"]) == (404, "not-found")
        async with session.post(f"{url}/catalog/product", data=b"no json") as response:
            assert (response.status, (await response.json())["code"]) == (422, "invalid-arguments")


async def test_a_withdrawn_key_is_not_executed_any_more() -> None:
    async with answering() as url, external(Catalog, url) as catalog, aiohttp.ClientSession() as session:
        async with session.delete(f"{url}/catalog/rename", headers={"Idempotency-Key": "key-3"}) as response:
            assert response.status == 204
        with pytest.raises(Cancelled):
            await catalog["rename"]("key-3", ("tea", "Tea"))


async def test_nobody_there_is_unavailable() -> None:
    async with external(Catalog, f"http://127.0.0.1:{free_port()}") as catalog:
        with pytest.raises(Unavailable, match="cannot be reached"):
            await catalog["rename"](None, ("tea", "Tea"))


async def test_a_lost_reply_of_a_command_leaves_the_outcome_unknown() -> None:
    async with _closing() as url, external(Catalog, url) as catalog:
        with pytest.raises(OutcomeUnknown):
            await catalog["rename"](None, ("tea", "Tea"))


@pytest.mark.parametrize(
    ("head", "key", "attempts", "raised"),
    [
        pytest.param("503 Busy", "key-4", 3, Unavailable, id="503, and may be repeated"),
        pytest.param("503 Busy", None, 1, Unavailable, id="503, and may not"),
        pytest.param("502 Lost", "key-4", 3, OutcomeUnknown, id="502, and may be repeated"),
        pytest.param("502 Lost", None, 1, OutcomeUnknown, id="502, and may not"),
        pytest.param("429 Slow", "key-4", 1, Overloaded, id="too many calls"),
    ],
)
async def test_a_command_that_was_not_executed_or_was_lost_is_tried_again_where_that_is_safe(
    head: str, key: str | None, attempts: int, raised: type[Exception]
) -> None:
    async with _saying(head, b"{}") as (url, asked), external(Catalog, url) as catalog:
        with pytest.raises(raised):
            await catalog["rename"](key, ("tea", "Tea"))
    assert len(asked) == attempts


@pytest.mark.parametrize("head", ["502 Lost", "503 Busy"])
async def test_a_query_that_was_lost_on_the_way_is_tried_again_and_nothing_of_it_is_unknown(head: str) -> None:
    async with _saying(head, b"<h1>no</h1>") as (url, asked), external(Catalog, url) as catalog:
        with pytest.raises(Unavailable):
            await catalog["product"]("tea")
    assert len(asked) == 3


async def test_a_deadline_ends_a_call_to_somebody_who_does_not_answer() -> None:
    loop = asyncio.get_running_loop()
    token = current_context.set(Context.root("0" * 32, deadline=loop.time() + 0.05))
    try:
        async with _silent() as url, external(Catalog, url) as catalog:
            with pytest.raises(DeadlineExceeded):
                await catalog["search"](None)
    finally:
        current_context.reset(token)


async def test_a_token_is_asked_for_and_says_what_may_be_called() -> None:
    def verify(token: bytes) -> Peer:
        if token == b"forged":
            raise Unauthenticated("The token is not signed by us.")
        return Peer("recommendations", frozenset(token.decode().split(",")))

    async with answering(verify) as url:
        async with external(Catalog, url) as catalog:
            with pytest.raises(Unauthenticated):
                await catalog["product"]("tea")
        async with external(Catalog, url, token="forged") as catalog:
            with pytest.raises(Unauthenticated):
                await catalog["product"]("tea")
        async with external(Catalog, url, token="orders") as catalog:
            with pytest.raises(Denied):
                await catalog["product"]("tea")
        async with external(Catalog, url, token="orders,catalog") as catalog:
            assert await catalog["product"]("tea") == PRODUCTS["tea"]


@pytest.mark.parametrize(
    ("head", "body", "said"),
    [
        pytest.param("200 OK", b"[" * 200_000, "does not fit its contract", id="nested too deep"),
        pytest.param("200 OK", b"\xff{", "does not fit its contract", id="no text"),
        pytest.param("200 OK", b'"' + b"a" * LONGEST_ANSWER_BYTES + b'"', "more than 16 MiB", id="too long"),
        pytest.param(
            "404 No", b'{"code": "no-such-product", "facts": [1]}', "cannot be read", id="facts that are none"
        ),
        pytest.param("307 Elsewhere\r\nLocation: /elsewhere", b"", "answered elsewhere", id="elsewhere"),
    ],
)
async def test_what_no_contract_answers_is_an_error_of_the_call(head: str, body: bytes, said: str) -> None:
    async with _saying(head, body) as (url, asked), external(Catalog, url) as catalog:
        with pytest.raises(CallError, match=said):
            await catalog["product"]("tea")
    assert len(asked) == 1


async def test_an_answer_that_is_no_problem_is_told_as_it_came() -> None:
    async with _saying("500 No", b"<h1>out of\npaper</h1>") as (url, _), external(Catalog, url) as catalog:
        with pytest.raises(
            CallError, match=r"^catalog.rename at http://.* answered 500, and said: <h1>out of paper</h1>$"
        ):
            await catalog["rename"](None, ("tea", "Tea"))


async def test_a_cookie_of_one_call_is_not_shown_with_the_next() -> None:
    head = "200 OK\r\nSet-Cookie: who=ada"
    async with _saying(head, b"[]", name="localhost") as (url, asked), external(Catalog, url) as catalog:
        assert [await catalog["search"](None) for _ in range(2)] == [(), ()]
    assert len(asked) == 2
    assert not any(b"who=ada" in request for request in asked)


@asynccontextmanager
async def _saying(head: str, body: bytes, *, name: str = "127.0.0.1") -> AsyncIterator[tuple[str, list[bytes]]]:
    """Whoever asks is answered so, once for each connection; the URL, and what was asked."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(f"HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        with suppress(ConnectionError):
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://{name}:{server.sockets[0].getsockname()[1]}", asked


@asynccontextmanager
async def _closing() -> AsyncIterator[str]:
    async def close(reader: asyncio.StreamReader) -> None:
        await reader.readuntil(b"\r\n\r\n")

    async with _serving(close) as url:
        yield url


@asynccontextmanager
async def _silent() -> AsyncIterator[str]:
    async def wait(reader: asyncio.StreamReader) -> None:
        while await reader.read(1000):
            pass

    async with _serving(wait) as url:
        yield url


@asynccontextmanager
async def _serving(read: Callable[[asyncio.StreamReader], Awaitable[None]]) -> AsyncIterator[str]:
    """Reads what a connection sends, and closes it; at the end every connection is closed."""
    served: list[asyncio.Event] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(asyncio.Event())
        done = served[-1]
        await read(reader)
        writer.close()
        await writer.wait_closed()
        done.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for done in served:
            await done.wait()
