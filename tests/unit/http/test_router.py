"""The router finds the most literal path, whatever the order of declaration."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ramet.http.router import Router


def router(*paths: str) -> Router[str]:
    made: Router[str] = Router()
    for path in paths:
        made.add("GET", path, path)
    return made


def test_a_literal_segment_wins_over_a_place() -> None:
    assert router("/a/{id}", "/a/new").find("GET", "/a/new") == ("/a/new", {})


def test_places_are_filled() -> None:
    assert router("/a/{id}/b/{name}").find("GET", "/a/17/b/x") == ("/a/{id}/b/{name}", {"id": "17", "name": "x"})


def test_a_dead_end_after_a_literal_is_turned_back_from() -> None:
    found = router("/a/new/edit", "/a/{id}/show").find("GET", "/a/new/show")
    assert found == ("/a/{id}/show", {"id": "new"})


def test_the_rest_of_a_path_is_the_last_resort() -> None:
    made = router("/files/{name:path}", "/files/{name}")
    assert made.find("GET", "/files/x") == ("/files/{name}", {"name": "x"})
    assert made.find("GET", "/files/x/y.txt") == ("/files/{name:path}", {"name": "x/y.txt"})


def test_an_empty_segment_fills_no_place() -> None:
    assert router("/a/{id}").find("GET", "/a/") is None


def test_another_method_may_be_answered_on_another_path() -> None:
    made = router("/a/new")
    made.add("POST", "/a/{id}", "post")
    assert made.find("POST", "/a/new") == ("post", {"id": "new"})
    assert made.allowed("/a/new") == ("GET", "HEAD", "POST")


def test_head_is_answered_where_get_is() -> None:
    assert router("/a").find("HEAD", "/a") == ("/a", {})


def test_what_is_not_there_is_not_found() -> None:
    made = router("/a/{id}")
    assert made.find("GET", "/b/1") is None
    assert made.find("DELETE", "/a/1") is None
    assert made.allowed("/b/1") == ()


SEGMENT = st.text(alphabet="ab{}", min_size=0, max_size=3)


@given(st.lists(SEGMENT, max_size=5).map("/".join))
def test_any_path_has_an_answer(path: str) -> None:
    made = router("/a/{x}", "/{y}/b", "/a/b/{z:path}")
    found = made.find("GET", f"/{path}")
    assert (found is None) == (not made.allowed(f"/{path}"))
