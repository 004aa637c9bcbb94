"""The suite for brokers whose server the tests start, kill and start again."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from ramet.testing.conformance.broker_durable import RestartableBrokerConformance


class OnEngine(RestartableBrokerConformance):
    """Needs a fixture `engine` in its module; each test is an application of its own."""

    @pytest.fixture(autouse=True)
    def _engine(self, engine: Any) -> None:
        self.engine = engine
        self.application = f"test-{uuid.uuid4().hex}"

    async def kill(self) -> None:
        await asyncio.to_thread(self.engine.kill)

    async def start(self) -> None:
        await asyncio.to_thread(self.engine.start)
