"""What an error of PostgreSQL means for the caller."""

from __future__ import annotations

import asyncpg

from ramet.errors import StorageUnavailable
from ramet.storage.postgres.failures import failure, is_lost


def test_a_full_disk_is_unavailable_and_no_lost_connection() -> None:
    error = asyncpg.exceptions.DiskFullError("could not extend file")
    assert not is_lost(error)
    told = failure(error, "here")
    assert isinstance(told, StorageUnavailable)
    assert "make room on the server's disk" in str(told)
