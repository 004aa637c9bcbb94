"""What the address of Redis says."""

from __future__ import annotations

import pytest

from ramet.errors import ConfigurationError
from ramet.events.brokers.redis.options import RedisOptions, read_url


def test_options_follow_the_address() -> None:
    options = read_url("redis://shop:secret@one:6379/3?partitions=16&retention_days=1.5&past_days=1")
    assert (options.url, options.database) == ("redis://shop:secret@one:6379/3", 3)
    assert (options.partitions, options.retention_days, options.past_days) == (16, 1.5, 1)
    assert options.shown == "redis://***@one:6379/3"
    assert options.confirmation == ()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("redis://shop:secret@one?colour=red", 'an option "colour"'),
        ("redis://shop:secret@one?partitions=many", "no number"),
        ("redis://shop:secret@one?sync=sometimes", 'there are "always" and "wait"'),
    ],
)
def test_a_wrong_option_is_one_sentence_without_the_password(url: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence) as wrong:
        read_url(url)
    assert "secret" not in str(wrong.value)


def test_files_for_tls_encrypt() -> None:
    assert read_url("redis://one:6379/0?ca=/ca.pem").url == "rediss://one:6379/0"


@pytest.mark.parametrize(
    ("options", "asked", "enough", "too_few"),
    [
        (RedisOptions(replicas=2), "WAIT", 2, 1),
        (RedisOptions(sync="wait"), "WAITAOF", [1, 0], [0, 0]),
        (RedisOptions(sync="wait", replicas=1), "WAITAOF", [1, 1], [1, 0]),
    ],
)
def test_it_is_asked_who_has_what_was_written(
    options: RedisOptions, asked: str, enough: object, too_few: object
) -> None:
    assert options.confirmation[0] == asked
    assert options.confirms(enough)
    assert not options.confirms(too_few)
