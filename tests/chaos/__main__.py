"""`python -m tests.chaos --kills 200 --seed 7`: prints the ledger, and ends with 1 when the books are wrong."""

from __future__ import annotations

import argparse
import asyncio
import sys

from tests.chaos.kill import Plan, run


def main() -> int:
    """Read the options, run, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="how often the shop is killed (200)")
    parser.add_argument("--customers", type=int, default=12, help="how many order at the same time (12)")
    parser.add_argument("--seed", type=int, default=1, help="other moments, other customers (1)")
    chosen = parser.parse_args()
    ledger = asyncio.run(run(Plan(kills=chosen.kills, customers=chosen.customers, seed=chosen.seed), say=print))
    print(f"\n{ledger}")
    return bool(ledger.violations)


if __name__ == "__main__":
    sys.exit(main())
