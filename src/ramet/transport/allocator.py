"""The allocator of C, which is to keep what a large answer leaves behind for the next one."""

from __future__ import annotations

KEPT_BYTES = 4 * 2**20
"""Larger than any usual answer; twice as much freed memory stays with the process."""


def keep_freed_memory() -> None:
    """Let the allocator keep freed memory, of which it would otherwise give most back to the system each time.

    Whoever comes next has to take it from there page by page: 60 % of the processor time of answers of 100 KB. The
    limits of glibc follow the largest block that was ever freed (mallopt(3), M_MMAP_THRESHOLD), so one is; nobody
    touches its pages. Elsewhere this does nothing.
    """
    bytes(KEPT_BYTES)
