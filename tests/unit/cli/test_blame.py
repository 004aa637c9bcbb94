"""An unexpected error is told from the application's own line on, or as a defect of Ramet."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

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


def test_an_error_without_a_line_of_the_application_is_a_defect() -> None:
    assert told(RuntimeError("odd")) == ("RuntimeError: odd (a defect: --debug shows where).", "")
