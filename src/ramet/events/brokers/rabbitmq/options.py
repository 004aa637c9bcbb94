"""How an application uses RabbitMQ, read from the address: `amqp://user:password@host:5672/vhost?partitions=4`."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from ramet.errors import ConfigurationError
from ramet.events.brokers.address import shown

HEARTBEAT_SECONDS = 5


@dataclass(frozen=True, kw_only=True)
class RabbitOptions:
    """`url` is for the client library, with the options it knows (`cafile`, `certfile`, `keyfile` of amqps and others).

    `partitions` bounds how many replicas of a consumer share its work; all processes of an application must have the
    same. `prefetch` is how many messages of a partition are on their way to a replica; `retention_days` how long a
    message waits for its consumer; `patience_seconds` how long `open` tries to connect.
    """

    url: str = "amqp://localhost:5672/"
    partitions: int = 4
    prefetch: int = 200
    retention_days: float = 7.0
    patience_seconds: float = 15.0

    @property
    def shown(self) -> str:
        """The address without credentials."""
        return shown(self.url)


_OWN = {"partitions": int, "prefetch": int, "retention_days": float, "patience_seconds": float}


def read_url(url: str) -> RabbitOptions:
    """Raises: ConfigurationError for an option that is no number."""
    base, _, query = url.partition("?")
    given: dict[str, int | float] = {}
    others = {"heartbeat": str(HEARTBEAT_SECONDS)}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in _OWN:
            others[name] = value
            continue
        try:
            given[name] = _OWN[name](value)
        except ValueError:
            sentence = f'The broker\'s address {shown(url)} has {name}="{value}", which is no number.'
            raise ConfigurationError(sentence) from None
    return RabbitOptions(url=f"{base}?{urlencode(others)}", **given)  # type: ignore[arg-type]  # checked by name above
