"""Traces become calls between services or modules."""

from __future__ import annotations

import json
from pathlib import Path

from ramet.advisor.history.traffic import read_traffic


def span(id_: str, parent: str, milliseconds: int, **attributes: object) -> dict[str, object]:
    return {
        "traceId": "t",
        "spanId": id_,
        "parentSpanId": parent,
        "name": "pay",
        "startTimeUnixNano": "1000000",
        "endTimeUnixNano": str(1_000_000 + milliseconds * 1_000_000),
        "attributes": [
            {"key": key.replace("_", "."), "value": {"intValue": str(value)}} for key, value in attributes.items()
        ],
    }


def document(service: str, *spans: dict[str, object]) -> dict[str, object]:
    name = [{"key": "service.name", "value": {"stringValue": service}}]
    return {"resourceSpans": [{"resource": {"attributes": name}, "scopeSpans": [{"spans": list(spans)}]}]}


def test_calls_between_services_are_counted_with_their_latency_and_payload(tmp_path: Path) -> None:
    shop = document("shop", span("a", "", 50), span("b", "a", 40))
    bank = document("bank", span("c", "b", 10, rpc_request_size=100), span("d", "b", 20, rpc_request_size=60))
    (tmp_path / "one.jsonl").write_text(f"{json.dumps(shop)}\n{json.dumps(bank)}\n")
    calls, gaps = read_traffic((tmp_path / "one.jsonl",))
    assert [(one.source, one.target, one.count, one.mean_ms, one.bytes) for one in calls] == [
        ("shop", "bank", 2, 15.0, 160)
    ]
    assert not gaps


def test_files_that_are_no_traces_are_gaps_or_empty(tmp_path: Path) -> None:
    texts = ["nonsense", "{", "[]", "[1]", '{"resourceSpans": [{"scopeSpans": [{"spans": [1, {"attributes": 3}]}]}]}']
    for number, text in enumerate(texts):
        (tmp_path / str(number)).write_text(text)
    calls, gaps = read_traffic((*(tmp_path / str(number) for number in range(5)), tmp_path / "missing"))
    assert not calls
    assert len(gaps) == 5
