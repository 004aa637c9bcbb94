"""`python -m benchmarks.advisor --repos FOLDER`: measure, write the results, print the tables."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from time import process_time

from benchmarks import report
from benchmarks.advisor.rivals import RIVALS
from benchmarks.advisor.truth import Applications, Split, applications, hidden, removals, splits
from benchmarks.machine import stamp
from benchmarks.measure import Row
from ramet.advisor.boundaries.candidates import BoundaryOptions, boundaries
from ramet.advisor.boundaries.graph import belongs
from ramet.advisor.boundaries.metrics import adjusted_rand, f1, mojo_fm
from ramet.advisor.boundaries.values import Candidate, Origin
from ramet.advisor.facts import Facts
from ramet.advisor.read import read_facts

MISSING = "This benchmark cannot download: give it --repos FOLDER with clones (whole history) of: {}. Missing: {}."
FLOORS = {"ARI": 0.5, "MoJoFM": 70.0, "best F1": 0.89, "hit@5": 3 / 8}
HIT = 0.5
"""A candidate whose F1 with the files that left is at least this is a hit."""


def main() -> int:
    """Measure everything there is a clone for. 2 where none is."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.advisor", description=__doc__)
    parser.add_argument("--repos", type=Path, required=True, help="folder of clones, named as in applications.json")
    parser.add_argument("--only", choices=["applications", "splits", "removals"], help="one part of it")
    options = parser.parse_args()
    wanted = sorted({one.name for _, one in applications()} | {one.clone for one in (*splits(), *removals())})
    missing = [name for name in wanted if not (options.repos / name / ".git").exists()]
    if missing:
        print(MISSING.format(", ".join(wanted), ", ".join(missing)), file=sys.stderr)
    if len(missing) == len(wanted):
        return 2
    rows: list[Row] = []
    if options.only in {None, "applications"}:
        rows += _applications(options.repos)
        rows += _speed(options.repos)
    if options.only in {None, "removals"}:
        rows += _splits(options.repos, removals(), "removals, tuned")
    if options.only in {None, "splits"}:
        rows += _splits(options.repos, splits(), "real splits")
    if not options.only and not missing:
        report.save("advisor", rows)
    print(report.as_table(rows))
    return 0


def _applications(repos: Path) -> list[Row]:
    halves: dict[str, dict[str, list[tuple[float, float]]]] = {"tuned": {}, "held out": {}, "fresh": {}}
    for half, project in applications():
        if not (repos / project.name).is_dir():
            continue
        facts = read_facts(repos / project.name)
        line = f"{project.name:18} {half:9}"
        for name, found in _rivals(project, facts).items():
            halves[half].setdefault(name, []).append(found)
            line += f" | {name} ARI {found[0]:.3f} MoJoFM {found[1]:.1f}"
        print(line, flush=True)
    rows = []
    for half, rivals in halves.items():
        if not rivals:
            continue
        for index, (measure, unit) in enumerate((("ARI", ""), ("MoJoFM", "%"))):
            values = {name: [one[index] for one in found] for name, found in rivals.items()}
            peer = max((name for name in values if name != "ramet"), key=lambda name: mean(values[name]))
            rows.append(
                _row(
                    f"hidden applications, {half}: {measure}",
                    unit,
                    values["ramet"],
                    (peer, values[peer]),
                    FLOORS[measure],
                )
            )
    return rows


def _speed(repos: Path) -> list[Row]:
    """CPU seconds from the facts to the candidates, for the largest project."""
    if not (repos / "saleor").is_dir():
        return []
    facts = read_facts(repos / "saleor")
    seconds = []
    for _ in range(3):
        begun = process_time()
        boundaries(facts)
        seconds.append(process_time() - begun)
    lines = sum(one.lines for one in facts.modules)
    return [_row(f"boundaries of saleor ({lines:,} lines), CPU", "s", seconds, None, None)]


def _rivals(project: Applications, facts: Facts) -> dict[str, tuple[float, float]]:
    blank, paths = hidden(facts)
    labels = project.labels(one.path for one in facts.modules if belongs(one))
    known = sorted(labels)
    truth = [labels[path] for path in known]
    found = {}
    for name, rival in RIVALS.items():
        parts = {paths[path]: part for path, part in rival(blank).items()}
        guess = [parts[path] for path in known]
        found[name] = (adjusted_rand(guess, truth), mojo_fm(guess, truth))
    return found


def _splits(repos: Path, truths: Sequence[Split], title: str) -> list[Row]:
    best: dict[str, list[float]] = {"all": [], "folders": [], "clusters": []}
    hits: list[float] = []
    ranks: list[float] = []
    for split in truths:
        if not (repos / split.clone).is_dir():
            continue
        with tempfile.TemporaryDirectory() as folder:
            ranked = _candidates(repos / split.clone, split, Path(folder))
        scores = [(one.origin, f1(set(one.modules), truth)) for one, truth in ranked]
        first = next((rank for rank, (_, score) in enumerate(scores, 1) if score >= HIT), None)
        best["all"].append(max((score for _, score in scores), default=0.0))
        best["folders"].append(max((score for origin, score in scores if origin is Origin.FOLDER), default=0.0))
        best["clusters"].append(max((score for origin, score in scores if origin is Origin.CLUSTER), default=0.0))
        hits.append(float(first is not None and first <= 5))
        ranks.append(1 / first if first else 0.0)
        line = f"best F1 {best['all'][-1]:.2f}, folders {best['folders'][-1]:.2f}, clusters {best['clusters'][-1]:.2f}"
        print(f"{split.name:30} {line}, first hit at {first} of {len(scores)}", flush=True)
    floors = {} if "tuned" in title else FLOORS
    return [
        _row(f"{title}: best F1", "", best["all"], ("folders only", best["folders"]), floors.get("best F1")),
        _row(f"{title}: hit@5", "", hits, None, floors.get("hit@5")),
        _row(f"{title}: MRR", "", ranks, None, None),
    ]


def _candidates(clone: Path, split: Split, folder: Path) -> list[tuple[Candidate, set[str]]]:
    """All candidates at the cut, the best first, each with the files that left and are code."""
    _git("clone", "--quiet", "--shared", "--no-checkout", str(clone), str(folder))
    _git("-C", str(folder), "update-ref", "--no-deref", "HEAD", split.cut)
    _git("-C", str(folder), "checkout", "--quiet", "--force", "HEAD", "--", "*.py")
    facts = read_facts(folder)
    code = {one.path for one in facts.modules if one.role not in {"tests", "migrations"}}
    found = boundaries(facts, options=BoundaryOptions(most=10_000))
    return [(one, set(split.left) & code) for one in found.candidates]


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True, capture_output=True)


def _row(
    measure: str, unit: str, own: Sequence[float], peer: tuple[str, Sequence[float]] | None, floor: float | None
) -> Row:
    """Means over the projects; `rounds` is their number."""
    made = stamp()
    value = round(mean(own), 4)
    other = round(mean(peer[1]), 4) if peer else None
    return Row(
        measure=measure,
        value=value,
        unit=unit,
        peer=peer[0] if peer else None,
        peer_value=other,
        ratio=round(value / other, 2) if other else None,
        rounds=len(own),
        date=made.date,
        machine=made.machine,
        minimum=round(min(own), 4),
        maximum=round(max(own), 4),
        target=f"≥ {floor:.3g}" if floor else None,
        met=value >= floor if floor else None,
    )


if __name__ == "__main__":
    sys.exit(main())
