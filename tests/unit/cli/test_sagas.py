"""`ramet sagas`: a list that was cut short says so."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ramet.cli import sagas
from ramet.runtime.operators.requests import SagaList, ServiceSaga
from ramet.sagas.progress import Status
from ramet.sagas.views import SagaSummary
from tests.unit.cli.conftest import Ramet


def test_a_list_that_was_cut_short_says_so(ramet: Ramet, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = SagaSummary(
        id="1", name="Checkout", key="17", status=Status.COMPLETED, at="pay", started=datetime(2030, 1, 1, tzinfo=UTC)
    )
    found = SagaList(sagas=(ServiceSaga(service="orders", saga=summary),))
    monkeypatch.setattr(sagas, "ask", lambda *_: found)
    assert ramet("sagas", "list", "--limit", "1").err == "These are the newest 1: --limit shows more.\n"
    assert ramet("sagas", "list", "--limit", "2").err == ""
