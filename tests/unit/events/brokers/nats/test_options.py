"""What the address of NATS says."""

from __future__ import annotations

import pytest

from ramet.errors import ConfigurationError
from ramet.events.brokers.nats.options import read_url


def test_servers_are_separated_by_commas_and_options_follow() -> None:
    options = read_url("nats://shop:secret@one:4222,two:4222?partitions=16&sync=always&retention_days=1.5")
    assert options.servers == ("nats://shop:secret@one:4222", "nats://two:4222")
    assert (options.partitions, options.sync, options.retention_days) == (16, "always", 1.5)
    assert "secret" not in options.shown


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("nats://shop:secret@one?colour=red", 'an option "colour"'),
        ("nats://shop:secret@one?partitions=many", "no number"),
    ],
)
def test_a_wrong_option_is_one_sentence_without_the_password(url: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence) as wrong:
        read_url(url)
    assert "secret" not in str(wrong.value)
