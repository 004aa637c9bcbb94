"""Pure: findings as SARIF 2.1.0 (OASIS), which code hosts show beside the lines of a review."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from ramet.advisor.facts import Place
from ramet.advisor.finding import Finding, Rule

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(findings: Sequence[Finding], rules: Sequence[Rule], *, version: str) -> bytes:
    """The findings as one run of the tool; the fingerprints are those of a baseline."""
    index = {rule.id: position for position, rule in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "ramet advise",
                "version": version,
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, index) for one in findings],
    }
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.id.split("-")),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.remedy},
    }


def _result(finding: Finding, index: dict[str, int]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "level": finding.severity.value,
        "message": {"text": finding.message},
        "partialFingerprints": {"rametFinding/v1": finding.fingerprint},
        "properties": {"evidence": finding.strength.value},
    }
    if finding.rule in index:
        result["ruleIndex"] = index[finding.rule]
    if finding.places:
        first, *rest = finding.places
        result["locations"] = [_location(first)]
        result["relatedLocations"] = [_location(place) | {"id": at} for at, place in enumerate(rest, 1)]
    return result


def _location(place: Place) -> dict[str, Any]:
    """`uri` is relative to the root of the repository, and escaped as RFC 3986 wants it."""
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(place.path), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": max(1, place.line)},
        }
    }
