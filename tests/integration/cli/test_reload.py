"""`ramet up --reload`: a saved file is served, a broken one is explained, and nobody is refused meanwhile."""

from __future__ import annotations

from pathlib import Path

from tests.integration.cli.deployment import greet, ramet, up


def edit(path: Path, old: str, new: str) -> None:
    """Save a file with a change."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_change_is_served_by_the_same_process_at_the_same_address(hello: Path) -> None:
    with up(hello, "--reload") as process:
        before = process.ready()
        assert greet(before)["text"] == "Hello, Ada!"
        edit(hello / "hello" / "greetings" / "service.py", "Hello, {name}!", "Good morning, {name}!")
        assert "hello/greetings/service.py changed" in process.err.wait_for("changed")
        after = process.ready()
        assert (after["pid"], after["url"]) == (before["pid"], before["url"])
        assert greet(after) == {"text": "Good morning, Ada!", "times": 2}
        assert process.stop() == 0


def test_a_broken_change_is_explained_and_the_next_save_is_served(hello: Path) -> None:
    service = hello / "hello" / "greetings" / "service.py"
    with up(hello, "--reload") as process:
        process.ready()
        edit(service, "async def times", "async def times(")
        process.err.wait_for("service.py")
        process.err.wait_for("Waiting for the next save.")
        edit(service, "async def times(", "async def times")
        assert greet(process.ready())["times"] == 1
        assert process.stop() == 0


def test_a_first_start_of_broken_code_waits_too(hello: Path) -> None:
    contract = hello / "hello" / "greetings" / "contract.py"
    edit(contract, ', version="1.0.0"', "")
    with up(hello, "--reload") as process:
        process.err.wait_for("Waiting for the next save.")
        edit(contract, "class Greetings(Contract", 'class Greetings(Contract, version="1.0.0"')
        assert greet(process.ready())["times"] == 1
        assert process.stop() == 0


def test_a_change_of_the_configuration_is_served(hello: Path) -> None:
    with up(hello, "--reload") as process:
        process.ready()
        edit(hello / "ramet.toml", 'name = "hello"', 'name = "goodbye"')
        assert process.ready()["application"] == "goodbye"
        assert ramet(hello, "status").stdout.startswith("goodbye · local · running")


def test_tests_and_data_are_not_code(hello: Path) -> None:
    with up(hello, "--reload") as process:
        ready = process.ready()
        (hello / "tests" / "test_more.py").write_text("", encoding="utf-8")
        (hello / "notes.txt").write_text("", encoding="utf-8")
        greet(ready)
        assert process.stop() == 0
        assert not [line for line in process.err.seen if "changed" in line]
