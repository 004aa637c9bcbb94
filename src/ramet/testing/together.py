"""Everything in one running application."""

from __future__ import annotations

from ramet.contract.declared import Declared
from ramet.runtime.running import Options, Running
from ramet.runtime.wiring import Engines


class Together:
    """A whole application, running inside `async with`."""

    def __init__(self, declared: Declared, engines: Engines, options: Options) -> None:
        self._running = Running(declared, engines, options)

    async def __aenter__(self) -> tuple[Running, ...]:
        await self._running.start()
        return (self._running,)

    async def __aexit__(self, *_: object) -> None:
        await self._running.stop()
