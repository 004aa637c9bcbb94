"""What a replica ends with tells its supervisor whether it makes sense to start it again."""

from __future__ import annotations

import gc

import msgspec
import pytest

from ramet.cli.command import Choices
from ramet.cli.replica import served
from ramet.errors import (
    ConfigurationError,
    DeadlineExceeded,
    IncompatibleRelease,
    StorageError,
    StorageRefused,
    StorageUnavailable,
    Unavailable,
)
from ramet.model.topology import ASSIGNMENT, Assignment
from ramet.runtime.supervisor.patience import AWAY, BAD_INPUT, REFUSED
from tests.unit.cli.conftest import Broken, Ramet


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("a"), BAD_INPUT),
        (StorageUnavailable("b"), AWAY),
        (Unavailable("c"), AWAY),
        (StorageRefused("c"), REFUSED),
        (StorageError("d"), REFUSED),
        (IncompatibleRelease("e"), REFUSED),
        (DeadlineExceeded("f"), REFUSED),
    ],
)
def test_who_is_away_may_come_and_what_refuses_seldom_changes_its_mind(
    error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    async def work() -> None:
        raise error

    assert served(Choices(), work()) == code
    assert capsys.readouterr().err == f"error: {error}\n"


def test_a_replica_that_has_served_ends_well() -> None:
    async def work() -> None:
        pass

    assert served(Choices(), work()) == 0


TWO_MISTAKES = """
from ramet import Contract, query

class A(Contract):
    @query
    async def a(self, x) -> int: ...

class AService(A):
    async def a(self, x): ...
"""


@pytest.mark.parametrize(
    ("code", "shown"), [("class Doors(:\n", "invalid syntax"), (TWO_MISTAKES, "(and 1 other problem)")]
)
def test_what_is_wrong_in_the_code_is_the_last_sentence_which_the_supervisor_tells_on(
    ramet: Ramet, broken: Broken, monkeypatch: pytest.MonkeyPatch, code: str, shown: str
) -> None:
    broken({"ramet.toml": '[application]\nname = "x"\nservices = ["{package}"]\n', "{package}.py": code})
    monkeypatch.setattr("ramet.cli.logs.configure", lambda: None)
    monkeypatch.setattr("ramet.runtime.orphans.end_with_parent", lambda: None)
    assignment = Assignment(deployment="split", group="a", replica=0, hosts=(), internal="unix")
    monkeypatch.setenv(ASSIGNMENT, msgspec.json.encode(assignment).decode())
    result = ramet("replica")
    gc.enable()
    last = result.err.splitlines()[-1]
    assert result.code == BAD_INPUT
    assert last.startswith("error: ")
    assert shown in last
