"""Pure: which replicas are there, from what was heard of them, and which of them reads which partition."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

BEAT_SECONDS = 1.0
LEASE_SECONDS = 4.0
"""A replica that was not heard of for this long is gone, or as good as gone: others take over what it was reading."""


class Beat(msgspec.Struct, frozen=True, array_like=True):
    """What a replica says of itself, every second and at each change; `news` counts changes, `leaving`: the last."""

    instance: str
    consumers: tuple[str, ...]
    news: int = 0
    leaving: bool = False


_decode = msgspec.msgpack.Decoder(Beat).decode
encode_beat = msgspec.msgpack.Encoder().encode


class Members:
    """The replicas that were heard of; `instance` is this one."""

    def __init__(self, instance: str, *, now: float) -> None:
        self.instance = instance
        self._since = now
        self._heard: dict[str, tuple[Beat, float]] = {}

    def hear(self, data: bytes, *, now: float) -> bool:
        """A beat came in; True when it says something new."""
        beat = _decode(data)
        known = self._heard.get(beat.instance)
        if beat.leaving:
            self._heard.pop(beat.instance, None)
            return known is not None
        self._heard[beat.instance] = (beat, now)
        return known is None or known[0] != beat

    def restart(self, *, now: float) -> None:
        """Nothing could be heard for a while: everybody has a lease's time to be heard of again."""
        self._since = now
        self._heard = {instance: (beat, now) for instance, (beat, _) in self._heard.items()}

    def may_live(self, instance: str, *, now: float) -> bool:
        """Whether a replica may be alive: heard of within the lease, or nobody has listened for that long."""
        if now - self._since < LEASE_SECONDS:
            return True
        known = self._heard.get(instance)
        return known is not None and now - known[1] < LEASE_SECONDS

    def share(self, consumer: str, partitions: int, *, now: float) -> set[int]:
        """The partitions that this replica should read for a consumer."""
        alive = {
            beat.instance
            for beat, at in self._heard.values()
            if consumer in beat.consumers and now - at < LEASE_SECONDS
        }
        return share_of(self.instance, alive | {self.instance}, partitions)


def share_of(instance: str, members: Collection[str], partitions: int) -> set[int]:
    """The partitions of one of the members: as evenly as possible, and the same for everybody who asks.

    >>> share_of("b", ["a", "b", "c"], 8)
    {1, 4, 7}
    """
    order = sorted(members)
    return set(range(order.index(instance), partitions, len(order)))
