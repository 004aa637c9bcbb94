"""What a test leaves behind in NATS JetStream, removed."""

from __future__ import annotations

from ramet.errors import MissingExtra
from ramet.events.brokers.nats.options import read_url
from ramet.events.brokers.nats.wire import Names

try:
    import nats
    from nats.js.errors import NotFoundError
except ImportError as error:
    raise MissingExtra("nats-py", "nats", "A test on NATS") from error


async def forget(url: str, application: str) -> None:
    """Delete the stream and the bucket of an application; harmless where they are not there."""
    options, names = read_url(url), Names(application)
    client = await nats.connect(list(options.servers), tls=options.tls(), user_credentials=options.credentials)
    try:
        for stream in (names.stream, f"KV_{names.bucket}"):
            try:
                await client.jetstream().delete_stream(stream)
            except NotFoundError:
                continue
    finally:
        await client.close()
