"""Runtime traces as facts: OTLP in JSON, a document or one a line, summed up for each pair of services or modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ramet.advisor.facts import Call, Gap

LARGEST = 256_000_000
SIZES = (
    "http.request.body.size",
    "http.response.body.size",
    "http.request_content_length",
    "http.response_content_length",
    "rpc.request.size",
    "rpc.response.size",
    "messaging.message.body.size",
    "message.uncompressed_size",
)


class Span(NamedTuple):
    """A span as far as it matters here; `where` is its module if it says so, else its service."""

    trace: str
    id: str
    parent: str
    name: str
    service: str
    where: str
    milliseconds: float
    bytes: int


def read_traffic(paths: tuple[Path, ...]) -> tuple[tuple[Call, ...], tuple[Gap, ...]]:
    """Calls between services, or between modules where spans name them (`code.filepath`, `code.namespace`)."""
    spans: list[Span] = []
    gaps: list[Gap] = []
    for path in paths:
        try:
            if path.stat().st_size > LARGEST:
                gaps.append(Gap(what=f"Traces in {path.name}", why=f"the file has more than {LARGEST:,} bytes"))
                continue
            found = spans_of(path.read_bytes())
            if not found:
                gaps.append(Gap(what=f"Traces in {path.name}", why="no span was found in it: OTLP in JSON is expected"))
            spans += found
        except (OSError, ValueError, RecursionError, msgspec.MsgspecError) as error:
            gaps.append(Gap(what=f"Traces in {path.name}", why=f"they could not be read: {error}"))
    return summed(spans), tuple(gaps)


def spans_of(data: bytes) -> list[Span]:
    """The spans of one file. Raises: ValueError, if it is no JSON."""
    try:
        documents = [msgspec.json.decode(data)]
    except msgspec.DecodeError:  # a document a line, as the collector's file exporter writes it
        documents = [msgspec.json.decode(line) for line in data.splitlines() if line.strip()]
    return [span for document in documents for span in _spans(document)]


def summed(spans: list[Span]) -> tuple[Call, ...]:
    """Each span with its nearest ancestor elsewhere: counts, mean latency, bytes; sorted."""
    known = {(span.trace, span.id): span for span in spans}
    found: dict[tuple[str, str, str], list[float]] = {}
    for span in spans:
        above = known.get((span.trace, span.parent))
        if above is None or above.where == span.where:
            continue
        total = found.setdefault((above.where, span.where, span.name), [0, 0.0, 0])
        total[0] += 1
        total[1] += span.milliseconds
        total[2] += span.bytes or (above.bytes if above.service != span.service else 0)
    return tuple(
        Call(
            source=source,
            target=target,
            operation=name,
            count=int(count),
            mean_ms=round(sum_ / count, 3),
            bytes=int(size),
        )
        for (source, target, name), (count, sum_, size) in sorted(found.items())
    )


def _spans(document: Any) -> Iterator[Span]:
    for resource in _list(document, "resourceSpans"):
        service = str(_attributes(_dict(resource, "resource")).get("service.name", ""))
        for scope in _list(resource, "scopeSpans") or _list(resource, "instrumentationLibrarySpans"):
            for span in _list(scope, "spans"):
                if isinstance(span, dict):
                    yield _span(span, service)


def _span(span: dict[str, Any], service: str) -> Span:
    attributes = _attributes(span)
    where = attributes.get("code.file.path") or attributes.get("code.filepath") or attributes.get("code.namespace")
    begin, end = _number(span.get("startTimeUnixNano")), _number(span.get("endTimeUnixNano"))
    return Span(
        trace=str(span.get("traceId", "")),
        id=str(span.get("spanId", "")),
        parent=str(span.get("parentSpanId", "")),
        name=str(span.get("name", "")),
        service=service,
        where=str(where or service),
        milliseconds=max(0.0, (end - begin) / 1e6),
        bytes=int(sum(_number(attributes.get(name)) for name in SIZES)),
    )


def _attributes(holder: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for pair in _list(holder, "attributes"):
        value = _dict(pair, "value")
        if value:
            found[str(pair.get("key", ""))] = next(iter(value.values()))
    return found


def _list(holder: Any, key: str) -> list[Any]:
    value = holder.get(key) if isinstance(holder, dict) else None
    return value if isinstance(value, list) else []


def _dict(holder: Any, key: str) -> dict[str, Any]:
    value = holder.get(key) if isinstance(holder, dict) else None
    return value if isinstance(value, dict) else {}


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return number if abs(number) < 1e30 else 0.0
