#: 10: Engines.start hides the start that every service has. Give it another name.
"""Every service has start and publish."""

from __future__ import annotations
from ramet import Contract, command


class Engines(Contract, version="1.0.0"):
    @command
    async def start(self, engine: str) -> None: ...


class EnginesService(Engines):
    async def start(self, engine: str) -> None: ...
