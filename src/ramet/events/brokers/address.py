"""Pure: addresses of brokers: their options, and how they may be shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from ramet.errors import ConfigurationError

_SECRET = re.compile(r"(?<=//)[^/@,]*@|(?<=,)[^/@,]*@")


def shown(url: str) -> str:
    """An address without its credentials and options.

    >>> shown("nats://shop:secret@one:4222,shop:secret@two:4222?partitions=8")
    'nats://***@one:4222,***@two:4222'
    """
    return _SECRET.sub("***@", url.partition("?")[0])


def read_options(url: str, kinds: Mapping[str, Callable[[str], object]]) -> dict[str, Any]:
    """The options of an address, each read by what its name stands for.

    Raises: ConfigurationError for one that there is not, and for one that is no number.
    """
    given: dict[str, Any] = {}
    for name, value in parse_qsl(url.partition("?")[2], keep_blank_values=True):
        if name not in kinds:
            known = ", ".join(sorted(kinds))
            raise ConfigurationError(f'The broker\'s address {shown(url)} has an option "{name}"; there are {known}.')
        try:
            given[name] = kinds[name](value)
        except ValueError:
            raise ConfigurationError(
                f'The broker\'s address {shown(url)} has {name}="{value}", which is no number.'
            ) from None
    return given
