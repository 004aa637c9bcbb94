"""The window: what happens in the shop, drawn anew twice a second, or as a line now and then."""

from __future__ import annotations

from itertools import zip_longest

from rich.console import ConsoleDimensions, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from demo.tally import Tally

URLS = {
    "documentation": "/api/docs",
    "the API": "/api/products",
    "OpenAPI": "/api/openapi.json",
    "health": "/healthz",
    "readiness": "/readyz",
}
OPERATORS = "ramet status -d demo · ramet sagas list -d demo"
TALL, WIDE = 32, 140
"""From how many lines and columns on there is room for more."""


def line(tally: Tally) -> str:
    """For terminals that cannot be drawn on, and for logs."""
    counts = tally.counts
    latencies = {what: (p50, p99) for what, p50, p99 in tally.latencies()}
    p50, p99 = latencies.get("check out", (0, 0))
    return (
        f"{tally.seconds:6.1f} s  orders {counts['placed']} ({tally.rate('placed'):.1f}/s)"
        f"  confirmed {counts['confirmed']}  cancelled {counts['cancelled']}  check out p50 {p50:.1f} p99 {p99:.1f} ms"
        f"  events {counts['event handled']} ({tally.rate('event handled'):.0f}/s)"
        f"  dead {counts['event dead-lettered']}  parked {counts['parked']}  errors {counts['errors']}"
    )


def screen(tally: Tally, url: str, size: ConsoleDimensions) -> Group:
    """Everything at a glance, in as much room as there is: 80 by 24 is enough."""
    tall, wide = size.height >= TALL, size.width >= WIDE
    parts: list[RenderableType] = [_orders(tally), _traffic(tally)]
    reasons = _reasons(tally, 4 if tall or wide else 2)
    top = Table.grid(padding=(0, 5))
    top.add_row(*parts, *([reasons] if wide else []))
    minutes, seconds = divmod(int(tally.seconds), 60)
    title = f"Ramet's shop, open for {minutes}:{seconds:02}, {tally.rate('placed'):.1f} orders a second"
    return Group(
        _panel(top if wide else Group(top, reasons), title),
        _panel(_latencies(tally), "how long it takes, in milliseconds"),
        _panel(_urls(url, len(URLS) if tall else 1), "see for yourself", subtitle="Ctrl-C ends"),
    )


def _panel(content: RenderableType, title: str, subtitle: str | None = None) -> Panel:
    return Panel(content, title=title, title_align="left", subtitle=subtitle, subtitle_align="right")


def _orders(tally: Tally) -> Table:
    counts, table = tally.counts, _numbers()
    table.add_row("orders placed", f"[bold]{counts['placed']}")
    table.add_row("confirmed", f"[green]{counts['confirmed']}")
    table.add_row("cancelled", f"[yellow]{counts['cancelled']}")
    table.add_row("under way", str(counts["placed"] - counts["confirmed"] - counts["cancelled"]))
    table.add_row("parked for an operator", _bad(counts["parked"] - counts["unparked"]))
    return table


def _traffic(tally: Tally) -> Table:
    counts, table = tally.counts, _numbers()
    table.add_row("requests", f"[bold]{counts['requests']}", f"{tally.rate('requests'):.0f}/s")
    table.add_row("refused with a reason", str(counts["refusals"]))
    table.add_row("failed", _bad(counts["errors"]))
    table.add_row("events handled", f"[bold]{counts['event handled']}", f"{tally.rate('event handled'):.0f}/s")
    again, dead = counts["event retried"], counts["event dead-lettered"]
    table.add_row("tried again, given up", str(again), _bad(dead))
    return table


def _numbers() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", min_width=5)
    table.add_column(justify="right", min_width=5)
    return table


def _bad(count: int) -> str:
    """Red, when there is any."""
    return f"[bold red]{count}" if count else "0"


def _reasons(tally: Tally, room: int) -> Text:
    """The most frequent first; blank lines keep the window from jumping."""
    reasons = [f"{count:5}  {reason}" for reason, count in tally.reasons.most_common(room)]
    lines = ["why checkouts turned back:", *reasons, *[""] * (room - len(reasons))]
    return Text("\n".join(lines), no_wrap=True, overflow="ellipsis")


def _latencies(tally: Tally) -> Table:
    """In two columns: what customers ask for, and how long everything takes that follows."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for _ in range(2):
        table.add_column("", min_width=18)
        table.add_column("median", justify="right", min_width=7)
        table.add_column("p99", justify="right", min_width=7)
    rows = [(what, f"{p50:.1f}", f"{p99:.1f}") for what, p50, p99 in tally.latencies()]
    half = (len(rows) + 1) // 2
    for left, right in zip_longest(rows[:half], rows[half:], fillvalue=("", "", "")):
        table.add_row(*left, *right)
    return table


def _urls(url: str, room: int) -> Text:
    lines = [f"{name:<15} {url}{path}" for name, path in list(URLS.items())[:room]]
    return Text("\n".join([*lines, f"{'for operators':<15} {OPERATORS}"]))
