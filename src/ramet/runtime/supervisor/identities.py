"""Who the replicas are to each other: a signing key of the deployment, and a token for each, renewed in time."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from ramet.clock import Clock
from ramet.identity.callers import FOLDER as CALLERS
from ramet.identity.keys import PUBLIC, signing_key, write_private
from ramet.identity.tokens import DAY_SECONDS, Issuer

AGAIN_SECONDS = 60.0
log = logging.getLogger("ramet.supervisor")


class Identities:
    """Signs for one deployment. `grants` are the contracts that each group may call, `late` the groups that work late.

    Tokens live for `lifetime_seconds`, and are to be renewed every `renewed_seconds`.
    """

    def __init__(
        self,
        folder: Path,
        issuer: str,
        grants: Mapping[str, frozenset[str]],
        clock: Clock,
        *,
        late: frozenset[str] = frozenset(),
        lifetime_seconds: float = DAY_SECONDS,
    ) -> None:
        self._folder = folder
        self._issuer = Issuer(signing_key(folder), issuer, clock=clock, lifetime_seconds=lifetime_seconds)
        self._clock = clock
        self._grants = grants
        self._late = late
        self.renewed_seconds = lifetime_seconds / 3
        signing_key(folder / CALLERS)
        self._given: dict[str, tuple[str, tuple[str, ...]]] = {}

    @property
    def keys(self) -> Path:
        """The file of the public keys."""
        return self._folder / PUBLIC

    def token(self, group: str, number: int, hosts: tuple[str, ...]) -> Path:
        """The file with a new token of a replica."""
        name = f"{group}/{number}"
        self._given[name] = (group, hosts)
        return self._write(name)

    def renew(self) -> None:
        """Write every token anew: replicas read theirs for each new connection. Raises: OSError."""
        for name in self._given:
            self._write(name)

    async def keep(self) -> None:
        """Renew them for ever; where that fails it is tried again soon, while those that are there are still good."""
        wait = self.renewed_seconds
        while True:
            await self._clock.sleep(wait)
            try:
                self.renew()
                wait = self.renewed_seconds
            except OSError as error:
                wait = min(AGAIN_SECONDS, self.renewed_seconds)
                log.warning("Tokens cannot be renewed in %s (%s): again in %g s.", self._folder, error.strerror, wait)

    def _write(self, name: str) -> Path:
        group, hosts = self._given[name]
        path = self._folder / f"{name.replace('/', '-')}.token"
        may_call = self._grants.get(group, frozenset())
        late = group in self._late
        write_private(path, self._issuer.replica(name, hosts=hosts, may_call=may_call, works_late=late))
        return path
