"""Pure: the same figures for a cut that somebody has in mind."""

from __future__ import annotations

from collections.abc import Sequence

from ramet.advisor.boundaries.evidence import Evidence
from ramet.advisor.boundaries.graph import build
from ramet.advisor.boundaries.proposals import Proposal
from ramet.advisor.boundaries.values import Candidate, Origin
from ramet.advisor.facts import Facts
from ramet.errors import ConfigurationError


def cut(facts: Facts, paths: Sequence[str]) -> Candidate:
    """What it would mean to make these folders and files, relative to the root, one service.

    Raises: ConfigurationError, if one of them holds no Python code, or if nothing would stay.
    """
    evidence = Evidence(facts, build(facts))
    plain = tuple(path.strip("/").removeprefix("./") for path in paths)
    modules: set[str] = set()
    for path in plain:
        below = {one for one in evidence.code if one == path or one.startswith(f"{path}/")}
        if not below:
            raise ConfigurationError(f"No Python module was found at {path}; name folders or files below the root.")
        modules |= below
    if not modules or len(modules) == len(evidence.code):
        raise ConfigurationError("The cut takes everything or nothing; name some of the folders below the root.")
    found = Proposal(" + ".join(plain), Origin.CUT, plain, frozenset(modules))
    return evidence.candidate(found, evidence.score(found.modules))
