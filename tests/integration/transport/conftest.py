from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import uvloop

from tests.integration.transport.bed import Bed


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Both loops: they differ in when they write, and in when they say that they cannot."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    with TemporaryDirectory(prefix="r") as folder:  # short: paths of sockets are
        it = Bed(Path(folder))
        try:
            yield it
        finally:
            await it.end()
