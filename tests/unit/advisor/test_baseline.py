"""A baseline lets known findings pass, and never grows by itself."""

from __future__ import annotations

import pytest

from ramet.advisor.baseline import baseline_of, compare, decode, encode
from ramet.advisor.finding import Finding
from ramet.errors import ConfigurationError
from tests.unit.advisor.invented import at


def finding(subject: str, line: int = 1) -> Finding:
    return Finding(rule="r", subject=(subject,), message=f"About {subject}.", places=(at("a.py", line),))


def test_only_what_is_new_is_new() -> None:
    known = decode(encode(baseline_of([finding("a"), finding("b")])), "file")
    compared = compare([finding("b", line=99), finding("c")], known)
    assert [one.subject for one in compared.new] == [("c",)]
    assert [one.message for one in compared.gone] == ["About a."]


def test_a_finding_keeps_its_fingerprint_when_lines_move() -> None:
    assert finding("a", 1).fingerprint == finding("a", 2).fingerprint != finding("b", 1).fingerprint


def test_the_same_findings_in_any_order_are_the_same_file() -> None:
    one, other = [finding("a"), finding("b")], [finding("b"), finding("a")]
    assert encode(baseline_of(one)) == encode(baseline_of(other))


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b'{"known": 3}'])
def test_what_is_no_baseline_is_told(data: bytes) -> None:
    with pytest.raises(ConfigurationError, match=r"known\.json is no baseline"):
        decode(data, "known.json")


def test_another_format_is_told() -> None:
    with pytest.raises(ConfigurationError, match='has the format "x"'):
        decode(b'{"format": "x"}', "known.json")
