"""`ramet status`: how a deployment is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ramet.cli import output
from ramet.cli.application import ask
from ramet.cli.command import Choices, command, operated_option
from ramet.cli.times import moment

if TYPE_CHECKING:
    from ramet.runtime.operators.requests import ExternalStatus, GroupStatus, ReplicaStatus, ServiceStatus, Status

CALLS = ("calls", "refused", "failed", "p50 ms", "p99 ms")
TITLES = ("service", *CALLS, "handled", "waiting", "retrying", "dead", "sagas")


@command(
    ("ramet status", "of the deployment that runs"),
    ("ramet status -d split", "of this one"),
    ("ramet status --json", "for programs, with every method"),
)
@operated_option
def status(choices: Choices, deployment: str | None) -> None:
    """Show how a deployment is: calls, events, sagas, schedules.

    When it does not run, its databases tell what waits for the next start.
    """
    from ramet.runtime.operators.requests import GetStatus, Status

    found = ask(choices, deployment, GetStatus(), Status)
    if choices.json:
        output.document(found)
    else:
        _show(found)


def _show(found: Status) -> None:
    name = f"{output.paint(found.application, 'bold')} · {found.deployment}"
    if found.running:
        state = f"{output.paint('running', 'green')} as process {found.pid} for {duration(found.uptime_seconds)}"
        output.say(f"{name} · {state}")
    else:
        output.say(f"{name} · {output.paint('not running', 'yellow')}")
    for address in found.addresses:
        output.say(f"  {address.name}  {output.paint(address.url, 'cyan')}")
    shown = ("process", "state", "since", "pid", "restarts", "version", "what happened")
    output.table(shown, [_replica(group, one) for group in found.groups for one in _shown(group)])
    output.table(TITLES, [_row(service) for service in found.services])
    output.table(("outside", *CALLS, "address"), [_outside(external) for external in found.externals])
    schedules = [schedule for service in found.services for schedule in service.schedules]
    rows = [(one.name, moment(one.last_run), one.missed, one.failed, one.error) for one in schedules]
    output.table(("schedule", "last run", "missed", "failed", "last error"), rows)


def _shown(group: GroupStatus) -> list[ReplicaStatus]:
    from ramet.runtime.operators.requests import ReplicaStatus

    again = (
        f"`ramet restart {group.name}` starts it again" if group.wanted else f"`ramet scale {group.name} 1` starts it"
    )
    return list(group.replicas) or [ReplicaStatus(number=-1, state="stopped", since=0.0, error=again)]


def _replica(group: GroupStatus, one: ReplicaStatus) -> tuple[object, ...]:
    name = group.name if one.number < 0 else f"{group.name}/{one.number}"
    since = moment(one.since) if one.since else ""
    return (name, one.state, since, one.pid, one.restarts, one.version, one.error or _restarted(one))


def _restarted(one: ReplicaStatus) -> str:
    """Its last end, of one that is well again: "was ended by SIGKILL at 2026-03-01 12:30:05Z, restarted"."""
    what, colon, why = one.ended.partition(": ")
    return f"{what} at {moment(one.ended_at)}, restarted{colon}{why}" if what else ""


def _row(service: ServiceStatus) -> tuple[object, ...]:
    sagas = ", ".join(f"{count} {status}" for status, count in service.sagas.items())
    return (
        service.name,
        service.calls,
        service.refusals,
        service.errors,
        service.p50_ms,
        service.p99_ms,
        service.events_handled,
        service.events_waiting,
        service.events_retrying,
        service.events_dead,
        sagas,
    )


def _outside(one: ExternalStatus) -> tuple[object, ...]:
    return (one.name, one.calls, one.refusals, one.errors, one.p50_ms, one.p99_ms, one.url)


def duration(seconds: float | None) -> str:
    """The two largest units: "3 h 12 min"."""
    left = int(seconds or 0)
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    parts: list[str] = []
    for unit, size in units:
        count, left = divmod(left, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])
