"""The same sagas on PostgreSQL; the participants of full ones each in a process of its own."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import uvloop

from benchmarks.contenders import contend, participants
from benchmarks.contenders.databases import new_database
from benchmarks.contenders.in_flight import keep_in_flight, names
from benchmarks.contenders.known_endpoints import KnownEndpoints
from benchmarks.contenders.ramet_alive import alive
from benchmarks.contenders.sagas_declared import SERVICES
from benchmarks.contenders.sagas_ramet import Sagas
from benchmarks.serving import serving
from ramet.clock import SystemClock
from ramet.model.topology import Assignment
from ramet.runtime.neighbours import Neighbours
from ramet.tasks import Tasks
from ramet.transport.base import Endpoint
from ramet.transport.options import TransportOptions


def neighbours(addresses: dict[str, str], tasks: Tasks) -> Neighbours:
    """Those who answer the participants' contracts: a process group for each."""
    endpoints = {name: [Endpoint(address=address, group=name)] for name, address in addresses.items()}
    groups = {name: (name,) for name in addresses}
    assignment = Assignment(
        deployment="bench", group="orders", replica=1, hosts=("orders",), internal="", groups=groups
    )
    options = TransportOptions(application="bench", name="orders")
    found = KnownEndpoints(endpoints)
    return Neighbours(assignment, found, clock=SystemClock(), spawn=tasks.spawn, options=options, token=None)


async def figures(folder: str, storage: str, addresses: dict[str, str], **asked: Any) -> dict[str, float]:
    """Sagas a second."""
    around, options = neighbours(addresses, Tasks()), {}
    if addresses:
        options = {"hosts": frozenset({"orders"}), "carrier": around.upstream}
    async with alive(folder, *SERVICES, storage=storage, **options) as running:
        sagas = Sagas(running, asked["kind"])
        count, width = asked["count"], asked["in_flight"]
        await keep_in_flight(names("warm", width), width, sagas.one)
        taken = await keep_in_flight(names("saga", count), width, sagas.one)
    await around.close()
    return {"per_second": count / taken}


def measure(folder: str, server: str, kind: str, count: int, in_flight: int) -> dict[str, float]:
    """`kind` is bare, full or refused."""
    storage = new_database(server)
    with ExitStack() as stack:
        addresses = {}
        for name in participants.NAMES if kind != "bare" else ():
            asked = {"folder": folder, "name": name, "storage": storage}
            addresses[name] = stack.enter_context(serving("sagas_participant_ramet", **asked))
        return uvloop.run(figures(folder, storage, addresses, kind=kind, count=count, in_flight=in_flight))


if __name__ == "__main__":
    contend(measure)
