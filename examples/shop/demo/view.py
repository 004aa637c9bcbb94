"""The window: what happens in the shop, drawn anew twice a second, or as a line now and then."""

from __future__ import annotations

from rich.columns import Columns
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from demo.tally import Tally

URLS = {
    "the API": "/api/products",
    "its documentation": "/api/docs",
    "OpenAPI": "/api/openapi.json",
    "health": "/healthz",
    "readiness": "/readyz",
}


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


def screen(tally: Tally, url: str) -> Group:
    """Everything at a glance."""
    rate = f"{tally.rate('placed'):.1f} orders a second"
    return Group(
        Panel(
            Columns([_orders(tally), _reasons(tally), _events(tally)], padding=(0, 4)),
            title=f"Ramet's shop, {rate}",
            title_align="left",
        ),
        Panel(_latencies(tally), title="how long it takes", title_align="left"),
        Panel(_urls(url), title="see for yourself", title_align="left", subtitle="Ctrl-C ends", subtitle_align="right"),
    )


def _orders(tally: Tally) -> Table:
    counts, table = tally.counts, Table.grid(padding=(0, 2))
    under_way = counts["placed"] - counts["confirmed"] - counts["cancelled"]
    table.add_row("orders placed", f"[bold]{counts['placed']}")
    table.add_row("confirmed", f"[green]{counts['confirmed']}")
    table.add_row("cancelled", f"[yellow]{counts['cancelled']}")
    table.add_row("under way", str(under_way))
    table.add_row("parked", f"[red]{counts['parked'] - counts['unparked']}")
    return table


def _reasons(tally: Tally) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row("", "[bold]why they were cancelled")
    for reason, count in tally.reasons.most_common(4):
        table.add_row(f"[yellow]{count}", reason[:44])
    return table


def _events(tally: Tally) -> Table:
    counts, table = tally.counts, Table.grid(padding=(0, 2))
    table.add_row("requests", f"[bold]{counts['requests']}", f"{tally.rate('requests'):.0f}/s")
    table.add_row("refused", str(counts["refusals"]), f"{counts['errors']} errors")
    table.add_row("events handled", f"[bold]{counts['event handled']}", f"{tally.rate('event handled'):.0f}/s")
    table.add_row("handled again", str(counts["event retried"]), "")
    table.add_row("dead letters", f"[red]{counts['event dead-lettered']}", "")
    return table


def _latencies(tally: Tally) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("", "p50 ms", "p99 ms"):
        table.add_column(title, justify="right" if title else "left", min_width=24 if not title else 10)
    for what, p50, p99 in tally.latencies():
        table.add_row(what, f"{p50:.1f}", f"{p99:.1f}")
    return table


def _urls(url: str) -> Text:
    lines = [f"{name:<18} {url}{path}" for name, path in URLS.items()]
    return Text("\n".join([*lines, f"{'for operators':<18} ramet status -d demo · ramet sagas list -d demo"]))
