"""What the stories of faults share."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

_LOUD = ("ramet.events", "ramet.sagas", "ramet.storage")


@pytest.fixture
def quiet() -> Iterator[None]:
    """Without warnings of the faults that a story is made of; for this test alone."""
    loggers = [logging.getLogger(name) for name in _LOUD]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
