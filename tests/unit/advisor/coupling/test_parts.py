"""Parts are the folders where the code first divides, and never those of a folder that holds no others."""

from __future__ import annotations

from ramet.advisor.coupling.parts import folders_of, parts_of
from ramet.advisor.facts import Facts, Module


def code(*sizes: tuple[str, int]) -> Facts:
    return Facts(root="x", modules=tuple(Module(path=path, name=path, lines=lines) for path, lines in sizes))


def test_a_folder_that_holds_nearly_everything_is_looked_into() -> None:
    facts = code(("shop/orders/a.py", 50), ("shop/stock/a.py", 50), ("setup.py", 5))
    assert set(parts_of(facts).values()) == {"shop/orders", "shop/stock"}


def test_a_large_part_without_folders_of_its_own_stays_a_part() -> None:
    facts = code(("shop/orders/a.py", 90), ("shop/stock/a.py", 10))
    assert set(parts_of(facts).values()) == {"shop/orders", "shop/stock"}


def test_files_of_one_folder_are_no_parts() -> None:
    assert parts_of(code(("a.py", 5), ("b.py", 5))) == {}


def test_boundaries_are_named_by_the_last_folder_where_that_is_clear() -> None:
    facts = code(("src/orders/a.py", 40), ("src/stock/a.py", 40), ("lib/x.py", 40), ("lib/y/a.py", 40))
    assert folders_of(facts) == {"lib": ["lib"], "src": ["src"]}


def test_tests_and_migrations_have_no_part() -> None:
    facts = code(("shop/orders/a.py", 50), ("shop/stock/a.py", 50))
    tests = Module(path="shop/orders/tests/test_a.py", name="t", lines=10, role="tests")
    assert "shop/orders/tests/test_a.py" not in parts_of(Facts(root="x", modules=(*facts.modules, tests)))
