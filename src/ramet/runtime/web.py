"""The public side of a running application: its APIs and mounted applications as one ASGI application."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from ramet.http.application import HttpApplication
from ramet.http.contracts import ContractCalls
from ramet.http.mounted import MountedApplication
from ramet.http.surroundings import Answered, Surroundings
from ramet.model.topology import Deployment
from ramet.runtime.policies import http_settings
from ramet.runtime.running import Running
from ramet.telemetry.context import Caller
from ramet.telemetry.counters import Counters
from ramet.transport.base import Peer


def web(
    running: Running,
    deployment: Deployment,
    verify: Callable[[bytes], Peer] | None = None,
    sign: Callable[[Caller], str] | None = None,
) -> HttpApplication:
    """The ASGI application in front of a running one. It may be made before that is started.

    `verify` says who holds a token and calls contracts over HTTP; None lets everybody do so. `sign` makes the proof of
    a caller for other processes.
    """
    around = Surroundings(
        clock=running.clock,
        spawn=running.tasks.spawn,
        answered=partial(_count, running.counters),
        ready=lambda: _ready(running),
        sign=sign,
    )
    settings = http_settings(deployment)
    mounts: list[MountedApplication | ContractCalls] = [
        MountedApplication(one, spawn=running.tasks.spawn, clients=running.exchange)
        for one in running.declared.mounted
        if running.options.here(one.name)
    ]
    if deployment.contracts:
        contracts, answer = running.declared.contracts, running.answering.anywhere
        calls = ContractCalls(
            contracts, answer, clock=running.clock, verify=verify, prefix=deployment.contracts, settings=settings
        )
        mounts.append(calls)
    return HttpApplication(running.apis, mounts, settings=settings, around=around)


def _count(counters: Counters, answered: Answered) -> None:
    counter = counters.method(f"{answered.api}.{answered.operation}")
    counter.calls += 1
    counter.took(answered.seconds)
    if answered.status >= 500:
        counter.errors += 1
    elif answered.status >= 400:
        counter.refusals += 1


async def _ready(running: Running) -> Mapping[str, str]:
    return {} if running.started_at is not None else {"application": "is starting"}
