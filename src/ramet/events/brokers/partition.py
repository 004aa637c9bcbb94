"""Pure: one partition of a stream as a consumer reads it: what was read, what is in flight, how far all is done."""

from __future__ import annotations

import hashlib


def partition_of(key: str, partitions: int) -> int:
    """The partition of a key; the same on every machine and in every release.

    >>> partition_of("order-1", 8)
    3
    """
    return int.from_bytes(hashlib.blake2b(key.encode(errors="surrogatepass"), digest_size=4).digest()) % partitions


class Partition:
    """`read` is the last position that was put into the sink, `floor` the one up to which everything is done.

    `revision` is that of the entry that says who reads it: who has another one than the store has reads it no more.
    Positions up to `again_until` may have been delivered before.
    """

    def __init__(self, number: int, *, floor: int, revision: int, again_until: int) -> None:
        self.number = number
        self.read = floor
        self.revision = revision
        self.again_until = again_until
        self.committed = floor
        self.leaving_since: float | None = None
        self._in_flight: dict[int, None] = {}

    @property
    def floor(self) -> int:
        """Everything up to here is done."""
        return next(iter(self._in_flight)) - 1 if self._in_flight else self.read

    @property
    def idle(self) -> bool:
        """Nothing is in flight."""
        return not self._in_flight

    def take(self, position: int) -> bool:
        """Whether a message that arrived is to be put into the sink now; then it is in flight."""
        if position <= self.read or self.leaving_since is not None:
            return False
        self.read = position
        self._in_flight[position] = None
        return True

    def pass_over(self, position: int) -> None:
        """What is there is not wanted."""
        if self.leaving_since is None:
            self.read = max(self.read, position)

    def done(self, position: int) -> None:
        """The sink is done with it."""
        self._in_flight.pop(position, None)

    def forget_after(self, last: int) -> None:
        """The store ends at `last`, before what was read: it has lost its end, and numbers it again."""
        if self.read > last:
            self.read = last
            self.committed = min(self.committed, last)
            self._in_flight = {position: None for position in self._in_flight if position <= last}
