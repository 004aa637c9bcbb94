"""`ramet up` as a real process, as a test holds it: its lines, its address, its end."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any, Self

import httpx
import msgspec

PATIENCE_SECONDS = 60.0


class Lines:
    """What a process writes, line by line, while it runs."""

    def __init__(self, stream: IO[str]) -> None:
        self.seen: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._reader.start()

    def wait_for(self, text: str) -> str:
        """The next line that has the text in it."""
        while (line := self._lines.get(timeout=PATIENCE_SECONDS)) is not None:
            if text in line:
                return line
        raise AssertionError(f"{text!r} never appeared in:\n{''.join(self.seen)}")

    def _read(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self.seen.append(line)
                self._lines.put(line)
        self._lines.put(None)

    def join(self) -> None:
        """Wait until everything is read."""
        self._reader.join(PATIENCE_SECONDS)


class Up:
    """One process; leaving it kills what still runs."""

    def __init__(self, folder: Path, *options: str, environment: dict[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ramet", "up", "--json", *options],
            cwd=folder,
            env={**os.environ, "NO_COLOR": "1", **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self.out, self.err = Lines(self._process.stdout), Lines(self._process.stderr)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        return self._process.pid

    def ready(self) -> dict[str, Any]:
        """What it says when it is ready; may be waited for again after a change."""
        return msgspec.json.decode(self.out.wait_for('"ready"'))["ready"]

    def send(self, one: signal.Signals) -> None:
        self._process.send_signal(one)

    def ended(self) -> int:
        """Wait for its end; the exit code."""
        return self._process.wait(PATIENCE_SECONDS)

    def stop(self) -> int:
        """Ask it to end; the exit code."""
        self.send(signal.SIGTERM)
        return self.ended()

    def kill(self) -> None:
        """End it without asking, as a power failure would."""
        self._process.kill()
        self._process.wait()
        self.out.join()
        self.err.join()


def up(folder: Path, *options: str, **rest: Any) -> Up:
    """The application in a folder, on a port of its own."""
    return Up(folder, "--listen", "127.0.0.1:0", *options, **rest)


def ramet(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run another command beside it."""
    command = [sys.executable, "-m", "ramet", *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def greet(ready: dict[str, Any], name: str = "Ada") -> dict[str, Any]:
    """Greet somebody through the public API."""
    answer = httpx.post(f"{ready['url']}/api/greetings/{name}", timeout=PATIENCE_SECONDS)
    assert answer.status_code == 200, answer.text
    return answer.json()
