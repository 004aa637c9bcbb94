"""`ramet plan --optimise`: from a file of traffic to a proposal, or a sentence that says what is missing."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tests.unit.cli.conftest import Ramet


def test_without_traffic_it_says_how_to_get_some(ramet: Ramet, hello: Path) -> None:
    assert hello.is_dir()
    result = ramet("plan", "--optimise")
    assert result.code == 2
    assert "does not run: start it, or give --traffic a file" in result.err


def test_one_process_with_room_is_left_as_it_is(ramet: Ramet, hello: Path, tmp_path: Path) -> None:
    assert hello.is_dir()
    calls = [{"caller": "", "method": "web.greet", "calls": 3000, "p50_ms": 1.0}]
    calls += [{"caller": "web", "method": "Greetings.greet", "calls": 3000, "p50_ms": 0.5}]
    status = {"application": "hello", "deployment": "local", "running": True, "uptime_seconds": 900.0}
    file = tmp_path / "traffic.json"
    file.write_bytes(msgspec.json.encode({**status, "traffic": calls, "cpu_seconds": 9.0}))
    result = ramet("plan", "--optimise", "--traffic", str(file), "--json")
    assert result.code == 0, result.err
    assert result.json["advice"]["proposal"] is None
    assert "room for all" in result.json["advice"]["reasons"][0]


def test_what_is_said_of_calls_is_shown_and_a_name_of_nobody_is_a_mistake(ramet: Ramet, hello: Path) -> None:
    file = hello / "ramet.toml"
    text = file.read_text(encoding="utf-8")
    try:
        own = '\n[deployment.split.policy]\nattempts = 2\n[deployment.split.policy."greetings.greet"]\nattempts = 3\n'
        file.write_text(f"{text}{own}", encoding="utf-8")
        shown = ramet("plan", "split")
        assert (shown.code, shown.err) == (0, "")
        assert '  policy: attempts = 2\n  policy."greetings.greet": attempts = 3\n' in shown.out
        assert ramet("plan", "split", "--json").json["policies"]["policy"] == {"attempts": 2}
        file.write_text(f"{text}{own.replace('greetings.greet', 'greetings.gret')}", encoding="utf-8")
        wrong = ramet("plan", "split")
        assert wrong.code == 2
        assert 'There is no contract or method "greetings.gret". Did you mean "greetings.greet"?' in wrong.err
    finally:
        file.write_text(text, encoding="utf-8")


def test_an_engine_that_a_missing_variable_would_name_is_a_mistake_with_its_line(ramet: Ramet, hello: Path) -> None:
    file = hello / "ramet.toml"
    text = file.read_text(encoding="utf-8")
    line = len(text.splitlines()) + 2
    own = '[deployment.split]\nstorage = "env:NO_STORAGE"\nbroker = "env:NO_BROKER"\n'
    try:
        file.write_text(f"{text}{own}", encoding="utf-8")
        wrong = ramet("plan", "split")
        assert wrong.code == 2
        for number, key in enumerate(("storage", "broker")):
            told = f"the environment variable NO_{key.upper()}, to which it refers, is not set."
            assert f"ramet.toml:{line + number}: {key} of [deployment.split]: {told}" in wrong.err
        assert len(ramet("plan", "split", "--json").json["problems"]) == 2
    finally:
        file.write_text(text, encoding="utf-8")
