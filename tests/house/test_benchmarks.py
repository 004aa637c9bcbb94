"""The benchmarks stand on ports of the library, which may grow."""

from __future__ import annotations

from benchmarks.contenders.known_endpoints import KnownEndpoints


def test_the_discovery_of_benchmarks_is_a_whole_one() -> None:
    assert KnownEndpoints({})
