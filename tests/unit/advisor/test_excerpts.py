"""Excerpts show the lines around a place, and nothing outside of the code base."""

from __future__ import annotations

from pathlib import Path

from ramet.advisor.excerpts import excerpts
from tests.unit.advisor.invented import at


def test_the_lines_around_a_place(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("".join(f"line {n}\n" for n in range(1, 10)))
    first, last = excerpts(tmp_path, [at("a.py", 1), at("a.py", 9)])
    assert (first.first, first.lines) == (1, ("line 1", "line 2", "line 3"))
    assert (last.first, last.lines) == (7, ("line 7", "line 8", "line 9"))


def test_what_cannot_be_read_gives_none(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret").write_text("secret")
    (root / "link.py").symlink_to(tmp_path / "secret")
    assert excerpts(root, [at("../secret"), at("link.py"), at("missing.py"), at("a\0b")]) == ()


def test_lines_are_counted_as_python_does_and_hidden_signs_are_shown(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes("one\x0c\u2028\r\ntwo \x1b[31m\u202e\rthree\ttab\n".encode())
    (found,) = excerpts(tmp_path, [at("a.py", 2)])
    assert found.lines == ("one\\x0c\\u2028", "two \\x1b[31m\\u202e", "three\ttab")


def test_other_encodings_are_read_as_they_declare(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes("# coding: latin-1\nname = 'é'\n".encode("latin-1"))
    (found,) = excerpts(tmp_path, [at("a.py", 2)])
    assert found.lines[1] == "name = 'é'"


def test_no_more_than_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x\n" * 50)
    assert len(excerpts(tmp_path, [at("a.py", n) for n in range(1, 50)], most=7)) == 7
