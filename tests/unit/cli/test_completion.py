"""A shell completes the names that ramet.toml and the declarations have."""

from __future__ import annotations

import pytest
from click.shell_completion import ShellComplete

from ramet.cli.completion import ASKED, completed
from ramet.cli.entry import app
from tests.unit.cli.conftest import Broken

TOML = """[application]
name = "x"
services = ["{package}"]
[deployment.split.process.front]
services = "*"
"""
CODE = """
print("this is no completion")
from ramet import Contract, Event, on, query

class Rang(Event):
    door: str

class Bells(Contract, version="1.0.0", publishes=Rang):
    @query
    async def loud(self) -> bool: ...

    @query
    async def shrill(self) -> bool: ...

class BellsService(Bells):
    async def loud(self) -> bool: ...

    async def shrill(self) -> bool: ...

    @on(Rang)
    async def hear(self, event: Rang) -> None: ...
"""


def offered(*typed: str) -> list[str]:
    *before, begun = typed
    found = ShellComplete(completed(app), {}, "ramet", ASKED).get_completions(before, begun)
    return [one.value for one in found]


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        (("up", ""), ["local", "split"]),
        (("status", "--deployment", "s"), ["split"]),
        (("restart", ""), ["front"]),
        (("logs", "f"), ["front"]),
        (("call", "bells.l"), ["bells.loud"]),
        (("events", "replay", "--consumer", ""), ["bells.hear"]),
        (("sagas", "list", "--service", "b"), ["bells"]),
        (("sagas", "list", "--status", "run"), ["running"]),
    ],
)
def test_a_name_is_completed_by_those_there_are(
    broken: Broken, capsys: pytest.CaptureFixture[str], typed: tuple[str, ...], names: list[str]
) -> None:
    broken({"ramet.toml": TOML, "{package}.py": CODE})
    assert offered(*typed) == names
    assert capsys.readouterr().out == ""


def test_where_nothing_can_be_read_nothing_is_offered(broken: Broken) -> None:
    broken({"ramet.toml": "this is no TOML"})
    assert offered("up", "") == []
    assert offered("call", "b") == []
