"""Pure: the report as Markdown, for a pull request or a wiki."""

from __future__ import annotations

from collections.abc import Iterator

from ramet.advisor.phrases import counted
from ramet.advisor.report.advice import Advice
from ramet.advisor.report.figures import figures, located, releases

MOST_FINDINGS = 50


def markdown(advice: Advice) -> str:
    """Everything but the map and the time line."""
    return "\n".join(_lines(advice)) + "\n"


def _lines(advice: Advice) -> Iterator[str]:
    counts = advice.counts
    yield f"# {advice.root}: to split or not to split"
    yield ""
    yield f"**{advice.headline}**"
    yield ""
    yield from (f"- {reason}" for reason in advice.readiness.reasons)
    yield ""
    read = ((counts.modules, "module"), (counts.lines, "line"), (counts.commits, "commit"), (counts.tables, "table"))
    yield f"Read: {', '.join(counted(*one) for one in read)}."
    yield from _candidates(advice)
    yield from _steps(advice)
    yield from _readiness(advice)
    yield from _findings(advice)
    if advice.gaps:
        yield from ("", "## What could not be read", "")
        yield from (f"- {gap.what} ({gap.count}): {gap.why}" for gap in advice.gaps)


def _candidates(advice: Advice) -> Iterator[str]:
    yield from ("", "## What would make good services", "")
    if not advice.candidates:
        yield "No part stands out."
    for number, one in enumerate(advice.candidates, 1):
        yield f"{number}. **{_plain(one.name)}** ({one.strength.value} evidence): " + "; ".join(
            f"{label} {value}" for label, value in figures(one)
        )
        yield from (f"   - {_plain(reason)}" for reason in one.reasons)
    yield from ("", *advice.caveats)
    yield from (f"Left out: {count} {what}." for what, count in advice.left_out if count)


def _steps(advice: Advice) -> Iterator[str]:
    if advice.steps:
        yield from ("", "## What to do, in this order", "")
    for number, step in enumerate(advice.steps, 1):
        yield f"{number}. **{_plain(step.title)}**"
        yield from (f"   - {_plain(line)}" for line in step.lines)


def _readiness(advice: Advice) -> Iterator[str]:
    found = advice.readiness
    score = str(found.least) if found.least == found.most else f"{found.least} to {found.most}"
    yield from ("", f"## Readiness: {score} of 15", "", "| | item | evidence |", "|---|---|---|")
    for item in found.items:
        evidence = (item.evidence or item.source) + located(item.places)
        yield f"| {item.verdict.value} | {item.question} | {_cell(evidence)} |"
    yield from ("", "| sign | points to splitting | evidence |", "|---|---|---|")
    for one in advice.indicators:
        points = "unknown" if one.points is None else "yes" if one.points else "no"
        yield f"| {one.name} | {points} | {_cell(one.evidence + located(one.places))} |"
    yield from ("", "| delivery | | what stands for it |", "|---|---|---|")
    for figure in advice.delivery.figures:
        value = "unknown" if figure.value is None else f"{figure.value:.1f} {figure.unit}"
        yield f"| {figure.name} | {value} | {_cell(figure.proxy)} ({figure.strength.value} evidence) |"
    pattern = (_plain(releases(advice.delivery)),) if advice.delivery.pattern else ()
    yield from ("", *pattern, *advice.delivery.caveats)


def _findings(advice: Advice) -> Iterator[str]:
    yield from ("", f"## Findings ({len(advice.findings)})", "")
    for finding in advice.findings[:MOST_FINDINGS]:
        where = ", ".join(f"`{place.path}:{place.line}`" for place in finding.places[:3])
        yield f"- **{finding.severity.value}** {_plain(finding.message)} {where}".rstrip()
    if len(advice.findings) > MOST_FINDINGS:
        yield f"- and {len(advice.findings) - MOST_FINDINGS} more"


def _plain(text: str) -> str:
    """Text in which nothing of the code base is taken for Markdown."""
    return "".join(f"\\{letter}" if letter in "\\*_[]<>|" else letter for letter in text)


def _cell(text: str) -> str:
    return _plain(text.replace("\n", " "))
