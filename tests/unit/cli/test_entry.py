"""The command line as a whole: whatever is typed is answered in one sentence, and with the right exit code."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ramet.cli.entry import app, run
from tests.unit.cli.conftest import Ramet

WORDS = st.sampled_from(
    [
        *(name for name in app.commands if name not in {"up", "new"}),
        *("list", "show", "retry", "cancel", "replay", "discard", "migrate", "revision", "adopt", "local"),
        *(
            "--json",
            "--debug",
            "-C",
            "--folder",
            "-d",
            "--limit",
            "--status",
            "--key",
            "--timeout",
            "--version",
            "--",
            "-",
        ),
        *(
            "{}",
            "[]",
            '{"a": 1}',
            "0",
            "-1",
            "99999999999999999999",
            "a.b",
            "a/b",
            ".",
            "..",
            "/",
            "\x00",
            "\ud800",
            "🌱",
        ),
    ]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WORDS | st.text(max_size=8), max_size=6))
@example(["advise", "\0"])
@example(["advise", "\ud800"])
def test_whatever_is_typed_never_ends_in_a_traceback(tmp_path: Path, words: list[str]) -> None:
    before = Path.cwd()
    os.chdir(tmp_path)
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run([word for word in words if word not in {"up", "new"}])
    finally:
        os.chdir(before)
    assert code in {0, 1, 2}
    assert "a defect" not in err.getvalue()
    assert '"unexpected"' not in err.getvalue()


@pytest.mark.parametrize("name", app.commands)
def test_every_command_explains_itself_with_examples(ramet: Ramet, name: str) -> None:
    result = ramet(name, "--help")
    assert result.code == 0
    group = getattr(app.commands[name], "commands", None)
    if group is None:
        assert f"Examples:\n    ramet {name}" in result.out or "Examples:\n    eval" in result.out
    for inner in group or ():
        assert f"Examples:\n    ramet {name} {inner}" in ramet(name, inner, "--help").out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["staus"], "No such command 'staus'"),
        (["up", "--port", "1"], "No such option"),
        (["call"], "Missing argument 'CONTRACT.METHOD'. `ramet call --help` shows how."),
        (["sagas", "list", "--limit", "0"], "`ramet sagas list --help` shows how."),
        (["events", "replay"], "Say which dead letters"),
        (["completion", "tcsh"], "'tcsh' is not one of"),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_code_2(ramet: Ramet, words: list[str], sentence: str) -> None:
    result = ramet(*words)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: ")
    assert result.err.count("\n") == 1
    assert sentence in result.err


def test_without_a_command_it_shows_the_commands(ramet: Ramet) -> None:
    assert "Run the application until it is interrupted" in ramet().err


def test_an_error_in_json_is_json(ramet: Ramet, tmp_path: Path) -> None:
    result = ramet("status", "--json", "-C", str(tmp_path))
    assert (result.code, result.out) == (2, "")
    assert '{"error":{"code":"configuration","message":"There is no ramet.toml in ' in result.err


def test_a_wrong_option_in_json_is_json(ramet: Ramet) -> None:
    result = ramet("sagas", "list", "--limit", "many", "--json")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith('{"error":{"code":"usage","message":"Invalid value for ')


def test_debug_shows_where_an_error_comes_from(ramet: Ramet, tmp_path: Path) -> None:
    result = ramet("status", "--debug", "-C", str(tmp_path))
    assert result.code == 2
    assert "Traceback (most recent call last)" in result.err


def test_the_folder_may_be_given_before_the_command(ramet: Ramet, tmp_path: Path) -> None:
    assert str(tmp_path) in ramet("-C", str(tmp_path), "model").err


def test_a_folder_that_is_not_there_is_named(ramet: Ramet) -> None:
    result = ramet("check", "-C", "/there/is/none")
    assert (result.code, result.err) == (2, "error: There is no folder /there/is/none.\n")


def test_the_version_is_shown(ramet: Ramet) -> None:
    assert ramet("--version").out.startswith("ramet ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_its_completion(ramet: Ramet, shell: str) -> None:
    result = ramet("completion", shell)
    assert result.code == 0
    assert "_RAMET_COMPLETE" in result.out
