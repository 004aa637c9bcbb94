"""`python -m tests.chaos [split]`: prints the ledger, and ends with 1 when the books are wrong."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Coroutine
from typing import Any

from tests.chaos import kill, split


def main() -> int:
    """Read the options, run, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument(
        "placement", choices=("local", "split", "all"), nargs="?", default="local", help="one process (local)"
    )
    parser.add_argument("--kills", type=int, default=200, help="local: how often the shop is killed (200)")
    parser.add_argument("--seconds", type=float, default=120.0, help="split: for how long faults happen (120)")
    parser.add_argument(
        "--broker", choices=("nats", "rabbitmq", "redis"), default="nats", help="split: over which broker (nats)"
    )
    parser.add_argument(
        "--fault", action="append", default=[], help="split: only these faults, such as 'kill a process'"
    )
    parser.add_argument("--customers", type=int, default=None, help="how many order at the same time (12, split: 8)")
    parser.add_argument("--seed", type=int, default=1, help="other moments, other customers (1)")
    chosen = parser.parse_args()
    runs = {"local": [_local], "split": [_split], "all": [_local, _split, _over_rabbitmq]}[chosen.placement]
    ledgers: list[kill.Ledger | split.Ledger] = []
    for run in runs:
        ledgers.append(asyncio.run(run(chosen)))
        print(f"\n{ledgers[-1]}\n")
    return any(ledger.violations for ledger in ledgers)


def _local(chosen: argparse.Namespace) -> Coroutine[Any, Any, kill.Ledger]:
    plan = kill.Plan(kills=chosen.kills, customers=chosen.customers or 12, seed=chosen.seed)
    return kill.run(plan, say=print)


def _split(chosen: argparse.Namespace) -> Coroutine[Any, Any, split.Ledger]:
    plan = split.Plan(
        seconds=chosen.seconds,
        broker=chosen.broker,
        customers=chosen.customers or 8,
        seed=chosen.seed,
        faults=tuple(chosen.fault),
    )
    return split.run(plan, say=print)


def _over_rabbitmq(chosen: argparse.Namespace) -> Coroutine[Any, Any, split.Ledger]:
    return _split(argparse.Namespace(**{**vars(chosen), "broker": "rabbitmq"}))


if __name__ == "__main__":
    sys.exit(main())
