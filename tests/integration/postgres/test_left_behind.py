"""What a command that was killed has left of its PostgreSQL is in nobody's way for ever."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ramet.errors import StorageError
from ramet.testing.engines import postgres
from ramet.testing.engines.postgres import PostgresServer

START = """
import sys
from pathlib import Path
from ramet.testing.engines.postgres import PostgresServer
PostgresServer(Path(sys.argv[1])).start()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that an unprivileged user can reach."""
    with TemporaryDirectory(prefix="ramet-", dir="/tmp") as made:
        Path(made).chmod(0o755)
        yield Path(made) / "postgresql"


def test_a_cluster_that_was_being_made_is_made_anew(folder: Path) -> None:
    command = subprocess.Popen([sys.executable, "-c", START, str(folder)], start_new_session=True)
    while not any(folder.rglob("base")):
        with suppress(subprocess.TimeoutExpired):
            command.wait(0.005)
    os.killpg(command.pid, signal.SIGKILL)
    command.wait()
    with PostgresServer(folder) as server:
        assert server.is_running


def test_a_lock_that_names_another_process_is_not_waited_for_without_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PostgresServer(folder) as server:
        server.kill()
        lock = folder / "data" / "postmaster.pid"
        account = postgres._unprivileged()
        other = subprocess.Popen(["sleep", "600"], user=account.pw_uid if account is not None else None)
        try:
            _, *rest = lock.read_text().split("\n")
            lock.write_text("\n".join([str(other.pid), *rest]))
            monkeypatch.setattr(postgres, "_PATIENCE_SECONDS", 2.0)
            with pytest.raises(StorageError, match=r"lock file|shared memory"):
                server.start()
        finally:
            other.kill()
            other.wait()
