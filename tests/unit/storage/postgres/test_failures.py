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


def test_a_connection_that_broke_in_the_middle_is_told_without_the_states_of_the_driver() -> None:
    error = asyncpg.exceptions.InternalClientError("cannot switch to state 12; another operation (2) is in progress")
    assert is_lost(error)
    assert "(the connection broke), nothing was committed" in str(failure(error, "here"))
