"""The log shows of a traceback what is the application's, and the last line of all."""

from __future__ import annotations

import pytest

from ramet import Contract, query
from ramet.cli.logs import LineFormatter
from ramet.errors import InternalError
from ramet.settings import seconds
from ramet.testing.application import running


class Ovens(Contract, version="1.0.0"):
    @query
    async def heat(self, how_long: str) -> float: ...


class OvensService(Ovens):
    async def heat(self, how_long: str) -> float:
        return heated(how_long)


def heated(how_long: str) -> float:
    try:
        return seconds(how_long)
    except ValueError as error:
        raise RuntimeError("cold") from error


async def logged(caplog: pytest.LogCaptureFixture) -> str:
    async with running(OvensService) as application:
        with pytest.raises(InternalError):
            await application.client(Ovens).heat("a while")
    (record,) = (record for record in caplog.records if record.exc_info)
    record.exc_text = None  # as another formatter has kept it there
    return LineFormatter().format(record)


async def test_ramets_own_lines_are_left_out_but_for_the_last(caplog: pytest.LogCaptureFixture) -> None:
    shown = await logged(caplog)
    lines = [line.strip() for line in shown.splitlines() if line.startswith("  File ")]
    assert [line.rpartition(" ")[2] for line in lines] == ["heated", "seconds", "heat", "heated"]
    assert shown.count("/src/ramet/") == 1
    assert "ValueError: " in shown
    assert "RuntimeError: cold" in shown
    assert shown.endswith("lines of Ramet are left out: RAMET_TRACEBACKS=full shows them)")


async def test_all_of_them_are_there_when_asked_for(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAMET_TRACEBACKS", "full")
    shown = await logged(caplog)
    assert shown.count("/src/ramet/") > 1
    assert "left out" not in shown


async def test_what_leads_through_no_line_of_the_application_is_told_whole() -> None:
    assert "left out" not in LineFormatter().formatException((ValueError, ValueError("odd"), None))
