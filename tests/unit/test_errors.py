"""Errors are one tree, keep their facts, and say one sentence."""

from __future__ import annotations

import inspect
import pickle
import re

import pytest

from ramet import errors
from ramet.errors import (
    CallError,
    DeclarationError,
    IncompatibleRelease,
    InternalError,
    MissingExtra,
    RametError,
    Refusal,
)

ALL = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, RametError)]


class OutOfStock(Refusal, status=410):
    """There are {left} of {sku}."""

    sku: str
    left: int = 0


class SoldOut(OutOfStock):
    """{sku} is sold out since {since.year}."""

    since: object = None


class Closed(Refusal):
    pass


def test_the_tree_at_the_top_is_the_tree() -> None:
    drawn = re.findall(r"^[│ ]*(?:├──|└──)? ?(\w+)(?: |$)", errors.__doc__ or "", re.MULTILINE)
    assert {name for name in drawn if hasattr(errors, name)} == {kind.__name__ for kind in ALL}
    for kind in ALL:
        line = next(text for text in (errors.__doc__ or "").splitlines() if re.search(rf"\b{kind.__name__}\b", text))
        depth = re.search(r"\w", line).start() // 4  # type: ignore[union-attr]  # every line has a word
        assert len(kind.__mro__) - len(RametError.__mro__) == depth, kind


def test_codes_are_stable_and_their_own() -> None:
    codes = [kind.code for kind in ALL]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in codes)
    assert all(inspect.getdoc(kind) for kind in ALL)


def test_a_refusal_says_its_sentence_with_its_facts() -> None:
    assert str(OutOfStock(sku="tea", left=2)) == "There are 2 of tea."
    assert OutOfStock(sku="tea").facts == {"sku": "tea", "left": 0}
    assert (OutOfStock.status, SoldOut.status, Closed.status) == (410, 410, 409)


def test_a_refusal_whose_sentence_does_not_fit_still_says_something() -> None:
    assert str(SoldOut(sku="tea")) == "{sku} is sold out since {since.year}."
    assert str(Closed()) == "Closed()"


def test_a_refusal_takes_its_facts_by_name_only() -> None:
    with pytest.raises(TypeError, match="OutOfStock takes sku, left; missing: sku; unknown: colour"):
        OutOfStock(colour="red")  # type: ignore[call-arg]  # the mistake
    with pytest.raises(TypeError, match="Closed takes no facts; unknown: why"):
        Closed(why=1)  # type: ignore[call-arg]  # the mistake
    with pytest.raises(TypeError):
        OutOfStock("tea")  # type: ignore[misc]  # the mistake


def test_refusals_are_equal_by_kind_and_facts() -> None:
    assert OutOfStock(sku="tea") == OutOfStock(sku="tea", left=0)
    assert OutOfStock(sku="tea") != OutOfStock(sku="coffee")
    assert OutOfStock(sku="tea") != SoldOut(sku="tea")
    assert SoldOut.defaults() == {"left": 0, "since": None}


@pytest.mark.parametrize(
    "error",
    [
        OutOfStock(sku="tea", left=1),
        InternalError("f00", "stock.level"),
        CallError("It failed."),
        IncompatibleRelease("Work would be stranded.", ["a", "b"]),
        MissingExtra("asyncpg", "postgres", "PostgreSQL"),
        DeclarationError(["a", "b"]),
    ],
)
def test_an_error_can_be_sent_to_another_process(error: RametError) -> None:
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert vars(back) == vars(error)


def test_sentences_say_what_where_and_how() -> None:
    assert str(MissingExtra("asyncpg", "postgres", "PostgreSQL")) == (
        "PostgreSQL needs asyncpg: pip install 'ramet[postgres]'"
    )
    assert "f00" in str(InternalError("f00", "stock.level"))
    assert str(DeclarationError(["a", "b"])) == "a\nb"
    assert IncompatibleRelease("x", ["a"]).stranded == ("a",)
