"""Open the shop, send customers, and watch: `python -m demo --help`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import shutil
import signal
import sys
import time
from pathlib import Path
from random import Random

from rich.console import Console
from rich.live import Live

from audit import audit
from demo.browser import Browser
from demo.customer import Customer
from demo.shop import FOLDER, open_shop, supply
from demo.tally import Tally
from demo.view import line, screen
from ramet import RametError
from ramet.transport.listening import listen

SETTLING_SECONDS = 20.0
log = logging.getLogger("demo")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo", description="A shop of eight services, and its customers.")
    parser.add_argument("--customers", type=int, default=40, help="how many are in the shop at the same time (40)")
    parser.add_argument("--pause", type=float, default=0.5, help="seconds between two requests of a customer (0.5)")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="when to close; otherwise at Ctrl-C")
    parser.add_argument("--listen", default="127.0.0.1:8000", help="the address of the shop (127.0.0.1:8000)")
    parser.add_argument(
        "--data", type=Path, default=FOLDER / ".ramet/demo", help="the folder of the databases, emptied"
    )
    parser.add_argument("--plain", action="store_true", help="print a line now and then, instead of drawing")
    parser.add_argument("--seed", type=int, default=1, help="other customers (1)")
    return parser.parse_args()


async def main(chosen: argparse.Namespace) -> int:
    tally, closing = Tally(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, closing.set)
    print("Opening the shop and filling its shelves …", flush=True)
    async with open_shop(tally, chosen.listen, chosen.data) as (url, running):
        tally.open()
        async with asyncio.TaskGroup() as group:
            crowd = [group.create_task(visit(chosen, tally, url, number)) for number in range(chosen.customers)]
            crowd.append(group.create_task(supply(running)))
            await watch(chosen, tally, url, closing)
            for one in crowd:
                one.cancel()
        print("Closing: the orders under way come to their end …", flush=True)
        await settle(chosen, tally)
        books = audit(chosen.data, chosen.data / "cards.db")
    print(f"\n{books}")
    return bool(books.violations)


async def visit(chosen: argparse.Namespace, tally: Tally, url: str, number: int) -> None:
    """One customer after the other, in the same place: who meets with an error leaves for good."""
    chance = Random(f"{chosen.seed}/{number}")
    await asyncio.sleep(chance.random() * 5)
    while True:
        browser = Browser(url.removeprefix("http://"))
        try:
            await Customer(browser, tally, chance, chosen.pause).live()
        except (OSError, EOFError, RuntimeError):
            log.exception("A customer left")
            tally.count("errors")
        finally:
            browser.close()


async def watch(chosen: argparse.Namespace, tally: Tally, url: str, closing: asyncio.Event) -> None:
    """Show what happens until it is time to close."""
    if chosen.plain or not sys.stdout.isatty():
        print(f"The shop is open at {url}/api, its documentation at {url}/api/docs")
        while not await closed(chosen, tally, closing, after=3):
            print(line(tally), flush=True)
        return
    with Live(console=Console(), screen=False, auto_refresh=False) as live:
        while not await closed(chosen, tally, closing, after=0.5):
            live.update(screen(tally, url, live.console.size), refresh=True)


async def closed(chosen: argparse.Namespace, tally: Tally, closing: asyncio.Event, *, after: float) -> bool:
    try:
        await asyncio.wait_for(closing.wait(), min(after, max(0.0, chosen.seconds - tally.seconds)))
    except TimeoutError:
        return tally.seconds >= chosen.seconds
    return True


async def settle(chosen: argparse.Namespace, tally: Tally) -> None:
    """Let the orders that are under way come to their end, and their events to everybody."""
    end = time.monotonic() + SETTLING_SECONDS
    while time.monotonic() < end:
        await asyncio.sleep(0.2)
        under_way = tally.counts["placed"] - tally.counts["confirmed"] - tally.counts["cancelled"]
        if not under_way and not audit(chosen.data, chosen.data / "cards.db").waiting_events:
            return


if __name__ == "__main__":
    options = arguments()
    host, _, port = options.listen.rpartition(":")
    try:
        listen(host, int(port)).close()  # before the folder of a demonstration that runs is emptied
    except RametError as error:
        sys.exit(f'{error} Another: make demo ARGS="--listen 127.0.0.1:8001"')
    shutil.rmtree(options.data, ignore_errors=True)
    options.data.mkdir(parents=True)
    logging.basicConfig(filename=options.data / "demo.log", level=logging.WARNING)
    sys.exit(asyncio.run(main(options)))
