"""What is said of a server by what it says of itself."""

from __future__ import annotations

import pytest

from ramet.errors import ConfigurationError
from ramet.events.brokers.redis.durability import doubts, read_info, refuse
from ramet.events.brokers.redis.options import RedisOptions, read_url

SOUND = {"redis_version": "7.4.1", "aof_enabled": "1", "maxmemory_policy": "noeviction"}


def test_what_redis_tells_is_read() -> None:
    assert read_info(b"# Server\r\nredis_version:7.0.15\r\nos:Linux: 6\r\n\r\n") == {
        "redis_version": "7.0.15",
        "os": "Linux: 6",
    }


def test_nothing_is_said_of_a_sound_server() -> None:
    options = RedisOptions()
    refuse(SOUND, options)
    assert not list(doubts(SOUND, "always", options))


@pytest.mark.parametrize(
    ("query", "appendfsync", "told"),
    [
        ("", "everysec", "once a second"),
        ("", "no", "when the system likes"),
        ("", None, "add ?sync=always"),
        ("sync=always", None, None),
        ("sync=wait", "everysec", None),
    ],
)
def test_whether_it_syncs_is_seen_or_said(query: str, appendfsync: str | None, told: str | None) -> None:
    found = list(doubts(SOUND, appendfsync, read_url(f"redis://:secret@h/0?{query}")))
    assert len(found) == (told is not None)
    for sentence in found:
        assert "secret" not in sentence
        assert told is not None
        assert told in sentence


@pytest.mark.parametrize(
    ("info", "query", "told"),
    [
        ({"redis_version": "6.0.16"}, "", "older than 6.2"),
        ({"cluster_enabled": "1"}, "", "a Redis Cluster"),
        ({"redis_version": "7.0.15"}, "sync=wait", "needs Redis 7.2"),
        ({"aof_enabled": "0"}, "sync=wait", "appendonly yes"),
    ],
)
def test_what_cannot_be_used_is_refused(info: dict[str, str], query: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        refuse({**SOUND, **info}, read_url(f"redis://h/0?{query}"))
