"""Pure: what history says of coupling: files of different parts that change together, people who work on both.

Change coupling is that of code-maat (A. Tornhill, Your Code as a Crime Scene, 2015), with its default thresholds: the
degree of two files is 100 times their shared revisions by the mean of their revisions.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations

from ramet.advisor.coupling.kinds import Coupled, CouplingKind
from ramet.advisor.facts import LARGEST_COMMIT, Facts, Place
from ramet.advisor.people import by_people, people_of
from ramet.advisor.phrases import counted, verb

FEWEST_REVISIONS = 5
FEWEST_SHARED = 5
LEAST_DEGREE = 30.0
YEAR_SECONDS = 365.25 * 86_400
FEWEST_COMMITS = 3  # of one person in one part, within a year, to count as working on it
EXAMPLES = 5


def changed_together(facts: Facts, parts: Mapping[str, str]) -> tuple[list[Coupled], tuple[str, ...]]:
    """Pairs of files in different parts above the thresholds; and in words, what the thresholds kept out."""
    revisions: Counter[str] = Counter()
    shared: Counter[tuple[str, str]] = Counter()
    large = 0
    for commit in by_people(facts.commits):
        if commit.is_large:
            large += 1
            continue
        files = [one for one in commit.files if one in parts]
        revisions.update(files)
        shared.update(pair for pair in combinations(files, 2) if parts[pair[0]] != parts[pair[1]])
    kept, below = [], 0
    for (one, other), count in shared.items():
        mean = (revisions[one] + revisions[other]) / 2
        degree = 100 * count / mean
        if count < FEWEST_SHARED or mean < FEWEST_REVISIONS or degree < LEAST_DEGREE:
            below += 1
            continue
        kept.append(
            _pair(
                (one, other),
                parts,
                degree,
                f"{count} common commits of {mean:g} on average, in commits of {LARGEST_COMMIT} files or fewer",
            )
        )
    ignored = []
    if large:
        ignored.append(f"{large} commits of more than {LARGEST_COMMIT} files were ignored")
    if below:
        ignored.append(
            f"{below} pairs of files changed together less than {FEWEST_SHARED} times or in {LEAST_DEGREE:g} % of cases"
        )
    return kept, tuple(ignored)


def _pair(files: tuple[str, str], parts: Mapping[str, str], degree: float, how: str) -> Coupled:
    one, other = sorted(files, key=lambda path: (parts[path], path))
    return Coupled(
        kind=CouplingKind.CHANGE,
        source=parts[one],
        target=parts[other],
        measure=round(degree, 1),
        what=f"{one} and {other} change together: {how}",
        places=(Place(path=one, line=1), Place(path=other, line=1)),
    )


def same_people(facts: Facts, parts: Mapping[str, str]) -> Iterator[Coupled]:
    """Pairs of parts on which the same people worked in the last year of the history: shared authors by all authors."""
    newest = max((one.at for one in facts.commits), default=0.0)
    work: dict[str, Counter[str]] = defaultdict(Counter)
    touched: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for commit in facts.commits:
        if commit.at < newest - YEAR_SECONDS or commit.is_large:
            continue
        files = [one for one in commit.files if one in parts]
        for author in people_of(commit):
            for part in {parts[one] for one in files}:
                work[part][author] += 1
            for file in files:
                touched[parts[file], author][file] += 1
    people = {
        part: {name for name, count in counts.items() if count >= FEWEST_COMMITS} for part, counts in work.items()
    }
    for one, other in combinations(sorted(people), 2):
        both, all_ = people[one] & people[other], people[one] | people[other]
        if both:
            places = tuple(_most_touched(part, both, touched) for part in (one, other))
            who = f"{len(both)} of {counted(len(all_), 'author')} {verb(len(both), 'works', 'work')}"
            what = f"{who} on both: {', '.join(sorted(both)[:EXAMPLES])}"
            measure = round(100 * len(both) / len(all_), 1)
            yield Coupled(kind=CouplingKind.TEAM, source=one, target=other, measure=measure, what=what, places=places)


def _most_touched(part: str, people: set[str], touched: Mapping[tuple[str, str], Counter[str]]) -> Place:
    """The file of a part that these people change most."""
    total: Counter[str] = Counter()
    for name in people:
        total.update(touched.get((part, name), {}))
    return Place(path=min(total, key=lambda path: (-total[path], path)), line=1)
