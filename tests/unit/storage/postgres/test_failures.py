"""What an error of PostgreSQL means for the caller."""

from __future__ import annotations

import asyncpg
import pytest

from ramet.errors import StorageError, StorageRefused, StorageUnavailable
from ramet.storage.postgres.failures import failure, is_away, is_blocked, is_gone, is_lost, reason, unreachable


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


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 5432)"), "connection refused"),
        (
            OSError("Multiple exceptions: [Errno 111] Connect call failed ('::1', 1), [Errno 111] …"),
            "connection refused",
        ),
        (ConnectionError("no answer within 5 s"), "no answer within 5 s"),
    ],
)
def test_the_system_is_quoted_without_its_numbers(error: OSError, told: str) -> None:
    assert reason(error) == told


def test_a_server_that_cannot_be_reached_is_told_by_service_and_place_and_no_commit_is_spoken_of() -> None:
    told = unreachable(ConnectionRefusedError(111, "Connection refused"), "orders", "db:5432")
    assert str(told) == (
        "The storage of orders cannot be reached at db:5432 (connection refused): see whether PostgreSQL runs there."
    )


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (asyncpg.exceptions.ReadOnlySQLTransactionError("cannot execute UPDATE"), StorageRefused),
        (asyncpg.exceptions.FeatureNotSupportedError("cannot use serializable mode in a hot standby"), StorageRefused),
        (asyncpg.exceptions.FeatureNotSupportedError("cached plan must not change result type"), StorageError),
        (asyncpg.exceptions.InvalidPasswordError("password authentication failed"), StorageRefused),
        (asyncpg.exceptions.InvalidAuthorizationSpecificationError("role may not log in"), StorageRefused),
        (asyncpg.exceptions.InsufficientPrivilegeError("permission denied for table"), StorageRefused),
        (asyncpg.exceptions.InvalidCatalogNameError("database does not exist"), StorageRefused),
        (asyncpg.exceptions.OutOfMemoryError("out of memory"), StorageUnavailable),
        (asyncpg.exceptions.TooManyConnectionsError("too many connections"), StorageUnavailable),
        (asyncpg.exceptions.LockNotAvailableError("canceling statement due to lock timeout"), StorageUnavailable),
        (asyncpg.exceptions.QueryCanceledError("canceling statement due to statement timeout"), StorageError),
        (asyncpg.exceptions.UndefinedTableError("relation does not exist"), StorageError),
    ],
)
def test_what_an_administrator_has_changed_is_nobodys_fault_and_what_a_statement_does_wrong_is(
    error: Exception, kind: type[StorageError]
) -> None:
    assert type(failure(error, "here")) is kind
    assert (is_away(error) or is_blocked(error)) is issubclass(kind, StorageUnavailable)


def test_a_connection_whose_server_refuses_is_as_good_as_any_other() -> None:
    for error, gone in (
        (asyncpg.exceptions.ReadOnlySQLTransactionError("cannot execute UPDATE"), False),
        (asyncpg.exceptions.DiskFullError("could not extend file"), False),
        (asyncpg.exceptions.AdminShutdownError("terminating connection"), True),
        (asyncpg.exceptions.InvalidSQLStatementNameError("prepared statement does not exist"), True),
    ):
        told = failure(error, "here")
        told.__cause__ = error
        assert is_gone(error) is is_gone(told) is gone
