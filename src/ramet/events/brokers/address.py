"""Pure: addresses of brokers as they may be shown."""

from __future__ import annotations

import re

_SECRET = re.compile(r"(?<=//)[^/@,]*@|(?<=,)[^/@,]*@")


def shown(url: str) -> str:
    """An address without its credentials and options.

    >>> shown("nats://shop:secret@one:4222,shop:secret@two:4222?partitions=8")
    'nats://***@one:4222,***@two:4222'
    """
    return _SECRET.sub("***@", url.partition("?")[0])
