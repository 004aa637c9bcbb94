"""An operation answers whatever happens in it, within its limits, and in its context."""

from __future__ import annotations

import asyncio
import logging

import pytest

from ramet.clock import VirtualClock
from ramet.http.surroundings import Answered, HttpSettings
from ramet.tasks import Tasks
from ramet.telemetry.context import Caller, current_context
from ramet.telemetry.scope import current_scope
from tests.unit.http.asgi import ask, served
from tests.unit.http.shop import Shop


async def test_a_value_becomes_json() -> None:
    async with served(Shop()) as app:
        answer = await ask(app, "GET", "/api/lines/tea")
    assert (answer.status, answer.body) == (200, b'{"sku":"tea","quantity":1}')
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-length"] == str(len(answer.body))


async def test_a_status_may_be_declared_and_nothing_is_204() -> None:
    async with served(Shop()) as app:
        assert (await ask(app, "POST", "/api/lines", json={"sku": "tea"})).status == 201
        gone = await ask(app, "DELETE", "/api/lines/tea")
    assert (gone.status, gone.body) == (204, b"")


@pytest.mark.parametrize(("sku", "status", "code"), [("none", 404, "not-found"), ("out", 409, "out-of-stock")])
async def test_what_is_raised_becomes_a_problem(sku: str, status: int, code: str) -> None:
    async with served(Shop()) as app:
        answer = await ask(app, "GET", f"/api/lines/{sku}")
    assert (answer.status, answer.json["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_bug_is_logged_under_the_id_that_is_answered(caplog: pytest.LogCaptureFixture) -> None:
    async with served(Shop()) as app:
        with caplog.at_level(logging.ERROR, "ramet.http"):
            answer = await ask(app, "GET", "/api/lines/bug")
    assert answer.status == 500
    assert b"1234" not in answer.body
    assert answer.json["id"] in caplog.text
    assert "the password is 1234" in caplog.text


async def test_what_the_callee_has_logged_is_not_logged_whole_again(caplog: pytest.LogCaptureFixture) -> None:
    async with served(Shop()) as app:
        with caplog.at_level(logging.ERROR, "ramet.http"):
            answer = await ask(app, "GET", "/api/lines/fallen")
    assert (answer.status, answer.json["id"]) == (500, "17")
    assert [record.exc_info for record in caplog.records] == [None]
    assert "error id 17" in caplog.text


async def test_authentication() -> None:
    async with served(Shop()) as app:
        unknown = await ask(app, "GET", "/api/me")
        known = await ask(app, "GET", "/api/me", headers={"authorization": "ada"})
        denied = await ask(app, "GET", "/api/me", headers={"authorization": "eve"})
        forged = await ask(app, "GET", "/api/lines/tea", headers={"authorization": "forged"})
    assert (unknown.status, unknown.headers["www-authenticate"]) == (401, "Bearer")
    assert (known.status, known.json) == (200, "ada")
    assert (denied.status, forged.status) == (403, 401)


async def test_the_context_knows_caller_trace_and_deadline() -> None:
    shop, clock = Shop(), VirtualClock()
    header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    async with served(shop, clock=clock, region="eu") as app:
        headers = {"traceparent": header, "authorization": "ada", "x-request-id": "mine", "x-request-timeout": "250ms"}
        answer = await ask(app, "GET", "/api/lines/tea", headers=headers)
    assert shop.seen is not None
    assert shop.seen.trace == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert shop.seen.caller == Caller(subject="ada", tenant="acme")
    assert (shop.seen.tenant, shop.seen.region, shop.seen.deadline) == ("acme", "eu", 0.25)
    assert answer.headers["x-request-id"] == "mine"
    assert answer.headers["traceparent"].startswith("00-4bf92f3577b34da6a3ce929d0e0e4736-")
    assert current_context.get() is None


async def test_a_wrong_timeout_is_named() -> None:
    async with served(Shop()) as app:
        answer = await ask(app, "GET", "/api/lines/tea", headers={"x-request-timeout": "soon"})
    assert (answer.status, answer.json["errors"][0]["name"]) == (422, "x-request-timeout")


async def test_a_cancellation_that_came_from_inside_is_an_error_like_any_other() -> None:
    async with served(Shop()) as app:
        answer = await ask(app, "GET", "/api/lines/cancelled")
    assert (answer.status, answer.json["code"]) == (500, "internal-error")


async def test_an_idempotency_key_gives_commands_theirs_apart_for_each_caller_and_body() -> None:
    shop = Shop()
    async with served(shop) as app:
        for who in ("ada", "ada", "eve"):
            headers = {"idempotency-key": "17", "authorization": who}
            await ask(app, "POST", "/api/lines", json={"sku": "tea"}, headers=headers)
        headers = {"idempotency-key": "17", "authorization": "ada"}
        await ask(app, "POST", "/api/lines", json={"sku": "oil"}, headers=headers)
        await ask(app, "POST", "/api/lines", json={"sku": "tea"})
    first, again, other_caller, other_body, without = shop.keys
    assert first == again
    assert first.startswith("shop.add/")
    assert first.endswith("/inventory.reserve/1")
    assert len({first, other_caller, other_body}) == 3
    assert without is None
    assert current_scope.get() is None


async def test_an_empty_idempotency_key_is_refused() -> None:
    shop = Shop()
    async with served(shop) as app:
        answer = await ask(app, "POST", "/api/lines", json={"sku": "tea"}, headers={"idempotency-key": ""})
    assert (answer.status, answer.json["code"], shop.keys) == (422, "invalid-arguments", [])


async def test_nobody_has_a_name_and_a_key_that_together_look_like_those_of_another() -> None:
    shop = Shop()
    async with served(shop) as app:
        for who, key in (("ada/1", "7"), ("ada", "1/7"), ("ada", "1/7" * 1000)):
            headers = {"idempotency-key": key, "authorization": who}
            await ask(app, "POST", "/api/lines", json={"sku": "tea"}, headers=headers)
    assert len(set(shop.keys)) == 3
    assert max(len(key or "") for key in shop.keys) < 100


async def test_what_takes_too_long_is_cancelled_and_answered_504() -> None:
    shop, clock, tasks = Shop(), VirtualClock(), Tasks()
    async with served(shop, clock=clock) as app:
        asking = tasks.spawn(ask(app, "GET", "/api/slow"))
        await clock.advance(1.1)
        answer = await asking
    assert (answer.status, answer.json["code"], shop.cancelled) == (504, "deadline-exceeded", True)


async def test_where_another_process_may_have_executed_a_command_no_answer_says_that_it_has_not() -> None:
    clock, tasks = VirtualClock(), Tasks()
    async with served(Shop(), clock=clock) as app:
        asking = tasks.spawn(ask(app, "POST", "/api/adrift"))
        await clock.advance(1.1)
        overdue = await asking
        asking = tasks.spawn(ask(app, "POST", "/api/adrift"))
        await clock.settle()
        draining = tasks.spawn(app.flights.drain(0.5))
        await clock.advance(0.6)
        closed = await asking
        await draining
    assert [(one.status, one.json["code"]) for one in (overdue, closed)] == [(502, "outcome-unknown")] * 2


async def test_what_is_cut_off_when_the_server_closes_was_rolled_back_and_may_be_repeated() -> None:
    shop, clock, tasks = Shop(), VirtualClock(), Tasks()
    async with served(shop, clock=clock) as app:
        asking = tasks.spawn(ask(app, "GET", "/api/slow"))
        await clock.settle()
        draining = tasks.spawn(app.flights.drain(0.5))
        await clock.advance(0.6)
        answer = await asking
        await draining
    assert (answer.status, answer.json["code"], shop.cancelled) == (503, "unavailable", True)


async def test_work_that_ends_in_spite_of_it_is_answered() -> None:
    clock, tasks = VirtualClock(), Tasks()
    async with served(Shop(), clock=clock) as app:
        asking = tasks.spawn(ask(app, "GET", "/api/stubborn"))
        await clock.advance(1.1)
        answer = await asking
    assert (answer.status, answer.json) == (200, "finished all the same")


async def test_a_cancellation_from_outside_passes_through() -> None:
    shop, clock, tasks = Shop(), VirtualClock(), Tasks()
    async with served(shop, clock=clock) as app:
        asking = tasks.spawn(ask(app, "GET", "/api/slow"))
        await clock.settle()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert len(app.flights) == 0


async def test_a_body_that_does_not_arrive_in_time_is_the_clients_fault() -> None:
    clock, tasks = VirtualClock(), Tasks()
    async with served(Shop(), clock=clock) as app:
        asking = tasks.spawn(ask(app, "POST", "/api/lines", body=()))
        await clock.advance(5.1)
        answer = await asking
    assert (answer.status, answer.headers["connection"]) == (408, "close")


async def test_pages_lead_from_one_to_the_next() -> None:
    found, path = [], "/api/pages?limit=2&x=1"
    async with served(Shop()) as app:
        for _ in range(3):
            answer = await ask(app, "GET", path)
            found += answer.json["items"]
            link = answer.headers.get("link", "")
            path = link[1 : link.index(">")] if link else ""
        wrong = await ask(app, "GET", "/api/pages?cursor=%21")
    assert (found, path, answer.json["next"]) == ([0, 1, 2, 3, 4], "", None)
    assert wrong.status == 422


async def test_a_body_has_a_limit() -> None:
    async with served(Shop(), settings=HttpSettings(max_body=20)) as app:
        told = await ask(app, "POST", "/api/lines", headers={"content-length": "21"}, body=b"{}")
        grown = await ask(app, "POST", "/api/lines", body=(b"x" * 15, b"x" * 15))
        own = await ask(app, "PUT", "/api/raw", body=(b"x" * 6, b"x" * 6))
        fits = await ask(app, "PUT", "/api/raw", body=(b"x" * 5, b"x" * 5))
    assert [told.status, grown.status, own.status, fits.status] == [413, 413, 413, 200]
    assert told.json["limit"] == 20


async def test_only_json_is_taken_for_json() -> None:
    async with served(Shop()) as app:
        text = await ask(app, "POST", "/api/lines", body=b"{}", headers={"content-type": "text/plain"})
        special = await ask(
            app,
            "POST",
            "/api/lines",
            body=b'{"sku":"a"}',
            headers={"content-type": "application/x+json; charset=utf-8"},
        )
    assert (text.status, special.status) == (415, 201)


async def test_a_client_that_leaves_is_counted_and_not_answered() -> None:
    leave, told = asyncio.Event(), list[Answered]()
    leave.set()
    async with served(Shop(), answered=told.append) as app:
        answer = await ask(app, "POST", "/api/lines", body=(), stay=leave)
        await ask(app, "GET", "/api/lines/bug")
        await ask(app, "GET", "/api/lines/tea")
    assert answer.status == 0
    assert [(each.path, each.status) for each in told] == [
        ("/api/lines", 499),
        ("/api/lines/{sku}", 500),
        ("/api/lines/{sku}", 200),
    ]
    assert told[1].error_id is not None
