"""What is shown fits its reader: columns for people, JSON for programs, colours for terminals."""

from __future__ import annotations

import io

import msgspec
import pytest

from ramet.cli import output


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_columns_are_as_wide_as_their_cells(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("name", "calls"), [("inventory", 7), ("users", 1200)])
    assert capsys.readouterr().out.splitlines() == ["name       calls", "inventory      7", "users       1200"]


def test_no_rows_need_no_titles(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("name",), [])
    assert capsys.readouterr().out == ""


def test_a_line_break_in_a_cell_does_not_break_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("error", "at"), [("one\ntwo", None)])
    assert capsys.readouterr().out.splitlines()[1:] == ["one two   -"]


def test_documents_are_json(capsys: pytest.CaptureFixture[str]) -> None:
    output.document({"a": (1, None), "b": {"ä": 1.5}})
    assert msgspec.json.decode(capsys.readouterr().out) == {"a": [1, None], "b": {"ä": 1.5}}


def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert output.paint("ready", "green", Terminal()) == "\x1b[32mready\x1b[0m"
    assert output.paint("ready", "green", io.StringIO()) == "ready"
    monkeypatch.setenv("NO_COLOR", "1")
    assert output.paint("ready", "green", Terminal()) == "ready"


def test_progress_is_seen_on_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Terminal()
    monkeypatch.setattr("sys.stderr", shown)
    with output.progress("Comparing orders"):
        assert shown.getvalue() == "Comparing orders …"
    assert shown.getvalue().endswith("\r\x1b[K")
    silent = io.StringIO()
    monkeypatch.setattr("sys.stderr", silent)
    with output.progress("Comparing orders"):
        assert silent.getvalue() == ""


@pytest.mark.parametrize(("count", "text"), [(0, "0 problems"), (1, "1 problem"), (2, "2 problems")])
def test_things_are_counted_in_words(count: int, text: str) -> None:
    assert output.counted(count, "problem") == text
