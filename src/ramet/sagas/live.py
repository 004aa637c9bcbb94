"""One saga in memory, and how it gets there from the journal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ramet.sagas import machine
from ramet.sagas.definition import Definition
from ramet.sagas.journal import SavedSaga, decode_context, encode_context, entries, troubles
from ramet.sagas.moments import Happened, Moment
from ramet.sagas.progress import ENDED, Entry, Kind, Progress, Status
from ramet.storage.base import Row
from ramet.telemetry.context import Context

_HAPPENED: dict[Kind, Happened] = {kind: Happened(kind.value) for kind in Kind if kind is not Kind.TAKEN_OVER}


class Live:
    """A saga that the engine has in memory.

    `unwritten` counts what was decided and is not durable yet: nothing is begun meanwhile. `seeking` is set while its
    event is looked for, and `again` if one may have come meanwhile; `stale` when another reading of it took its place.
    `failures` counts how often in a row it could not go on, before it was read.
    """

    __slots__ = (
        "again",
        "context",
        "definition",
        "failures",
        "id",
        "key",
        "progress",
        "seeking",
        "stale",
        "stands",
        "unwritten",
    )

    def __init__(
        self,
        name: str,
        key: str,
        definition: Definition,
        progress: Progress,
        context: Context,
        stands: Status = Status.RUNNING,
    ) -> None:
        self.id = name
        self.key = key
        self.definition = definition
        self.progress = progress
        self.context = context
        self.stands = stands
        """What its row says, which may be behind what its log tells."""
        self.unwritten = self.failures = 0
        self.seeking = self.again = self.stale = False

    def execution(self, key: str, deadline: float) -> Context:
        """The context of one attempt: the saga's own, under the attempt's key."""
        own = self.context
        return Context(
            execution=key,
            trace=own.trace,
            deadline=deadline,
            caller=own.caller,
            tenant=own.tenant,
            region=own.region,
            baggage=own.baggage,
            proof=own.proof,
        )


def revive(saga: SavedSaga, definition: Definition, *, doubtful: bool) -> Live:
    """A saga as the journal tells; `doubtful` when a crash may have hidden attempts.

    Raises: msgspec.ValidationError when its state does not fit this release's State.
    """
    progress = machine.restore(
        definition,
        machine.begin(definition.decode(saga.state), saga.started_at),
        entries(definition, saga.log),
        trouble=troubles(saga.trouble),
        reason=saga.reason,
        doubtful=doubtful,
    )
    context = decode_context(saga.context, saga.id)
    return Live(saga.id, saga.key, definition, progress, context, Status(saga.status))


def row_of(live: Live, worker: str | None) -> Row:
    """What a saga that starts is stored as; `worker` runs it, where several could."""
    definition, progress = live.definition, live.progress
    state, context = definition.encode(progress.state), encode_context(live.context)
    return live.id, definition.name, live.key, definition.version, state, context, progress.since, worker


def waiter(live: Live) -> tuple[str, str]:
    """The name and key under which events are kept for a saga."""
    return live.definition.name, live.key


def moments(service: str, live: Live, told: Sequence[Entry]) -> Iterator[Moment]:
    """What these entries of the log report."""
    for entry in told:
        yield moment(service, live, _HAPPENED[entry.kind], entry.step)
    if live.progress.status in ENDED:
        yield moment(service, live, Happened.ENDED, "", live.progress.reason)


def moment(service: str, live: Live, happened: Happened, step: str = "", error: str | None = None) -> Moment:
    """What is reported of a saga."""
    trouble = live.progress.trouble.get(step)
    return Moment(
        service=service,
        saga=live.definition.name,
        id=live.id,
        key=live.key,
        happened=happened,
        status=live.progress.status,
        step=step,
        attempts=trouble.attempts if trouble else 0,
        error=error or live.progress.reason,
        trace=live.context.trace,
    )
