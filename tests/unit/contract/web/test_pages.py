"""Lists in pages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ramet.contract.web.pages import Page
from ramet.errors import InvalidArguments


@given(st.lists(st.integers(), max_size=30), st.integers(1, 7))
def test_pages_give_every_item_once(items: list[int], limit: int) -> None:
    found: list[int] = []
    page = Page(limit=limit)
    for _ in range(len(items) + 1):
        start = page.after(int) or 0
        answer = page.of(list(enumerate(items))[start : start + limit + 1], key=lambda pair: pair[0] + 1)
        found += [value for _, value in answer.items]
        if answer.next is None:
            break
        page = Page(limit=limit, cursor=answer.next)
    assert found == items


@given(st.tuples(st.text(), st.integers(-(2**60), 2**60)))
def test_a_cursor_carries_any_key(key: tuple[str, int]) -> None:
    cursor = Page(limit=1).of([1, 2], key=lambda _: key).next
    assert Page(limit=1, cursor=cursor).after(tuple[str, int]) == key


@pytest.mark.parametrize("cursor", ["", "!", "é", "Mgx", "bm8", "a" * 5])
def test_a_foreign_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidArguments, match="begin again without it"):
        Page(limit=1, cursor=cursor).after(int)
