"""`python -m benchmarks [NAME ...]`: measure, write the results, print the table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence

from benchmarks import report
from benchmarks.machine import stamp
from benchmarks.measure import Row
from benchmarks.rounds import Run
from benchmarks.suites import (
    boutique,
    brokers,
    calls,
    events,
    growth,
    http,
    outbox,
    overload,
    postgres,
    sagas,
    sagas_postgres,
    startup,
    transport,
)

SUITES: Mapping[str, Callable[[Run], Sequence[Row]]] = {
    "calls": calls.run,
    "http": http.run,
    "transport": transport.run,
    "sagas": sagas.run,
    "sagas_postgres": sagas_postgres.run,
    "outbox": outbox.run,
    "postgres": postgres.run,
    "events": events.run,
    "brokers": brokers.run,
    "startup": startup.run,
    "boutique": boutique.run,
    "growth": growth.run,
    "overload": overload.run,
}


def main() -> int:
    """Run what was asked for. 0 also where a target was missed: it is printed."""
    options = _options()
    if options.docs:
        report.write_docs(report.saved())
        return 0
    rows: list[Row] = []
    rounds = options.rounds or (2 if options.quick else 5)
    for name in options.names or SUITES:
        run = Run(
            rounds=rounds, quick=options.quick, stamp=stamp(), say=lambda what, name=name: _say(f"{name}: {what}")
        )
        found = SUITES[name](run)
        if not options.quick:
            report.save(name, found)
        rows += found
    _say("")
    print(report.as_json(rows) if options.json else report.as_table(rows))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=report.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *SUITES], help=f"some of {', '.join(SUITES)}")
    parser.add_argument("--rounds", type=int, help="how often each contender is measured (5)")
    parser.add_argument("--quick", action="store_true", help="two short rounds; results are not written")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON instead of the table")
    parser.add_argument("--docs", action="store_true", help="measure nothing: write docs/reference/benchmarks.md")
    return parser.parse_args()


def _say(what: str) -> None:
    """Progress: one line that is written over on a terminal."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{what}", end="", file=sys.stderr, flush=True)
    elif what:
        print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
