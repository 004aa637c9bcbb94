"""Participants with books, and an engine on a real database that can be abandoned and opened again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from ramet.clock import VirtualClock
from ramet.contract.saga import Saga
from ramet.contract.struct import Event, Struct
from ramet.errors import Cancelled, OutcomeUnknown, Refusal, Unavailable
from ramet.sagas.definition import make_definition
from ramet.sagas.engine import SagaEngine
from ramet.sagas.journal import SCHEMA, Journal
from ramet.sagas.moments import Moment
from ramet.sagas.views import Views
from ramet.storage.sqlite.options import TEMPORARY
from ramet.storage.sqlite.storage import SqliteStorage
from ramet.storage.work import transact
from ramet.telemetry.context import Context
from ramet.telemetry.scope import Scope, Work, current_scope


class Declined(Refusal):
    """{what} was declined."""

    what: str


class Crash(BaseException):
    """The process dies here."""


class Participant:
    """Commands that are executed once for each key; withdrawn keys are refused. `effects` is what has been executed.

    `faults` are consumed one by each call of a method: "refused", "lost" (executed, the reply is lost), "late"
    (executed only when `deliver` is called), "down", "broken", "hangs" (not executed), "stuck" (executed, and hangs).
    """

    def __init__(self) -> None:
        self.effects: list[str] = []
        self.calls: list[tuple[str, str | None]] = []
        self.answers: dict[str, Exception | None] = {}
        self.faults: dict[str, list[str]] = {}
        self.late: list[tuple[str, str, str]] = []
        self.withdrawn: list[str] = []
        self.withdrawing_fails = 0

    def plan(self, method: str, *faults: str) -> None:
        """What the next calls of this method meet."""
        self.faults.setdefault(method, []).extend(faults)

    async def call(self, method: str, what: str) -> None:
        """A command: `method` is its full name."""
        scope = current_scope.get()
        key = scope.command_key(method) if scope is not None else None
        self.calls.append((method, key))
        try:
            await self._answer(method, key or "", what)
        except Exception as error:
            error.__ramet_key__ = key  # type: ignore[attr-defined]  # as the runtime does
            raise

    async def _answer(self, method: str, key: str, what: str) -> None:
        fault = self.faults[method].pop(0) if self.faults.get(method) else ""
        if fault == "down":
            raise Unavailable(f"{method} is not there.")
        if fault == "broken":
            raise RuntimeError("broken")
        if fault == "late":
            self.late.append((method, key, what))
            raise OutcomeUnknown(f"No answer from {method}.")
        if fault == "hangs":
            await asyncio.get_running_loop().create_future()
        self._execute(method, key, what, refuse=fault == "refused")
        if fault == "stuck":
            await asyncio.get_running_loop().create_future()
        if fault == "lost":
            raise OutcomeUnknown(f"No answer from {method}.")

    def _execute(self, method: str, key: str, what: str, *, refuse: bool = False) -> None:
        if key not in self.answers:
            self.answers[key] = Declined(what=what) if refuse else None
            if not refuse:
                self.effects.append(f"{method} {what}")
        answer = self.answers[key]
        if answer is not None:
            raise answer

    def deliver(self) -> None:
        """The late calls arrive after all."""
        late, self.late = self.late, []
        for method, key, what in late:
            try:
                self._execute(method, key, what)
            except (Cancelled, Refusal):
                pass

    async def withdraw(self, method: str, key: str) -> None:
        """What the engine calls before it undoes what may still be on its way."""
        if self.withdrawing_fails:
            self.withdrawing_fails -= 1
            raise Unavailable(f"{method} is not there.")
        self.withdrawn.append(key)
        self.answers.setdefault(key, Cancelled(f"{key} was withdrawn."))


class Process:
    """What works in the background of one process, until it is killed; `errors` is what has gone wrong there."""

    def __init__(self, errors: list[BaseException]) -> None:
        self.tasks: set[asyncio.Task[Any]] = set()
        self.errors = errors

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.errors.append(error)

    async def kill(self) -> None:
        tasks, self.tasks = self.tasks, set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class World(Process):
    """A service that runs sagas, its clock, and whom they call."""

    def __init__(self, path: Path, *sagas: type[Saga], clock: VirtualClock | None = None) -> None:
        super().__init__([])
        self.path = path
        self.sagas = sagas
        self.clock = clock or VirtualClock()
        self.there = Participant()
        self.moments: list[Moment] = []
        self.commands: Sequence[str] = ()
        self.storage: SqliteStorage
        self.engine: SagaEngine

    async def open(self, *, start: bool = True) -> None:
        self.storage = SqliteStorage("orders", self.path, TEMPORARY)
        await self.storage.open(SCHEMA)
        definitions = []
        for saga in self.sagas:
            instance = saga()
            instance.there = self.there  # type: ignore[attr-defined]  # as the runtime does
            definitions.append(make_definition(saga, instance, self.commands))
        self.engine = SagaEngine(
            "orders",
            definitions,
            storage=self.storage,
            clock=self.clock,
            spawn=self.spawn,
            withdraw=self.there.withdraw,
        )
        self.engine.report = self.moments.append
        self.views = Views(self.storage, definitions)
        if start:
            await self.engine.start()

    async def crash(self) -> None:
        """The process dies: nothing more is written, nobody is told."""

        async def dead(*_: Any) -> tuple[int, ...]:
            raise asyncio.CancelledError

        self.storage.write = dead  # type: ignore[method-assign, assignment]  # the crash
        await self.kill()
        await self.storage.close()

    async def close(self) -> None:
        await self.engine.stop()
        await self.storage.close()
        assert self.errors == []

    async def reopen(self, *sagas: type[Saga]) -> None:
        await self.crash()
        self.sagas = sagas or self.sagas
        await self.open()

    async def start(self, saga: type[Saga], key: str, state: Struct) -> str:
        context = Context(execution="request", trace="trace", tenant="acme", baggage={"a": "b"})
        return (await self.engine.launch(saga, key=key, state=state, context=context)).id

    async def run(self, seconds: float = 0.0) -> None:
        await self.clock.advance(seconds)

    async def publish(self, saga: type[Saga], event: Event, identity: str = "") -> None:
        """An event arrives, as the runtime hands it over: in the transaction of a handler."""
        scope = Scope("orders", Work.HANDLER, "signal", identity or self.clock.id())
        await transact(self.storage, scope, lambda: self.engine.signal(saga, event))

    async def status(self, saga: str) -> str:
        return (await self.views.show(saga)).saga.status.value

    async def kinds(self, saga: str) -> list[str]:
        """The log in short: "did reserve", "turned back", …"""
        rows = await Journal(self.storage).load(saga)
        assert rows is not None
        return [f"{row.kind} {row.step}".strip() for row in rows.log]


Step = Callable[..., Any]
