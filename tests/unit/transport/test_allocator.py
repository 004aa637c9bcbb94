"""Freed memory stays with the process."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
from ramet.transport.allocator import keep_freed_memory
{before}
def answers():
    return [b"x" * 100_000 for _ in range(16)]
answers()
begun = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    answers()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - begun)
"""


def pages_taken(before: str) -> int:
    """From the system, by fifty times sixteen large answers, after an own beginning."""
    program = PROGRAM.format(before=before)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators have limits of their own")
def test_large_answers_use_the_memory_of_those_before_them() -> None:
    assert pages_taken("keep_freed_memory()") * 10 < pages_taken("")
