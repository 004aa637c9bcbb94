"""What replicas say is shown and kept, with who says it, in files that do not grow for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from ramet.runtime.supervisor.group_log import KEPT, GroupLog


def test_each_line_is_shown_and_kept_with_its_replica(tmp_path: Path) -> None:
    shown: list[tuple[str, str]] = []
    log = GroupLog(tmp_path / "logs" / "edge.log", lambda who, text: shown.append((who, text)))
    log.say("edge/0", "hello")
    log.say("edge/1", "half a \ud800 character")
    log.close()
    assert shown == [("edge/0", "hello"), ("edge/1", "half a \ud800 character")]
    assert (tmp_path / "logs" / "edge.log").read_text(encoding="utf-8").startswith("edge/0 | hello\nedge/1 | half a ")


def test_a_file_that_is_full_makes_room_and_the_oldest_go(tmp_path: Path) -> None:
    path = tmp_path / "edge.log"
    log = GroupLog(path, lambda *_: None, largest_bytes=20)
    for number in range(10):
        log.say("edge/0", f"line number {number}")
    log.close()
    kept = sorted(file.name for file in tmp_path.iterdir())
    assert kept == [f"edge.log.{number}" for number in range(1, KEPT + 1)]
    assert [file.read_text(encoding="utf-8") for file in map(tmp_path.joinpath, kept)] == [
        f"edge/0 | line number {number}\n" for number in (9, 8, 7)
    ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_on_a_full_disk_everything_is_shown_and_kept_again_when_there_is_room(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shown: list[str] = []
    path = tmp_path / "edge.log"
    path.symlink_to("/dev/full")
    log = GroupLog(path, lambda _, text: shown.append(text))
    for text in ("one", "two"):
        log.say("edge/0", text)
    assert caplog.text.count("not kept") == 1
    path.unlink()
    log.say("edge/0", "three")
    log.close()
    assert shown == ["one", "two", "three"]
    assert path.read_text(encoding="utf-8") == "edge/0 | three\n"
