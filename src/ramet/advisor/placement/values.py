"""Pure: which services should run together, as a question and its answer, in frozen values."""

from __future__ import annotations

from ramet.advisor.facts import Fact

LOCAL_CALL_MICROSECONDS = 0.2
"""Processor time of a call inside a process (`colocated_call_overhead_ns` in docs/reference/benchmarks.md)."""
REMOTE_CALL_MICROSECONDS = 40.0
"""Processor time of a call between two processes of a host, both sides together.

Measured with the parts of `benchmarks transport` on a busy machine: 35 to 44 µs with one call in flight, 24 with 4, 13
with 16, 10 with 64; and 4 µs for encoding (`colocated_call_overhead_strict_ns`). With little in flight nothing is
shared between calls: that is taken, so that the cost is rather over- than underestimated.
"""
HOP_MICROSECONDS = 35.0
"""What a call between two processes of a host takes longer: 31 µs over a Unix socket, 4 for encoding (as above)."""


class Part(Fact):
    """A service, API or mounted application.

    `cores` is what its own work needs, without calls between processes. `replicas` are wanted at least;
    `may_replicate` is False where one process must have its data or its events. `isolated`: nobody else may be in its
    process. Parts of different `team`s are kept apart; "" belongs to nobody.
    """

    name: str
    cores: float = 0.0
    replicas: int = 1
    may_replicate: bool = True
    isolated: bool = False
    team: str = ""


class Edge(Fact):
    """The calls of one method by one part, "" for who is none; `milliseconds` is the median that was measured."""

    caller: str
    callee: str
    method: str
    calls: int
    per_second: float
    milliseconds: float | None = None


class Rules(Fact):
    """What every placement must keep; `most_processes` is None for any number."""

    together: tuple[tuple[str, ...], ...] = ()
    apart: tuple[tuple[str, ...], ...] = ()
    cores_per_process: float = 0.6
    most_processes: int | None = None
    least_calls: int = 1000


Groups = tuple[tuple[str, ...], ...]


class Question(Fact):
    """What runs, who calls whom, and what must be kept.

    `today` is the placement to compare with, `measured` the one under which the calls were measured. `seconds` is how
    long they were counted. `is_cores_measured`: the parts' cores add up to processor time that was measured; else they
    are the time that their calls took, which is more.
    """

    parts: tuple[Part, ...]
    edges: tuple[Edge, ...]
    rules: Rules
    today: Groups
    measured: Groups
    seconds: float
    is_cores_measured: bool = False


class Process(Fact):
    """A process group: `cores` over all of its replicas, with its side of the calls to and from other groups."""

    services: tuple[str, ...]
    replicas: int
    cores: float


class Operation(Fact):
    """A request to a public part: its measured median, and what is predicted for a placement; milliseconds."""

    name: str
    per_second: float
    measured: float | None
    predicted: float | None


class Judged(Fact):
    """A placement and what it costs.

    `remote_cores` is processor time for calls between processes, `remote_per_second` how many they are. `overload` is
    how many cores are wanted of processes that cannot be replicated beyond what one may use; `excess` how many
    processes there are too many.
    """

    processes: tuple[Process, ...]
    cores: float
    remote_cores: float
    remote_per_second: float
    overload: float
    excess: int
    operations: tuple[Operation, ...]
    broken: tuple[str, ...] = ()


class Advice(Fact):
    """Today's placement, a better one where there is one, why, and what is uncertain."""

    today: Judged
    proposal: Judged | None
    reasons: tuple[str, ...]
    doubts: tuple[str, ...]
    calls: int
    seconds: float
