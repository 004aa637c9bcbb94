"""What the address of RabbitMQ says."""

from __future__ import annotations

import pytest

from ramet.errors import ConfigurationError
from ramet.events.brokers.rabbitmq.options import read_url


def test_our_options_are_taken_out_and_the_rest_is_left_to_the_library() -> None:
    options = read_url("amqps://shop:secret@one/vhost?partitions=8&cafile=/ca.pem")
    assert options.partitions == 8
    assert options.url == "amqps://shop:secret@one/vhost?heartbeat=5&cafile=%2Fca.pem"
    assert options.shown == "amqps://***@one/vhost"


def test_a_wrong_number_is_one_sentence_without_the_password() -> None:
    with pytest.raises(ConfigurationError, match="no number") as wrong:
        read_url("amqp://shop:secret@one?prefetch=lots")
    assert "secret" not in str(wrong.value)
