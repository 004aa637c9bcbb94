"""The public side of a running application: its APIs and mounted applications as one ASGI application."""

from __future__ import annotations

from collections.abc import Mapping

from ramet.http.application import HttpApplication
from ramet.http.mounted import MountedApplication
from ramet.http.surroundings import Cors, HttpSettings, Surroundings
from ramet.model.topology import Deployment
from ramet.runtime.running import Running


def web(running: Running, deployment: Deployment) -> HttpApplication:
    """The ASGI application in front of a running one. It may be made before that is started."""
    around = Surroundings(clock=running.clock, spawn=running.tasks.spawn, ready=lambda: _ready(running))
    mounts = [
        MountedApplication(one, spawn=running.tasks.spawn, clients=running.exchange) for one in running.declared.mounted
    ]
    cors = Cors(origins=deployment.cors_origins) if deployment.cors_origins else None
    return HttpApplication(running.apis, mounts, settings=HttpSettings(cors=cors), around=around)


async def _ready(running: Running) -> Mapping[str, str]:
    return {} if running.started_at is not None else {"application": "is starting"}
