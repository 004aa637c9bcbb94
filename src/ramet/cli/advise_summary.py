"""What `ramet advise` says on one screen."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ramet.cli import output

if TYPE_CHECKING:
    from ramet.advisor.boundaries.values import Candidate
    from ramet.advisor.finding import Finding
    from ramet.advisor.report.advice import Advice

COLOURS = {"strong": "green", "moderate": "yellow", "weak": "dim", "error": "red", "warning": "yellow", "note": "dim"}
SHOWN_CANDIDATES = 5
SHOWN_FINDINGS = 6
SHOWN_REASONS = 3
SHOWN_GAPS = 3
LEFT_OUT = "Left out: "


def show(advice: Advice, *, detailed: bool = False) -> None:
    """The headline, the best candidates, readiness, the gravest findings, what to do first."""
    counts = advice.counts
    output.say(f"{output.paint(advice.root, 'bold')}: {advice.headline}")
    output.say(
        ", ".join(
            output.counted(count, thing)
            for count, thing in (
                (counts.modules, "module"),
                (counts.lines, "line"),
                (counts.commits, "commit"),
                (counts.tables, "table"),
            )
        )
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
    _gaps(advice)


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
    for caveat in advice.caveats:
        output.say(f"  {caveat}")


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


def _gaps(advice: Advice) -> None:
    """What could not be read; what was left out on purpose is only counted."""
    on_purpose = [gap for gap in advice.gaps if gap.what.startswith(LEFT_OUT)]
    unread = [gap for gap in advice.gaps if gap not in on_purpose]
    for gap in unread[:SHOWN_GAPS]:
        output.note(f"Not read: {gap.what} ({gap.count:,}): {gap.why}")
    if len(unread) > SHOWN_GAPS:
        output.note(f"Not read: {output.counted(len(unread) - SHOWN_GAPS, 'more kind')}: --json lists them")
    if on_purpose:
        kinds = ", ".join(f"{gap.what.removeprefix(LEFT_OUT)} {gap.count:,}" for gap in on_purpose)
        output.note(f"Left out on purpose: {kinds}")


def _findings(advice: Advice) -> None:
    """The rules that were broken, the gravest first, each with the finding that has most to show."""
    counts = Counter(one.severity.value for one in advice.findings)
    shown = ", ".join(output.counted(counts[name], name) for name in ("error", "warning", "note") if counts[name])
    output.say(f"\n{output.paint('Findings', 'bold')} {shown or 'none'}")
    by_rule: dict[tuple[str, str], list[Finding]] = {}
    for one in advice.findings:
        by_rule.setdefault((one.severity.value, one.rule), []).append(one)
    each = 1 if len(by_rule) > SHOWN_FINDINGS // 2 else 2
    told = 0
    for (severity, rule), found in list(by_rule.items())[:SHOWN_FINDINGS]:
        output.say(f"  {output.paint(severity, COLOURS[severity])} {rule} ({len(found)})")
        for one in sorted(found, key=lambda one: -(one.measure or 0.0))[:each]:
            where = f" ({one.places[0].path}:{one.places[0].line})" if one.places else ""
            output.say(f"    {one.message}{where}")
            told += 1
    if len(advice.findings) > told:
        output.say(output.paint(f"  and {len(advice.findings) - told:,} more: --html, --markdown, --json", "dim"))
