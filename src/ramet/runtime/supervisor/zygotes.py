"""The zygote of the release that lies in the folder now, as its supervisor sees it: loaded once, and asked to fork."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ramet.model.topology import Assignment
from ramet.runtime.orphans import adopting
from ramet.runtime.supervisor.child import Child, Launch, Process, Said
from ramet.runtime.zygote import CONNECTION, GO, LONGEST_MESSAGE, decode_forked, decode_loaded
from ramet.tasks import Spawn

LOADING_SECONDS = 60.0

log = logging.getLogger("ramet.supervisor")


@dataclass(frozen=True, kw_only=True)
class Loading:
    """How a zygote is started, and in how many seconds it has to fork: unless it is frozen it takes milliseconds."""

    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    said: Said
    forking_seconds: float


class Zygotes:
    """One zygote for each release, and for each restart: what has been installed meanwhile is loaded anew."""

    def __init__(self, loading: Loading, spawn: Spawn) -> None:
        self._loading = loading
        self._spawn = spawn
        self._version = ""
        self._zygote: Zygote | None = None
        self._asking = asyncio.Lock()

    async def fork(self, assignment: Assignment, said: Said) -> Child | None:
        """A replica of the release that its assignment names; None where it has to be spawned."""
        async with self._asking:
            try:
                if assignment.version != self._version:
                    self.forget()
                    self._version = assignment.version
                    await self._load()
                if self._zygote is None:
                    return None
                return await Child.made(lambda output: self._fork(assignment, output), said, self._spawn)
            except (OSError, ValueError) as error:
                log.warning("The zygote is given up, and this replica is spawned: %s.", str(error) or repr(error))
                has_forked = self._zygote is not None and self._zygote.has_forked
                self._drop()
                if has_forked:  # so will the next
                    self._version = ""
                return None
            except BaseException:  # its answer would be taken for that to whoever asks next
                self.forget()
                raise

    def renew(self) -> None:
        """Load the application anew for whoever starts next; who is being forked now is not disturbed."""
        self._version = ""

    def forget(self) -> None:
        """Let the zygote end, and load another for whoever starts next."""
        self._drop()
        self._version = ""

    def _drop(self) -> None:
        zygote, self._zygote = self._zygote, None
        if zygote is not None:
            zygote.hang_up()
            self._spawn(zygote.ended())

    async def close(self) -> None:
        """End it."""
        zygote = self._zygote
        self.forget()
        if zygote is not None:
            await zygote.ended()

    async def _load(self) -> None:
        """There is none where the application cannot be forked, or not even loaded: who is spawned says better why."""
        try:
            self._zygote = await Zygote.start(self._loading, self._spawn)
            async with asyncio.timeout(LOADING_SECONDS):
                obstacle = await self._zygote.loaded()
        except (OSError, ValueError) as error:
            obstacle = str(error) or type(error).__name__
        if obstacle:
            why = "Replicas are spawned, not forked from a process that has loaded the application: %s."
            log.warning(why, obstacle)
            self._drop()

    async def _fork(self, assignment: Assignment, output: int) -> Process:
        assert self._zygote is not None
        limit = self._loading.forking_seconds
        try:
            async with asyncio.timeout(limit):
                return await self._zygote.fork(assignment, output)
        except TimeoutError:
            raise OSError(f"it did not answer within {limit:g} s") from None


class Zygote:
    """One process that forks, and the connection with it."""

    def __init__(self, child: Child, connection: socket.socket) -> None:
        self._child = child
        self._connection = connection
        self.has_forked = False

    @classmethod
    async def start(cls, loading: Loading, spawn: Spawn) -> Zygote:
        """Raises: OSError."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)  # noqa: FBT003 - its name in the standard library
        launch = Launch(
            command=loading.command,
            folder=loading.folder,
            environment={**loading.environment, CONNECTION: str(theirs.fileno())},
            descriptors=(theirs.fileno(),),
            said=loading.said,
        )
        try:
            return cls(await Child.spawn(launch, spawn), ours)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()

    async def loaded(self) -> str:
        """Wait until the application is loaded; what keeps it from being forked, "" for nothing.

        Raises: OSError where it ends instead.
        """
        return decode_loaded(await self._hear()).obstacle

    async def fork(self, assignment: Assignment, output: int) -> Process:
        """A replica that has begun. Raises: OSError where there is none."""
        waits, go = os.pipe()
        listener = () if assignment.listener is None else (assignment.listener,)
        try:
            with adopting():
                socket.send_fds(self._connection, [msgspec.json.encode(assignment)], [waits, output, *listener])
                pid = decode_forked(await self._hear()).pid
            if pid < 0:
                raise OSError("no process can be forked")
            process = Adopted(pid)
            os.write(go, GO)
            self.has_forked = True
        finally:
            os.close(waits)
            os.close(go)
        return process

    def hang_up(self) -> None:
        """Let it end; what was forked is not concerned."""
        self._connection.close()
        self._child.kill()

    async def ended(self) -> None:
        """Wait for its end."""
        await self._child.ended()

    async def _hear(self) -> bytes:
        message = await asyncio.get_running_loop().sock_recv(self._connection, LONGEST_MESSAGE)
        if not message:
            raise OSError("it has ended")
        return message


class Adopted:
    """A child that another process has forked. Raises: OSError where it is no child of this process."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[int] = self._loop.create_future()
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        self._descriptor = os.pidfd_open(pid)
        self._loop.add_reader(self._descriptor, self._reap)

    async def wait(self) -> int:
        """As a spawned process does."""
        return await asyncio.shield(self._ended)

    def _reap(self) -> None:
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
        _, status = os.waitpid(self.pid, 0)
        self.returncode = os.waitstatus_to_exitcode(status)
        self._ended.set_result(self.returncode)
