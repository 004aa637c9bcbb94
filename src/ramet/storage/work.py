"""One piece of work as one transaction."""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar, cast

from ramet.errors import DuplicateRow, StorageError
from ramet.storage.base import Conflict, Storage, Unit, Write
from ramet.telemetry.scope import Committed, Scope, current_scope, told_by

T = TypeVar("T")
_AGAIN = 3
"""An eager unit is in nobody's way, except where another program writes to the service's tables."""

Body = Callable[[], Awaitable[T]]
Record = Callable[[T], Iterable[Write]]
"""The rows that record a result."""


async def transact(storage: Storage, scope: Scope, body: Body[T], answer: Record[T] | None = None) -> T:
    """Run `body` as the work `scope`: committed with its deferred rows and its `answer` when it returns.

    Where it raises, everything is rolled back.

    Where another commit has changed what the body had read before its first write, the body is run once more; nothing
    was written by then, and the commands it had called are called with the same keys (docs/decisions, lost updates).
    The same where something is there by now that it was told is not (`Scope.supposed`). A storage that `rehearses` runs
    work with a key once more before, and keeps nothing of it.

    Raises: what the body raises; DuplicateRow where a deferred row or the answer is there already; StorageError;
    CancelledError, with Committed in its `args` when the task was cancelled too late.
    """
    token = current_scope.set(scope)
    try:
        if storage.rehearses and scope.key is not None:
            await _rehearse(storage, scope, body)
        unit = _begin(scope, storage.unit())
        try:
            return await _attempt(unit, body, answer)
        except BaseException as error:
            if not (unit.conflicted or (scope.supposed and isinstance(error, DuplicateRow))):
                raise
        return await _again(storage, scope, body, answer)
    finally:
        current_scope.reset(token)


async def _rehearse(storage: Storage, scope: Scope, body: Body[T]) -> None:
    """Run `body` and keep nothing. Raises: what it raises, which is what it ends with, then."""
    unit = _begin(scope, storage.unit())
    try:
        await body()
    except Conflict:
        pass
    finally:
        await unit.rollback()
    scope.supposed, scope.ran_again = False, True


async def _again(storage: Storage, scope: Scope, body: Body[T], answer: Record[T] | None) -> T:
    scope.supposed, scope.ran_again = False, True
    for _ in range(_AGAIN):
        _may_run_again(scope)
        unit = _begin(scope, storage.unit(eager=True))
        try:
            return await _attempt(unit, body, answer)
        except BaseException:
            if not unit.conflicted:
                raise
    raise StorageError(
        f"{scope.service}.{scope.name} was in the way of other transactions {_AGAIN + 1} times: does another program "
        "write to the tables of this service?"
    )


async def transact_within(
    limit_seconds: float, storage: Storage, scope: Scope, body: Body[T], answer: Record[T] | None = None
) -> T:
    """As `transact`, where nobody else sets a limit: work that hangs would keep the only writer for ever.

    Raises: TimeoutError when the time is up before the commit has begun; everything is rolled back then.
    """
    limit = asyncio.timeout(limit_seconds)
    try:
        async with limit:
            return await transact(storage, scope, body, answer)
    except TimeoutError as error:
        if not limit.expired():
            raise
        late = told_by(error.__cause__, Committed)
        if late is not None and isinstance(scope.unit, Unit) and scope.unit.committed:
            return cast("T", late.result)
        raise TimeoutError(f"it took longer than {limit_seconds:g} s") from error


def _begin(scope: Scope, unit: Unit) -> Unit:
    scope.unit, scope.wrote, scope.calls = unit, False, None
    return unit


def _may_run_again(scope: Scope) -> None:
    if scope.key is None and scope.calls:
        raise StorageError(
            f"{scope.service}.{scope.name} had called {', '.join(scope.calls)} before its first write, when another "
            "commit changed what it had read: call it with an idempotency key, so that it can be run again."
        )


async def _attempt(unit: Unit, body: Body[T], answer: Record[T] | None) -> T:
    try:
        result = await body()
        if unit.conflicted:
            raise Conflict
        if answer is not None:
            for write in answer(result):
                unit.defer(write)
        try:
            await unit.commit()
        except CancelledError:
            if unit.committed:
                raise CancelledError(Committed(result)) from None
            raise
    except BaseException as error:
        await unit.rollback()
        if (told := unit.translated(error)) is not error:
            raise told from error
        raise
    return result
