"""Pure: a baseline: the findings a team knows of, so that only new ones fail a build.

It is a ratchet: a finding that is gone leaves the baseline when that is written anew, and none enters it silently.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ramet.advisor.facts import Fact
from ramet.advisor.finding import Finding
from ramet.errors import ConfigurationError

FORMAT = "ramet.advice-baseline/1"


class Known(Fact):
    """A finding as a baseline remembers it; the message is for people, the fingerprint decides."""

    fingerprint: str
    rule: str
    message: str


class Baseline(Fact):
    """What a team knows of."""

    format: str = ""
    known: tuple[Known, ...] = ()


class Compared(Fact):
    """What is new, and what is gone."""

    new: tuple[Finding, ...]
    gone: tuple[Known, ...]


def baseline_of(findings: Sequence[Finding]) -> Baseline:
    """A baseline that knows exactly these findings."""
    known = [Known(fingerprint=one.fingerprint, rule=one.rule, message=one.message) for one in findings]
    return Baseline(format=FORMAT, known=tuple(sorted(known, key=lambda one: (one.rule, one.fingerprint))))


def compare(findings: Sequence[Finding], baseline: Baseline) -> Compared:
    """What has changed since the baseline was written."""
    known = {one.fingerprint for one in baseline.known}
    found = {one.fingerprint for one in findings}
    return Compared(
        new=tuple(one for one in findings if one.fingerprint not in known),
        gone=tuple(one for one in baseline.known if one.fingerprint not in found),
    )


def encode(baseline: Baseline) -> bytes:
    """As a file: JSON, a finding a line, so that changes are readable."""
    return msgspec.json.format(msgspec.json.encode(baseline), indent=1) + b"\n"


def decode(data: bytes, name: str) -> Baseline:
    """Raises: ConfigurationError where the file `name` is no baseline of this format."""
    try:
        found = msgspec.json.decode(data, type=Baseline)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ConfigurationError(f"{name} is no baseline: {error}. Write one with --write-baseline.") from error
    if not found.format:
        raise ConfigurationError(f"{name} is no baseline: it names no format. Write one with --write-baseline.")
    if found.format != FORMAT:
        raise ConfigurationError(f'{name} has the format "{found.format}"; this release reads "{FORMAT}".')
    return found
