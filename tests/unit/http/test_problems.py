"""Every error becomes problem details with the right status, and says nothing that is not for the public."""

from __future__ import annotations

import pytest

from ramet import errors
from ramet.contract.struct import Struct
from ramet.errors import DOCS, Refusal
from ramet.http.problems import challenge_of, problem_of
from ramet.http.refusals import InvalidRequest, Wrong


class OutOfStock(Refusal):
    """There are not enough of {sku}."""

    sku: str
    left: int = 0


class Gone(Refusal, status=410):
    """It was here."""

    code = "gone-for-good"
    status_text: str = ""


class Detail(Struct):
    lines: tuple[str, ...]


class Clash(Refusal):
    title: str
    what: Detail


def test_a_refusal_carries_its_facts() -> None:
    problem = problem_of(OutOfStock(sku="tea"), error_id="x", docs="/api/docs")
    assert problem.status == 409
    assert problem.members == {
        "type": "/api/docs#out-of-stock",
        "title": "Out of stock",
        "status": 409,
        "detail": "There are not enough of tea.",
        "code": "out-of-stock",
        "sku": "tea",
        "left": 0,
    }


def test_a_refusal_has_its_own_status_and_code() -> None:
    problem = problem_of(Gone(), error_id="x")
    assert (problem.status, problem.members["code"]) == (410, "gone-for-good")


def test_a_fact_does_not_hide_a_member_of_the_standard() -> None:
    members = problem_of(Clash(title="mine", what=Detail(lines=("a",))), error_id="x").members
    assert members["title"] == "Clash"
    assert members["facts"] == {"title": "mine"}
    assert members["what"] == {"lines": ("a",)}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidArguments("x"), 422),
        (errors.Unauthenticated("x"), 401),
        (errors.Denied("x"), 403),
        (errors.NotFound("x"), 404),
        (errors.Cancelled("x"), 409),
        (errors.Unavailable("x"), 503),
        (errors.Overloaded("x"), 503),
        (errors.DeadlineExceeded("x"), 504),
        (errors.OutcomeUnknown("x"), 502),
        (errors.InternalError("17", "inventory.stock"), 500),
        (errors.UsageError("x"), 500),
        (errors.StorageError("x"), 500),
        (KeyError("x"), 500),
    ],
)
def test_each_error_has_its_status(error: Exception, status: int) -> None:
    problem = problem_of(error, error_id="here")
    assert problem.status == problem.members["status"] == status
    assert str(problem.members["type"]).startswith(DOCS)


def test_what_is_unexpected_shows_only_an_id() -> None:
    problem = problem_of(ValueError("password=1234"), error_id="0f")
    assert (problem.id, problem.members["id"]) == ("0f", "0f")
    assert b"1234" not in problem.encode()


def test_the_id_of_a_failure_elsewhere_is_kept() -> None:
    problem = problem_of(errors.InternalError("17", "inventory.stock"), error_id="0f")
    assert problem.members["id"] == "17"
    assert b"inventory" not in problem.encode()


def test_internal_names_do_not_leak_from_failed_calls() -> None:
    assert b"inventory" not in problem_of(errors.Unavailable("inventory is not there"), error_id="0").encode()


def test_who_is_not_signed_in_is_told_how() -> None:
    assert (b"www-authenticate", b"Basic") in problem_of(
        errors.Unauthenticated(""), error_id="", challenge="Basic"
    ).headers


def test_who_comes_too_early_is_told_when() -> None:
    assert (b"retry-after", b"1") in problem_of(errors.Overloaded(""), error_id="").headers


def test_wrong_values_are_listed() -> None:
    wrong = Wrong(place="query", name="limit", message="Expected `int`")
    members = problem_of(InvalidRequest(errors=(wrong,)), error_id="").members
    assert members["errors"] == ({"in": "query", "name": "limit", "message": "Expected `int`"},)


@pytest.mark.parametrize(
    ("scheme", "challenge"),
    [
        ({"type": "http", "scheme": "bearer"}, "Bearer"),
        ({"type": "http", "scheme": "basic"}, "Basic"),
        ({"type": "oauth2"}, 'Bearer realm="it"'),
        ({"type": "apiKey", "in": "header", "name": "X-Key"}, 'ApiKey realm="it"'),
    ],
)
def test_the_challenge_follows_the_security_scheme(scheme: dict[str, str], challenge: str) -> None:
    assert challenge_of({"it": scheme}) == challenge
