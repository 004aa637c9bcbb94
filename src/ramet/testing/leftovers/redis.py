"""What a test leaves behind in Redis, removed."""

from __future__ import annotations

from ramet.events.brokers.redis.line import Line
from ramet.events.brokers.redis.options import read_url
from ramet.events.brokers.redis.wire import Names


async def forget(url: str, application: str) -> None:
    """Delete the keys of an application; harmless where they are not there."""
    options = read_url(url)
    names, line = Names(application, options.database), Line(options)
    try:
        (partitions,) = await line.ask(("GET", names.layout))
        await line.ask(("DEL", *names.all(int(partitions or 0))))
    finally:
        await line.hang_up()
