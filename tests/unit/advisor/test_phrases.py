"""Numbers and lists read as a person would write them."""

from __future__ import annotations

from ramet.advisor.phrases import counted, listed, verb


def test_one_is_one_and_thousands_are_grouped() -> None:
    assert [counted(number, "place") for number in (0, 1, 2, 1200)] == [
        "0 places",
        "1 place",
        "2 places",
        "1,200 places",
    ]


def test_a_row_of_names_ends_with_and() -> None:
    names = ["a", "b", "c"]
    assert [listed(names[:number]) for number in range(4)] == ["", "a", "a and b", "a, b and c"]
    assert listed(names, most=2) == "a, b and 1 more"


def test_the_verb_agrees() -> None:
    assert (verb(1, "writes", "write"), verb(2, "writes", "write")) == ("writes", "write")
