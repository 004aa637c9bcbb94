"""Endpoints of the configuration are told at once."""

from __future__ import annotations

from collections.abc import Sequence

from ramet.runtime.discovery.static import StaticDiscovery
from ramet.transport.base import Endpoint

HERE = Endpoint(address="tcp://h:1", group="rest")


async def test_what_is_known_is_told_at_once_and_of_others_that_they_are_nobody() -> None:
    discovery = StaticDiscovery({"rest": [HERE]})
    told: list[Sequence[Endpoint]] = []
    discovery.watch("rest", told.append)
    discovery.watch("edge", told.append)
    await discovery.start()
    await discovery.register(HERE)
    await discovery.ready()
    await discovery.close()
    assert told == [(HERE,), ()]
