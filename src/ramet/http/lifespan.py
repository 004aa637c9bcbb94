"""The lifespan protocol of ASGI, from the server's side: starts and stops an application that is mounted."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from ramet.errors import ConfigurationError
from ramet.tasks import Spawn

log = logging.getLogger("ramet.http")
Asgi = Any


class Lifespan:
    """One application's. Those that do not know the protocol are left alone."""

    def __init__(self, name: str, app: Asgi, spawn: Spawn) -> None:
        self.state: dict[str, Any] = {}
        self._name = name
        self._app = app
        self._spawn = spawn
        self._to_app: asyncio.Queue[Any] = asyncio.Queue()
        self._from_app: asyncio.Queue[Any] = asyncio.Queue()
        self._task: asyncio.Task[Any] | None = None

    async def startup(self) -> None:
        """Raises: ConfigurationError with what the application says, when it fails to start."""
        self._to_app.put_nowait({"type": "lifespan.startup"})
        self._task = self._spawn(self._run())
        answer = await self._from_app.get()
        if answer["type"] == "lifespan.startup.failed":
            raise ConfigurationError(
                f'The mounted application "{self._name}" did not start: {answer.get("message", "")}'
            )

    async def shutdown(self) -> None:
        """Stop it, if it is running."""
        if self._task is None or self._task.done():
            return
        self._to_app.put_nowait({"type": "lifespan.shutdown"})
        answer = await self._from_app.get()
        if answer["type"] == "lifespan.shutdown.failed":
            log.error('The mounted application "%s" did not stop well: %s', self._name, answer.get("message", ""))
        await asyncio.wait({self._task})

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self._app(scope, self._to_app.get, self._from_app.put)
        except Exception as error:  # noqa: BLE001 - the protocol: an application that raises does not take part in it
            log.debug('The mounted application "%s" has no lifespan: %r', self._name, error)
        finally:
            self._from_app.put_nowait({"type": "ended"})
