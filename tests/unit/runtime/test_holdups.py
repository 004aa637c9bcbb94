"""Code that blocks the loop is named while it does."""

from __future__ import annotations

import asyncio
import threading

from ramet.runtime.holdups import Holdups

PATIENCE_SECONDS = 30.0


async def test_code_that_blocks_is_named_once_while_it_blocks() -> None:
    told: list[str] = []
    noticed = threading.Event()

    def tell(sentence: str) -> None:
        told.append(sentence)
        noticed.set()

    with Holdups(0.02, tell):
        assert noticed.wait(PATIENCE_SECONDS)  # blocks, as a library without `await` does
    (sentence,) = told
    assert "test_holdups.py" in sentence
    assert "in test_code_that_blocks_is_named_once_while_it_blocks, since 0.02 s" in sentence


async def test_a_loop_that_turns_is_left_in_peace() -> None:
    told: list[str] = []
    with Holdups(PATIENCE_SECONDS, told.append):
        await asyncio.to_thread(threading.Event().wait, 0)
    assert told == []
