"""An unexpected error is told from the application's own line on, or as a defect of Ramet."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from ramet.cli.blame import told


def test_an_error_of_the_application_names_its_line_and_leaves_out_who_called(tmp_path: Path) -> None:
    file, module = tmp_path / "letters.py", {}
    file.write_text("async def startup():\n    raise RuntimeError('no printer')\n", encoding="utf-8")
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), module)
    with pytest.raises(RuntimeError) as caught:
        asyncio.run(module["startup"]())
    own = caught.value.with_traceback(
        caught.value.__traceback__ and caught.value.__traceback__.tb_next
    )  # without this test
    sentence, lines = told(own)
    assert sentence == f"RuntimeError: no printer ({file}:2, in startup)."
    assert "raise RuntimeError" in lines
    assert "asyncio" not in lines


def test_what_libraries_did_in_between_is_left_out(tmp_path: Path) -> None:
    file, module = tmp_path / "migration.py", {}
    source = "from sqlalchemy import create_engine, text\nwith create_engine('sqlite://').connect() as one:\n"
    file.write_text(f"{source}    one.execute(text('DO nothing'))\n", encoding="utf-8")
    with pytest.raises(OperationalError) as caught:
        exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), module)
    error = caught.value.with_traceback(caught.value.__traceback__ and caught.value.__traceback__.tb_next)
    sentence, lines = told(error)
    assert sentence.startswith('OperationalError: (sqlite3.OperationalError) near "DO": syntax error')
    assert lines.count('File "') == 2, "where it was called, and where it was raised"
    assert "one.execute(text('DO nothing'))" in lines
    assert "direct cause" not in lines


def test_an_error_without_a_line_of_the_application_is_a_defect() -> None:
    assert told(RuntimeError("odd")) == ("RuntimeError: odd (a defect: --debug shows where).", "")
