"""What travels with every piece of work: who asked, on whose behalf, until when."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

import msgspec


class Caller(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Somebody whose identity a public API has established.

    A method of an `Api` that has a parameter of this type answers 401 to everybody else.
    """

    subject: str
    tenant: str | None = None
    roles: frozenset[str] = frozenset()


class Context(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True):
    """Carried by every call, event and saga, in every placement; between processes in the order of its fields.

    `execution` identifies this piece of work and `trace` everything it belongs to; `deadline` is in seconds of the
    clock's `monotonic`, infinite where nothing waits for the answer. `proof` is what the public API has signed of the
    `caller` where it has to convince other processes, "" in one process.
    """

    execution: str
    trace: str
    deadline: float = float("inf")
    caller: Caller | None = None
    tenant: str | None = None
    region: str | None = None
    baggage: dict[str, str] = {}
    proof: str = ""

    @classmethod
    def root(cls, identity: str, *, deadline: float = float("inf")) -> Context:
        """The context of work that nobody's work has led to: it begins a trace of its own."""
        return cls(execution=identity, trace=identity, deadline=deadline)


Believe = Callable[[Context], Context]
"""What is believed of a context that was kept, or has come with an event: a caller without a good proof is not."""

current_context: ContextVar[Context | None] = ContextVar("ramet.context", default=None)
