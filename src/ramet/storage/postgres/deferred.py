"""What a unit writes as the last thing before its commit, in as few round trips as the rows allow."""

from __future__ import annotations

from collections.abc import Sequence

from ramet.storage.base import Write
from ramet.storage.postgres.channel import Channel
from ramet.storage.postgres.sql import together


async def write_deferred(channel: Channel, writes: Sequence[Write]) -> None:
    """One round trip where every row goes into another table, else one for neighbours with the same statement."""
    if all(len(write.rows) == 1 for write in writes) and (sql := together(tuple(write.sql for write in writes))):
        await channel.fetch(sql, [value for write in writes for value in write.rows[0]])
        return
    for write in _joined(writes):
        await channel.execute(write.sql, write.rows)


def _joined(writes: Sequence[Write]) -> list[Write]:
    """Neighbours with the same statement as one."""
    joined: list[Write] = []
    for write in writes:
        if joined and joined[-1].sql == write.sql:
            joined[-1] = Write(write.sql, [*joined[-1].rows, *write.rows])
        else:
            joined.append(write)
    return joined
