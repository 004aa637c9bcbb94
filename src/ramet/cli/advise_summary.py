"""What `ramet advise` says on one screen."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ramet.cli import output

if TYPE_CHECKING:
    from ramet.advisor.candidates_values import Candidate
    from ramet.advisor.report.advice import Advice

COLOURS = {"strong": "green", "moderate": "yellow", "weak": "dim", "error": "red", "warning": "yellow", "note": "dim"}
SHOWN_CANDIDATES = 5
SHOWN_FINDINGS = 6
SHOWN_REASONS = 3


def show(advice: Advice, *, detailed: bool = False) -> None:
    """The headline, the best candidates, readiness, the gravest findings, what to do first."""
    counts = advice.counts
    output.say(f"{output.paint(advice.root, 'bold')}: {advice.headline}")
    output.say(
        f"{counts.modules:,} modules, {counts.lines:,} lines, {counts.commits:,} commits, {counts.tables:,} tables"
    )
    for reason in advice.readiness.reasons:
        output.say(f"  {reason}")
    _candidates(advice, detailed=detailed)
    _readiness(advice)
    _findings(advice)
    for number, step in enumerate(advice.steps[:3], 1):
        if number == 1:
            output.say(f"\n{output.paint('What to do first', 'bold')}")
        output.say(f"  {number}. {step.title}")
    for gap in advice.gaps[:3]:
        output.note(f"Not read: {gap.what} ({gap.count:,}): {gap.why}")


def _candidates(advice: Advice, *, detailed: bool) -> None:
    title = "This cut" if detailed else "What would make good services"
    output.say(f"\n{output.paint(title, 'bold')}")
    if not advice.candidates:
        output.say("  Nothing stands out: nothing here would make a better service than a module.")
    for one in advice.candidates[:SHOWN_CANDIDATES]:
        strength = output.paint(f"{one.strength} evidence", COLOURS[one.strength])
        cut = f"{one.links_in} in, {one.links_out} out"
        torn = output.counted(len(one.torn), "torn transaction")
        tables = output.counted(len(one.shared), "shared table")
        output.say(f"  {one.name} ({strength}): {output.counted(len(one.modules), 'module')}; {cut}; {tables}; {torn}")
        if detailed:
            _details(one)
        elif one.reasons:
            output.say(output.paint(f"    {'; '.join(one.reasons[:SHOWN_REASONS])}", "dim"))


def _details(one: Candidate) -> None:
    from ramet.advisor.report.figures import figures

    for label, value in figures(one):
        output.say(f"    {label:18}  {value}")
    for reason in one.reasons:
        output.say(f"    - {reason}")
    for torn in one.torn[:SHOWN_FINDINGS]:
        output.say(f"    torn: {torn.transaction} at {torn.place.path}:{torn.place.line}")
    for shared in one.shared[:SHOWN_FINDINGS]:
        place = f" at {shared.places[0].path}:{shared.places[0].line}" if shared.places else ""
        output.say(f"    shared: {shared.table}{place}")


def _readiness(advice: Advice) -> None:
    found = advice.readiness
    score = str(found.least) if found.least == found.most else f"{found.least} to {found.most}"
    output.say(f"\n{output.paint('Readiness', 'bold')} {score} of 15")
    for verdict in ("no", "unknown"):
        names = [item.id for item in found.items if item.verdict.value == verdict]
        if names:
            output.say(f"  {verdict}: {', '.join(names)}")


def _findings(advice: Advice) -> None:
    counts = Counter(one.severity.value for one in advice.findings)
    shown = ", ".join(output.counted(counts[name], name) for name in ("error", "warning", "note") if counts[name])
    output.say(f"\n{output.paint('Findings', 'bold')} {shown or 'none'}")
    for one in advice.findings[:SHOWN_FINDINGS]:
        where = f" ({one.places[0].path}:{one.places[0].line})" if one.places else ""
        output.say(f"  {output.paint(one.severity.value, COLOURS[one.severity.value])} {one.message}{where}")
    if len(advice.findings) > SHOWN_FINDINGS:
        output.say(
            output.paint(f"  and {len(advice.findings) - SHOWN_FINDINGS} more: --html, --markdown, --json", "dim")
        )
