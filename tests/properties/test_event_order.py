"""Whatever fails and whenever the process dies: each event is handled once or given up once, in order for each key."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ramet.events import feed
from ramet.events.base import Message
from ramet.events.policy import Retries
from tests.unit.events.bed import Bed

KEYS = ("a", "b", "c", None)
RETRIES = Retries(attempts=3)
Events = list[tuple[str | None, int]]


class Script:
    """How often the handling of each event fails; 3 and more is poison."""

    def __init__(self, failures: list[int]) -> None:
        self._left = dict(enumerate(failures))

    async def __call__(self, message: Message) -> None:
        number = int(message.payload)
        await asyncio.sleep(0)
        if self._left[number] > 0:
            self._left[number] -= 1
            raise RuntimeError("scripted")


async def live_through(folder: Path, events: Events, lives: list[float], capacity: int) -> None:
    script = Script([failures for _, failures in events])
    for life in (*lives, None):
        it = Bed(folder)
        await it.open()
        await it.subscribe(script, retries=RETRIES, capacity=capacity)
        await it.subscribe(method="other", capacity=capacity)
        if life == lives[0]:
            for number, (key, _) in enumerate(events):
                await it.publish(number, key=key)
        await it.start()
        if life is None:
            await it.drain()
            await check(it, events)
            await it.stop()
        else:
            await it.clock.advance(life)
            await it.abandon()


async def check(it: Bed, events: Events) -> None:
    handled = await it.notes()
    dead = [int(payload) for (payload,) in await it.billing.fetch("SELECT payload FROM ramet_dead_letter")]
    assert Counter(handled + dead) == Counter(range(len(events))), "each exactly once"
    assert all(events[number][1] >= RETRIES.attempts for number in dead)
    for key in KEYS[:-1]:
        of_key = [number for number in handled if events[number][0] == key]
        assert of_key == sorted(of_key), f"out of order: {key}"
    assert sorted(await it.notes(consumer="billing.other")) == list(range(len(events)))
    assert await it.unsent() == 0
    assert await it.operations.retrying() == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    events=st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from([0, 0, 0, 1, 2, 9])), min_size=1, max_size=25),
    lives=st.lists(st.sampled_from([0.0, 0.03, 0.1, 0.3, 1.0]), min_size=1, max_size=4, unique=True),
    capacity=st.sampled_from([2, 5, 1000]),
    most_of_a_key=st.sampled_from([1, 2, 64]),
    window=st.sampled_from([1, 3, 5000]),
)
def test_each_event_is_handled_or_dead_once_and_in_order(
    events: Events, lives: list[float], capacity: int, most_of_a_key: int, window: int
) -> None:
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(feed, "MOST_OF_A_KEY", most_of_a_key)
        patch.setattr(feed, "WINDOW", window)
        asyncio.run(live_through(Path(folder), events, lives, capacity))
