from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.integration.transport.bed import Bed


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    with TemporaryDirectory(prefix="r") as folder:  # short: paths of sockets are
        it = Bed(Path(folder))
        try:
            yield it
        finally:
            await it.end()
