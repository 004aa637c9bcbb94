"""What a replica ends with tells its supervisor whether it makes sense to start it again."""

from __future__ import annotations

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
from ramet.runtime.supervisor.patience import AWAY, BAD_INPUT, REFUSED


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
