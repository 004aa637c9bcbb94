"""One replica of a group, kept alive: started, watched, started again after a pause, given up when that is hopeless."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from errno import EAGAIN, EDQUOT, EMFILE, ENFILE, ENOMEM, ENOSPC, EROFS
from typing import Literal

from ramet.clock import Clock
from ramet.runtime.discovery.messages import Drain
from ramet.runtime.operators.requests import NOTHING, Counts
from ramet.runtime.supervisor.child import Child
from ramet.runtime.supervisor.counts import Past
from ramet.runtime.supervisor.hub import Link
from ramet.runtime.supervisor.patience import AWAY, BAD_INPUT, REFUSED, Patience, ending
from ramet.tasks import Spawn
from ramet.transport.base import Endpoint

State = Literal["waiting", "starting", "ready", "silent", "draining", "crashed", "stopped"]
OBSTACLE_PAUSE_SECONDS = 0.5
SCARCE = frozenset({ENOSPC, EDQUOT, EROFS, EMFILE, ENFILE, ENOMEM, EAGAIN})
"""What this machine may be short of for some time: room on its disk, descriptors, memory, processes."""

log = logging.getLogger("ramet.supervisor")


@dataclass(frozen=True, kw_only=True)
class Around:
    """What a replica needs of its supervisor.

    `launch` starts its process; `changed` is told the group whose endpoints may have changed; `obstacle` says what
    stands in the way of any start, such as a database that does not answer; `starting` bounds how many start at the
    same time; `past` keeps what processes have counted that ended.
    """

    clock: Clock
    spawn: Spawn
    patience: Patience
    launch: Callable[[Member], Awaitable[Child]]
    changed: Callable[[str], None]
    obstacle: Callable[[], Awaitable[str | None]]
    starting: asyncio.Semaphore
    past: Past = field(default_factory=Past)


class Member:
    """A replica: `number` is unique among those of its group that are alive; `version` is the release it runs.

    `ended` says what its last end was that nobody had asked for, also once it is ready again; `was_refused` whether its
    release or what it is to work with was to blame, and not the moment.
    """

    def __init__(self, group: str, number: int, around: Around) -> None:
        self.group = group
        self.number = number
        self.state: State = "waiting"
        self.since = around.clock.time()
        self.restarts = 0
        self.version = ""
        self.error = ""
        self.ended = ""
        self.ended_at: float | None = None
        self.was_refused = False
        self.child: Child | None = None
        self.endpoint: Endpoint | None = None
        self.counts = NOTHING
        self.is_held_back = False
        self._around = around
        self._link: Link | None = None
        self._heard_at = around.clock.monotonic()
        self._failures = self._away = 0
        self._was_ready = self._has_served = False
        self._ending = False
        self._settled = asyncio.Event()
        self._place_taken: asyncio.Event = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """As in the log: "edge/0"."""
        return f"{self.group}/{self.number}"

    @property
    def serves(self) -> Endpoint | None:
        """Its endpoint, while calls are to be sent there: if ready, and not held back for a switch at once."""
        return self.endpoint if self.state == "ready" and not self.is_held_back else None

    def start(self) -> None:
        """Begin to keep it alive."""
        self._task = self._around.spawn(self._keep())

    async def settle(self) -> bool:
        """Wait until it is ready (true), or has failed for the first time, or is given up."""
        await self._settled.wait()
        return self.state == "ready"

    def give_up(self) -> None:
        """Let nobody wait any longer for it to be ready."""
        self._settled.set()

    async def drain(self, grace: float | None = None) -> None:
        """Send it nothing more, let it finish, and end it; killed after the grace (by default the patience's)."""
        patience, is_busy = self._around.patience, self.state in ("ready", "silent", "draining")
        if grace is None:
            grace = patience.drain if is_busy else patience.unready
        self._ending = True
        self.give_up()
        if self.child is None or not self.child.is_alive:
            if self._task is not None:
                self._task.cancel()
            self._keep_counts()
            self._become("stopped")
            return
        self._become("draining")
        if self._link is not None:
            self._link.tell(Drain())
        else:
            self.child.terminate()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=grace)
            if not self._task.done():
                log.warning("%s did not finish in time, and is killed.", self.name)
                self.child.kill()
                await asyncio.wait({self._task})

    def look(self) -> None:
        """Notice silence, and a start that takes for ever; called every moment."""
        patience, clock = self._around.patience, self._around.clock
        if self.child is None or not self.child.is_alive or self._ending:
            return
        silence = clock.monotonic() - self._heard_at
        if self.state == "ready" and silence > patience.silent:
            self._become("silent", f"has not been heard of for {silence:.1f} s")
            log.warning("%s is silent, and is sent no more calls.", self.name)
        if (self.state == "silent" and silence > patience.frozen) or (
            self.state == "starting" and silence > patience.start
        ):
            self.error = f"was killed after {silence:.0f} s of silence"
            log.warning("%s %s.", self.name, self.error)
            self.child.kill()

    def excuse(self) -> None:
        """The supervisor itself was held up: nobody could have been heard meanwhile."""
        self._heard_at = self._around.clock.monotonic()

    # -- what it says --------------------------------------------------------------------------------------------

    def connected(self, link: Link) -> None:
        """It has come, or come again."""
        self._link = link
        self.beat()

    def registered(self, endpoint: Endpoint) -> None:
        """It is as good as up: the next may begin to start."""
        self.endpoint = endpoint
        self._place_taken.set()
        self._around.changed(self.group)

    def is_ready(self) -> None:
        """Calls may be sent to it."""
        if not self._ending:
            self._was_ready = True
            self._become("ready")
            self._settled.set()

    def beat(self, counts: Counts | None = None) -> None:
        """It is alive, and has counted this, where that is news."""
        if counts is not None and self._link is not None:
            self.counts = counts
        self._heard_at = self._around.clock.monotonic()
        if self.state == "silent" and not self._ending:
            log.warning("%s is heard of again.", self.name)
            self._become("ready")

    def leaving(self) -> None:
        """It ends by itself."""
        if not self._ending:
            self._become("draining")

    # -- its life ------------------------------------------------------------------------------------------------

    async def _keep(self) -> None:
        while not self._ending:
            if not await self._possible():
                continue
            began, self._was_ready = self._around.clock.monotonic(), False
            code = await self._live()
            if self._ending:
                break
            lasted = self._around.clock.monotonic() - began
            if self._was_ready and lasted >= self._around.patience.stable:
                self._failures = self._away = 0
            self._has_served = self._has_served or self._was_ready
            if code == REFUSED and self._has_served:  # by what has changed meanwhile, and may change back
                code = AWAY
            self._failures += 1
            self._away += code == AWAY
            if not await self._pause(code):
                return
        self._become("stopped")

    async def _possible(self) -> bool:
        """Whether a start makes sense; what stands in its way is not the replica's failure."""
        obstacle = await self._around.obstacle()
        if obstacle is not None:
            self._become("waiting", obstacle)
            self._failures = self._away = 0
            await self._around.clock.sleep(OBSTACLE_PAUSE_SECONDS)
        return obstacle is None

    async def _live(self) -> int | None:
        """From its start to its end: its exit code."""
        self._place_taken.clear()
        async with self._around.starting:
            if self._ending:
                return None
            self.child = None
            self._become("starting")
            self.excuse()
            try:
                self.child = await self._around.launch(self)
            except OSError as error:
                self.error = f"could not be started: {error.strerror or error}"
                if error.errno in SCARCE:  # which is no failure of the replica, however often
                    self._failures = min(self._failures, self._around.patience.attempts - 2)
                return None
            ended = self._around.spawn(self.child.ended())
            await self._up_or(ended)
        code: int = await ended
        self.endpoint = self._link = None
        self._keep_counts()
        self._around.changed(self.group)
        return code

    def _keep_counts(self) -> None:
        self._around.past.add(self.counts)
        self.counts = NOTHING

    async def _up_or(self, ended: asyncio.Task[int]) -> None:
        up = self._around.spawn(self._place_taken.wait())
        wait = self._around.patience.place
        await asyncio.wait({up, ended}, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
        up.cancel()

    async def _pause(self, code: int | None) -> bool:
        """Wait for the next attempt; false where there is none."""
        what = self.error if self.error.startswith(("was killed", "could not")) else ending(code)
        sentence = self._last_sentence()
        what, why = ("failed", f": {sentence}") if sentence else (what, "")
        self.ended, self.ended_at = what + why, self._around.clock.time()
        self.was_refused = code in (BAD_INPUT, REFUSED)
        pause = self._around.patience.pause(self._failures, code, away=self._away)
        if pause is None:
            what += f", {self._failures} times in a row" if self._failures > 1 else ""
            self._become("crashed", what + why)
            log.error("%s %s: given up until `ramet restart %s`.", self.name, what, self.group)
            self._settled.set()
            return False
        log.warning("%s %s: started again in %.1f s.", self.name, what, pause)
        self._become("waiting", what + why)
        self._settled.set()
        self.restarts += 1
        await self._around.clock.sleep(pause)
        return True

    def _last_sentence(self) -> str:
        """Its last words where those say what was wrong, which its log has shown."""
        words = self.child.last_words if self.child is not None else ""
        return words.partition("error: ")[2].rstrip(".")

    def _become(self, state: State, error: str = "") -> None:
        if state != self.state:
            self.since = self._around.clock.time()
        self.state, self.error = state, error
        self._around.changed(self.group)
