"""SARIF is what code hosts take: rules, places with escaped paths, fingerprints."""

from __future__ import annotations

import json

from ramet.advisor.antipatterns.rules import RULES
from ramet.advisor.finding import Finding, Severity
from ramet.advisor.report.sarif import sarif
from tests.unit.advisor.invented import at


def test_a_finding_is_a_result_with_its_rule_and_places() -> None:
    finding = Finding(
        rule="shared-database",
        subject=("orders",),
        message="The table is shared.",
        severity=Severity.ERROR,
        places=(at("a b/ü.py", 3), at("c.py", 0)),
    )
    (run,) = json.loads(sarif([finding], RULES, version="1.2"))["runs"]
    (result,) = run["results"]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "shared-database"
    assert result["level"] == "error"
    assert result["partialFingerprints"] == {"rametFinding/v1": finding.fingerprint}
    places = [one["physicalLocation"] for one in (*result["locations"], *result["relatedLocations"])]
    assert [(one["artifactLocation"]["uri"], one["region"]["startLine"]) for one in places] == [
        ("a%20b/%C3%BC.py", 3),
        ("c.py", 1),
    ]


def test_no_findings_are_a_valid_run() -> None:
    assert json.loads(sarif([], RULES, version="1.2"))["runs"][0]["results"] == []
