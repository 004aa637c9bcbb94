"""Awaiting a handler, and noticing when it waits for something else than its own database."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import Any

from ramet.storage.base import Unit
from ramet.telemetry.scope import Scope


class Watched:
    """Awaited, it is `work`; `elsewhere` is called each time that waits while the scope's unit is not busy."""

    def __init__(self, work: Coroutine[Any, Any, None], scope: Scope, elsewhere: Callable[[], None]) -> None:
        self._work = work
        self._scope = scope
        self._elsewhere = elsewhere

    def __await__(self) -> Generator[Any, Any, None]:
        work, scope = self._work, self._scope
        resume: Callable[[], Any] = partial(work.send, None)
        while True:
            try:
                waits_for = resume()
            except StopIteration:
                return
            if not (isinstance(scope.unit, Unit) and scope.unit.busy):
                self._elsewhere()
            try:
                value = yield waits_for
            except BaseException as error:  # noqa: BLE001 - the work is told, whatever it is
                resume = partial(work.throw, error)
            else:
                resume = partial(work.send, value)
