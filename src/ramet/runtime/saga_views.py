"""Sagas as operators see them, read from the journal in one service's database."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec

from ramet.runtime.requests import ListSagas, SagaDetail, SagaEntry, SagaRow, StepTrouble
from ramet.sagas.journal import COLUMNS, Journal, SavedSaga, troubles
from ramet.storage.base import Storage

_COUNT = "SELECT status, COUNT(*) FROM ramet_saga GROUP BY status ORDER BY status"
_BY_NAME = "SELECT id FROM ramet_saga WHERE name = ? AND business_key = ?"


async def count_sagas(storage: Storage) -> dict[str, int]:
    """How many there are, by status."""
    return dict(await storage.fetch(_COUNT))  # type: ignore[arg-type]  # two columns


async def list_sagas(storage: Storage, request: ListSagas) -> list[SagaRow]:
    """The newest that fit the request."""
    given = {"s.status": request.status, "s.name": request.name, "s.business_key": request.key}
    wanted = {column: value for column, value in given.items() if value is not None}
    where = " AND ".join(f"{column} = ?" for column in wanted) or "1 = 1"
    sql = f"SELECT {COLUMNS} FROM ramet_saga s WHERE {where} ORDER BY s.started_at DESC, s.id DESC LIMIT ?"
    rows = await storage.fetch(sql, *wanted.values(), request.limit)
    return [_row(storage.service, SavedSaga(*row)) for row in rows]


async def find_saga(storage: Storage, saga: str) -> SagaDetail | None:
    """One saga by its id, or by "Name/key"; None when it is not in this database."""
    name, slash, key = saga.partition("/")
    if slash:
        found = await storage.fetch(_BY_NAME, name, key)
        saga = found[0][0] if found else ""
    saved = await Journal(storage).load(saga) if saga else None
    return None if saved is None else _detail(storage.service, saved)


def _row(service: str, saved: SavedSaga) -> SagaRow:
    return SagaRow(
        service=service,
        id=saved.id,
        name=saved.name,
        key=saved.key,
        status=saved.status,
        started_at=saved.started_at,
        ended_at=saved.ended_at,
        reason=saved.reason,
        troubles=tuple(
            StepTrouble(step=step, attempts=trouble.attempts, error=trouble.error, retry_at=trouble.retry_at or None)
            for step, trouble in troubles(saved.trouble).items()
        ),
    )


def _detail(service: str, saved: SavedSaga) -> SagaDetail:
    log = tuple(SagaEntry(n=n, kind=kind, step=step, at=at, data=_json(data)) for n, kind, step, data, at in saved.log)
    states = [entry.data for entry in log if entry.kind in ("did", "undid") and isinstance(entry.data, dict)]
    return SagaDetail(saga=_row(service, saved), state=states[-1] if states else _json(saved.state), log=log)


def _json(text: str | None) -> Any:
    """What is stored as JSON, as plain values; what is text stays text."""
    with contextlib.suppress(msgspec.DecodeError, TypeError):
        return msgspec.json.decode(text or "")
    return text
