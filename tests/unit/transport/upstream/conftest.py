"""What the tests of upstreams share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.unit.transport.upstream.world import World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    await made.tasks.stop()
