"""Where an engine listens, by its URL, and what is said when it does not."""

from __future__ import annotations

import pytest

from ramet.errors import ConfigurationError
from ramet.runtime.engines import obstacle


@pytest.mark.parametrize("url", ["sqlite", "memory", "elsewhere", "http://h"])
async def test_what_is_no_engine_of_ours_is_no_obstacle(url: str) -> None:
    assert await obstacle(url) is None


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://me:secret@127.0.0.1:1/db", "PostgreSQL does not answer at postgresql://me:****@127.0.0.1:1/db"),
        ("nats://127.0.0.1:1", "NATS does not answer at nats://127.0.0.1:1"),
        ("redis://:secret@127.0.0.1:1/0", "Redis does not answer at redis://:****@127.0.0.1:1/0"),
        ("amqp://127.0.0.1:1", "RabbitMQ does not answer at amqp://127.0.0.1:1"),
        ("postgresql:///db?host=/nowhere", "PostgreSQL does not answer at postgresql:///db?host=/nowhere"),
    ],
)
async def test_one_that_does_not_answer_is_named_without_its_password(url: str, told: str) -> None:
    found = await obstacle(url)
    assert found is not None
    assert found.startswith(told)
    assert "add --engines to `ramet up`" in found


async def test_a_url_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="is not a URL"):
        await obstacle("nats://h:port")
