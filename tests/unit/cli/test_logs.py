"""The log is to be read by people: who is away is one sentence, and a traceback shows the application's lines."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from ramet import Contract, query
from ramet.cli.logs import CLIENTS, MOST_ALIKE, Floods, LineFormatter, configure
from ramet.errors import InternalError, StorageRefused
from ramet.settings import seconds
from ramet.testing.application import running


def record(message: str, *args: object, error: Exception | None = None, at: float = 0.0) -> logging.LogRecord:
    level = logging.ERROR if error is not None else logging.WARNING
    told = (type(error), error, error.__traceback__) if error is not None else None
    made = logging.LogRecord("ramet.events", level, "here", 1, message, args, told)
    made.created = at
    return made


def caught(error: Exception) -> Exception:
    try:
        raise error
    except type(error) as raised:
        return raised


def test_that_somebody_is_away_is_told_in_one_line() -> None:
    line = LineFormatter().format(record("%s failed.", "It", error=caught(StorageRefused("It is read only."))))
    assert line.endswith("ramet.events: It failed: StorageRefused: It is read only.")


@pytest.fixture
def configured() -> Iterator[None]:
    """The logging of the tests is put back at the end."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    for handler in before:  # which `configure` would close
        root.removeHandler(handler)
    yield
    root.handlers[:] = before
    for name in ("", "ramet.service", *CLIENTS):
        logging.getLogger(name).setLevel(level if not name else logging.NOTSET)


@pytest.mark.parametrize(("wanted", "said"), [("", []), ("debug", ["aiormq.connection", "ramet.events", "nats.aio"])])
@pytest.mark.usefixtures("configured")
def test_what_the_clients_of_brokers_say_is_for_who_looks_for_a_defect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wanted: str, said: list[str]
) -> None:
    monkeypatch.setenv("RAMET_LOG", wanted)
    configure()
    logging.getLogger("aiormq.connection").error("error when creating transport")
    logging.getLogger("ramet.events").debug("a detail")
    logging.getLogger("nats.aio").warning("lost")
    logging.getLogger("elsewhere").error("is shown in any case")
    lines = [line.split(" ")[2].rstrip(":") for line in capsys.readouterr().err.splitlines()]
    assert lines == [*said, "elsewhere"]


def test_what_nobody_could_expect_has_its_traceback() -> None:
    assert "Traceback" in LineFormatter().format(record("It failed", error=caught(ValueError("why"))))


def test_of_a_flood_the_first_are_shown_and_the_others_counted() -> None:
    floods = Floods()
    shown = [bool(floods.filter(record("%d waits", number))) for number in range(MOST_ALIKE + 7)]
    assert shown == [True] * MOST_ALIKE + [False] * 7
    assert floods.filter(record("another kind"))
    for number, at, more in ((99, 10.0, " (after 7 more of this kind)"), (100, 20.0, "")):
        assert floods.filter(later := record("%d waits", number, at=at))
        assert LineFormatter().format(later).endswith(f"{number} waits{more}")


def test_errors_that_nobody_could_expect_are_all_shown() -> None:
    floods = Floods()
    assert all(floods.filter(record("It failed", error=ValueError("why"))) for _ in range(3 * MOST_ALIKE))
    away = [bool(floods.filter(record("It failed", error=StorageRefused("no")))) for _ in range(3 * MOST_ALIKE)]
    assert sum(away) == MOST_ALIKE


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
