"""Commands run inside the test's process, as `ramet` would run them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ramet.cli.entry import run


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a command has shown, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.out)


Ramet = Callable[..., Result]


@pytest.fixture
def ramet(capsys: pytest.CaptureFixture[str]) -> Ramet:
    """Run a command: `ramet("status", "--json")`."""

    def command(*arguments: str) -> Result:
        capsys.readouterr()
        code = run(arguments)
        shown = capsys.readouterr()
        return Result(code=code, out=shown.out, err=shown.err)

    return command


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The application that `ramet new` makes; shared, so that its package is imported once."""
    folder = tmp_path_factory.mktemp("made")
    assert run(["-C", str(folder), "new", "made-by-test"]) == 0
    return folder / "made-by-test"


@pytest.fixture
def hello(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory is the application that `ramet new` makes."""
    monkeypatch.chdir(made)
    return made


Broken = Callable[[dict[str, str]], Path]


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Broken:
    """The working directory is an application with these files; {package} stands for a name of its own."""

    def write(files: dict[str, str]) -> Path:
        package = "app_" + "".join(letter if letter.isalnum() else "_" for letter in request.node.name).lower()
        for name, text in files.items():
            path = tmp_path / name.replace("{package}", package)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("{package}", package), encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(str(tmp_path))
        return tmp_path

    return write
