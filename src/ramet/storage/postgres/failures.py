"""PostgreSQL's errors as ours: what they say about the transaction, with the place and the remedy."""

from __future__ import annotations

import ssl

import asyncpg

from ramet.errors import CommitUnknown, DuplicateRow, StorageError, StorageRefused, StorageUnavailable, system_words

FAILURES = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    UnicodeError,
    OverflowError,
)
"""What using a connection may raise."""

_CONFLICTS, _UNSUPPORTED = ("40001", "40P01"), "0A000"
"""Serialisation failure and deadlock; and, for want of codes, a statement that outlived its table, and a standby."""
_LOST = ("08", "25P03", "25P04", "57P", "53300", "58")
_SCARCE, _FULL = "53", "53100"
_REFUSED = ("25006", "28", "3D", "42501")
_NO_TLS = "rejected SSL upgrade"  # of asyncpg, which has no class for it
_REMEDIES = {
    "25006": "it is a standby or made to read only, so name the primary",
    "26": "something executed DEALLOCATE or DISCARD on the connection, which is replaced, so leave that out",
    "28": "check the user, its password and pg_hba.conf",
    "3D": "create the database with `ramet db provision -d DEPLOYMENT`",
    "3F": "create the schema with `ramet db provision -d DEPLOYMENT`",
    "42501": "give the role the right, with `ramet db provision -d DEPLOYMENT`",
    "57014": "the transaction was rolled back; give it more time with statement_timeout of the role",
    "55P03": "others have been using the table all the time, so do it again later",
    _FULL: "make room on the server's disk",
    "53300": "raise max_connections of the server, or start fewer processes",
}


def sqlstate(error: BaseException | None) -> str:
    """PostgreSQL's code for an error; also of one that SQLAlchemy has wrapped."""
    error = getattr(error, "orig", None) or error
    return str(getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or "")


def is_conflict(error: BaseException) -> bool:
    """Whether running the transaction again, from its beginning, may go well."""
    state = sqlstate(error)
    return state in _CONFLICTS or (state == _UNSUPPORTED and "cached" in str(error))


def is_blocked(error: BaseException) -> bool:
    """Whether a lock was waited for, for as long as there was time."""
    return sqlstate(error) == "55P03"


def is_inherited(error: BaseException) -> bool:
    """Whether the connection was in a transaction that had failed: who had it before has not ended that yet."""
    return sqlstate(error) == "25P02"


def is_bare(error: BaseException) -> bool:
    """Whether the server knows a prepared statement no more: somebody has made it forget them."""
    return sqlstate(error) == "26000"


def is_gone(error: BaseException) -> bool:
    """Whether the connection is of no use any more, and another one may be."""
    cause = error.__cause__ if isinstance(error, StorageError) else error
    return cause is not None and (is_lost(cause) or is_bare(cause))


def is_lost(error: BaseException) -> bool:
    """Whether the connection is gone, or there was none to be had."""
    if _is_wrongly_secured(error):
        return False
    if isinstance(error, (OSError, asyncpg.InternalClientError)) or sqlstate(error).startswith(_LOST):
        return True
    return isinstance(error, asyncpg.InterfaceError) and "connection" in str(error)


def is_away(error: BaseException) -> bool:
    """Whether nothing can be done there for now, and that is no fault of who has tried."""
    return is_lost(error) or is_refused(error) or sqlstate(error).startswith(_SCARCE)


def is_refused(error: BaseException) -> bool:
    """Whether the server is there, and has withdrawn the login or a right, or has never given that, or is read only."""
    return sqlstate(error).startswith(_REFUSED) or _is_standby(error)


def _is_standby(error: BaseException) -> bool:
    """Whether it cannot be serialisable, which has no code of its own."""
    return sqlstate(error) == _UNSUPPORTED and "standby" in str(error)


def _is_wrongly_secured(error: BaseException) -> bool:
    """Whether TLS is what kept us from connecting: asking again helps nobody."""
    return isinstance(error, ssl.SSLError | asyncpg.exceptions.ClientConfigurationError) or _NO_TLS in str(error)


def _remedy(error: BaseException) -> str | None:
    if _NO_TLS in str(error):
        return "it has no TLS, so give it a certificate or say sslmode=disable"
    if _is_wrongly_secured(error):
        return "name the authority that is trusted with ?sslrootcert=FILE, and the host as the certificate does"
    state = "25006" if _is_standby(error) else sqlstate(error)
    return next((remedy for start, remedy in _REMEDIES.items() if state.startswith(start)), None)


def reason(error: BaseException) -> str:
    """Why it failed, in one line: the server's words, or the system's without numbers and every address tried."""
    if isinstance(error, asyncpg.InternalClientError):  # which says what state the driver was in, and not why
        return "the connection broke"
    if isinstance(error, OSError):
        return system_words(error)
    return str(getattr(error, "orig", None) or error).strip().split("\n")[0] or type(error).__name__


def unreachable(error: BaseException, service: str, place: str) -> StorageUnavailable:
    """The error of a connection that could not be made: nothing was asked for yet, so nothing is said of a commit."""
    remedy = _remedy(error) or "see whether PostgreSQL runs there"
    return StorageUnavailable(f"The storage of {service} cannot be reached at {place} ({reason(error)}): {remedy}.")


def failure(error: BaseException, location: str, *, committing: bool = False) -> StorageError:
    """The error as ours: one sentence with the place and the remedy. `committing`: COMMIT had been sent."""
    text = reason(error)
    if sqlstate(error) == "23505":
        return DuplicateRow(f"A row is there already in {location}: {text}.")
    if is_lost(error) and committing and not isinstance(error, asyncpg.InterfaceError):  # which was never sent
        return CommitUnknown(
            f"The connection to {location} was lost during a commit ({text}): the transaction may or may not be "
            "durable. With an idempotency key the work may be repeated."
        )
    remedy = _remedy(error)
    if is_lost(error):
        remedy = remedy or "see whether the server runs; it is tried again"
        return StorageUnavailable(f"PostgreSQL at {location} is not there ({text}), nothing was committed: {remedy}.")
    kind: type[StorageError] = StorageError
    if is_away(error) or is_blocked(error):
        kind = StorageRefused if is_refused(error) else StorageUnavailable
    return kind(f"PostgreSQL failed on {location} ({text}): {remedy or 'the transaction was rolled back'}.")
