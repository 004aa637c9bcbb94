"""The other process groups, as one replica sees them: who hosts a service, and what carries calls there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ramet.clock import Clock
from ramet.errors import ConfigurationError
from ramet.model.topology import Assignment
from ramet.runtime.discovery.base import Discovery
from ramet.runtime.reporting import CallLog
from ramet.tasks import Spawn
from ramet.transport.client import dial
from ramet.transport.options import TransportOptions
from ramet.transport.policy.policies import Policies
from ramet.transport.upstream.upstream import Upstream


class Neighbours:
    """One upstream for each process group that is called; discovery tells it of the group's replicas."""

    def __init__(
        self,
        assignment: Assignment,
        discovery: Discovery,
        *,
        clock: Clock,
        spawn: Spawn,
        options: TransportOptions,
        token: Callable[[], bytes] | None,
    ) -> None:
        self._assignment = assignment
        self._discovery = discovery
        self._clock = clock
        self._spawn = spawn
        self.policies = Policies(zone=assignment.zone)
        """How calls are treated; set before anything is called."""
        self._hook = CallLog(clock)
        self._dial = partial(dial, token=token, clock=clock, spawn=spawn, options=options)
        self._upstreams: dict[str, Upstream] = {}

    def upstream(self, service: str) -> Upstream:
        """What carries calls to a service. Raises: ConfigurationError where no group hosts it."""
        group = self._assignment.group_of(service)
        if group is None:
            raise ConfigurationError(
                f'No process group of the deployment "{self._assignment.deployment}" hosts {service}: '
                'name it in one, or give one `services = "*"`.'
            )
        if group not in self._upstreams:
            made = Upstream(
                group, self._dial, clock=self._clock, spawn=self._spawn, policies=self.policies, hook=self._hook
            )
            self._upstreams[group] = made
            self._discovery.watch(group, made.update)
        return self._upstreams[group]

    async def close(self) -> None:
        """Wait for the answers that are due, and disconnect."""
        for upstream in self._upstreams.values():
            await upstream.close()
