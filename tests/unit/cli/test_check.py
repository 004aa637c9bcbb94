"""`ramet check` finds every mistake, with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Broken, Ramet

TOML = '[application]\nname = "broken"\nservices = ["{package}.one", "{package}.two"]\n'
CONTRACT = """
from ramet import Contract, query

class {name}(Contract, version="1.0.0"):
    @query
    async def answer(self) -> int: ...
"""
SERVICE = """
from {package}.{module}.contract import {name}

class {name}Service({name}):
    async def answer(self) -> int:
        return 1
"""


def service(module: str, name: str, before: str = "") -> dict[str, str]:
    """The files of one small service."""
    text = SERVICE.replace("{module}", module).replace("{name}", name)
    return {
        f"{{package}}/{module}/__init__.py": "",
        f"{{package}}/{module}/contract.py": CONTRACT.replace("{name}", name),
        f"{{package}}/{module}/service.py": before + text,
    }


def test_all_mistakes_are_reported_at_once(ramet: Ramet, broken: Broken) -> None:
    first = service("one", "One")
    first["{package}/one/contract.py"] = first["{package}/one/contract.py"].replace(', version="1.0.0"', "")
    second = service("two", "Two")
    second["{package}/two/service.py"] = second["{package}/two/service.py"].replace("answer", "reply")
    broken({"ramet.toml": TOML, "{package}/__init__.py": "", **first, **second})
    result = ramet("check")
    assert result.code == 1
    assert "one/contract.py:4: The contract One has no version." in result.err.replace("\x1b", "")
    assert "two/service.py:" in result.err
    assert result.err.splitlines()[-1].endswith("problems")


def test_json_has_every_problem_with_its_place(ramet: Ramet, broken: Broken) -> None:
    first = service("one", "One")
    first["{package}/one/service.py"] = "import there_is_no_such_library\n"
    broken({"ramet.toml": TOML, "{package}/__init__.py": "", **first, **service("two", "Two")})
    result = ramet("check", "--json")
    assert result.code == 1
    (problem,) = result.json["problems"]
    assert problem["line"] == 1
    assert problem["file"].endswith("one/service.py")
    assert "there_is_no_such_library" in problem["message"]


def test_an_import_across_a_boundary_is_a_problem(ramet: Ramet, broken: Broken) -> None:
    crossing = "from {package}.one.service import OneService\n"
    files = {**service("one", "One"), **service("two", "Two", before=crossing)}
    broken({"ramet.toml": TOML, "{package}/__init__.py": "", **files})
    result = ramet("check", "--json")
    assert result.code == 1
    (problem,) = result.json["problems"]
    assert problem["file"].endswith("two/service.py")
    assert problem["line"] == 1
    assert "is private to" in problem["message"]
    assert "one.contract" in problem["remedy"]


def test_the_contract_of_a_neighbour_may_be_imported(ramet: Ramet, broken: Broken) -> None:
    asking = "from {package}.one.contract import One\n"
    files = {**service("one", "One"), **service("two", "Two", before=asking)}
    broken({"ramet.toml": TOML, "{package}/__init__.py": "", **files})
    assert ramet("check").code == 0


def test_a_mistake_in_the_configuration_has_its_line(ramet: Ramet, broken: Broken) -> None:
    broken({"ramet.toml": '[application]\nname = "broken"\nservises = []\n'})
    result = ramet("check")
    assert result.code == 2
    assert 'ramet.toml:3: [application] has no "servises"; did you mean "services"?' in result.err


def test_settings_that_nobody_reads_are_a_problem(ramet: Ramet, broken: Broken) -> None:
    toml = TOML + "[settings.too]\nlevel = 1\n"
    broken({"ramet.toml": toml, "{package}/__init__.py": "", **service("one", "One"), **service("two", "Two")})
    for command, code in (("check", 1), ("model", 2)):
        result = ramet(command)
        assert result.code == code
        assert "ramet.toml:4: [settings.too] is read by nobody. No service has settings." in result.err


@pytest.mark.parametrize("data", ["", "a\\u0000b"])
def test_the_folder_of_the_data_is_one(ramet: Ramet, broken: Broken, data: str) -> None:
    broken({"ramet.toml": f'{TOML}[deployment.local]\ndata = "{data}"\n'})
    result = ramet("check")
    assert result.code == 2
    assert "ramet.toml:5: data is the folder of the databases" in result.err


def test_no_configuration_is_one_sentence(ramet: Ramet, tmp_path: Path) -> None:
    result = ramet("check", "--folder", str(tmp_path))
    assert result.code == 2
    assert result.err.startswith("error: There is no ramet.toml in ")
    assert result.err.count("\n") == 1


SET = """
from ramet import Secret, Settings
from {package}.one.contract import One

class OneSettings(Settings):
    days: int = 7
    shelves: tuple[str, ...] = ()
    key: Secret | None = None

class OneService(One):
    settings: OneSettings

    async def answer(self) -> int:
        return 1
"""


def test_settings_that_fit_in_no_environment_are_told_with_their_line(
    ramet: Ramet, broken: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = service("one", "One") | {"{package}/one/service.py": SET}
    settings = '\n[settings.one]\nkey = "env:KEY_OF_ONE"\ndays = 5\nday = 4\nshelves = "A"\n'
    own = '\n[deployment.local.settings.one]\ndays = "many"\n'
    toml = TOML.replace(', "{package}.two"', "") + settings + own
    broken({"ramet.toml": toml, "{package}/__init__.py": "", **first})
    result = ramet("check")
    assert result.code == 1
    told = [line for line in result.err.splitlines() if "ramet.toml:" in line]
    fields = "OneSettings has no such field; it has days, shelves, key."
    assert told == [
        f"ramet.toml:8: [settings.one] day in ramet.toml: {fields}",
        "ramet.toml:9: [settings.one] shelves in ramet.toml: Expected `array`, got `str`.",
        "ramet.toml:12: [deployment.local.settings.one] days in ramet.toml: Expected `int`, got `str`.",
    ]
    monkeypatch.setenv("KEY_OF_ONE", "k")
    started = ramet("up", "--no-reload")
    assert started.code == 2
    assert "ramet.toml:12: [deployment.local.settings.one] days in ramet.toml: Expected `int`" in started.err


def test_where_an_external_is_that_nobody_declares_is_a_problem(ramet: Ramet, broken: Broken) -> None:
    label = CONTRACT.replace("{name}", "Labels")
    outside = (
        "from ramet import External\nfrom {package}.labels import Labels\nEXTERNAL = External(Labels, url='http://x')\n"
    )
    files = {"{package}/labels.py": label, "{package}/outside.py": outside, **service("one", "One")}
    toml = TOML.replace("{package}.two", "{package}.outside") + '\n[external.label]\nurl = "http://127.0.0.1:8791"\n'
    broken({"ramet.toml": toml, "{package}/__init__.py": "", **files})
    for command in (("check",), ("up", "--no-reload")):
        result = ramet(*command)
        assert result.code != 0
        wrong = "[external.label] names no contract that is answered outside."
        assert f'ramet.toml:5: {wrong} Did you mean "labels"?' in result.err


def test_the_policies_of_one_process_are_looked_at_too(ramet: Ramet, broken: Broken) -> None:
    toml = TOML.replace(', "{package}.two"', "") + '\n[deployment.local.policy."one.answr"]\nattempts = 2\n'
    broken({"ramet.toml": toml, "{package}/__init__.py": "", **service("one", "One")})
    result = ramet("check")
    assert 'ramet.toml:5: There is no contract or method "one.answr". Did you mean "one.answer"?' in result.err
