"""The exact line, whatever stands around it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ramet import Struct, every, on, query
from ramet.contract.places import imported, is_library, line_of, shown, where

HERE = Path(__file__).read_text(encoding="utf-8").splitlines()


def line(text: str) -> int:
    """The line of this file that has the text first."""
    return next(number for number, found in enumerate(HERE, 1) if text in found and "line(" not in found)


def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any) -> Any:
        return function(*args)

    return call


class Outer:
    """An Inner class, with needle: and other words in its text."""

    class Inner:
        other_needle: int
        needle: int

    @every(
        "10m",
    )
    @wrapped
    async def method(
        self,
        first: str,
        second: Struct,
    ) -> None: ...

    small = lambda self: 1  # noqa: E731 - a lambda is code, too


def inside() -> type:
    class Local:
        @query
        async def method(self) -> None: ...

    return Local


if len(HERE) < 5:

    class Twice:
        async def first(self) -> None: ...
else:

    class Twice:  # type: ignore[no-redef]  # the second of two
        async def second(self) -> None: ...


@pytest.mark.parametrize(
    ("thing", "word", "text"),
    [
        (Outer, None, "class Outer:"),
        (Outer.Inner, None, "    class Inner:"),
        (Outer.Inner, "needle", "        needle: int"),
        (Outer.method, None, "    async def method("),
        (Outer.method, "second", "        second: Struct,"),
        (Outer.method, "Struct", "        second: Struct,"),
        (Outer.method, "@every", "    @every("),
        (Outer.method, "nowhere", "    async def method("),
        (Outer, "small", "    small = "),
        (Outer.small, None, "    small = "),
        (inside(), None, "    class Local:"),
        (inside().method, None, "        async def method(self)"),  # type: ignore[attr-defined]  # it has one
        (Twice, None, "    class Twice:  #"),
        (Outer(), None, "class Outer:"),
        (Outer().method, None, "    async def method("),
    ],
)
def test_a_thing_is_found_where_it_is_written(thing: object, word: str | None, text: str) -> None:
    assert where(thing, word) == (__file__, line(text))


def test_code_without_a_source_has_the_place_that_its_functions_tell() -> None:
    scope: dict[str, Any] = {"__name__": "nowhere", "on": on}
    exec("\n\nclass Made:\n    x: int\n    def method(self, a): ...\nclass Bare: ...", scope)
    assert where(scope["Made"], "x") == ("<string>", 5)
    assert where(scope["Made"].method, "a") == ("<string>", 5)
    assert where(scope["Bare"]) == ("nowhere", 1)
    assert where(5) == ("builtins", 1)


def test_a_name_of_a_module_is_found() -> None:
    assert line_of(__file__, "HERE") == line("HERE = ")
    assert line_of(__file__, "NOWHERE") == 1
    assert line_of("/no/such/file.py", "HERE") == 1


def test_paths_are_shown_short_below_the_working_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown(str(tmp_path / "a" / "b.py")) == "a/b.py"
    assert shown("/elsewhere/b.py") == "/elsewhere/b.py"
    assert shown("<string>") == "<string>"


def test_a_module_has_the_same_path_on_every_machine() -> None:
    assert imported("/srv/app/shop/orders/contract.py", "shop.orders.contract") == "shop/orders/contract.py"
    assert imported("/srv/app/shop/orders/__init__.py", "shop.orders") == "shop/orders/__init__.py"
    assert imported("/srv/app/run.py", "__main__") == "run.py"


def test_what_is_installed_is_no_part_of_the_application() -> None:
    assert is_library(where(Struct)[0])
    assert is_library(where(Path)[0])
    assert is_library(pytest.__file__)
    assert not is_library(__file__)
