"""Pure: what operators ask of a supervisor besides what they ask of any deployment, and what they are answered."""

from __future__ import annotations

from ramet.runtime.operators.requests import Answer, Asked, Request


class ScaleGroup(Request, tag="groups.scale"):
    """Have so many replicas of a group."""

    group: str
    replicas: int


class RestartGroups(Request, tag="groups.restart"):
    """Exchange the replicas of a group, or of all of them, for new ones; `blue_green`: a whole new set at once."""

    group: str | None = None
    blue_green: bool = False


class StopGroup(Request, tag="groups.stop"):
    """End all replicas of a group."""

    group: str


class StopAll(Request, tag="stop"):
    """End the deployment: the answer comes when its end has begun."""


class GetEngines(Request, tag="engines"):
    """Where the servers are that the deployment works with."""


AskedOfSupervisor = Asked | ScaleGroup | RestartGroups | StopGroup | StopAll | GetEngines


class EnginesUsed(Answer):
    """Their URLs, passwords included: those of ramet.toml, or of the servers that were started beside it."""

    storage: str
    broker: str


class GroupsChanged(Answer):
    """How many replicas were started, stopped or exchanged, by group."""

    groups: dict[str, int]
