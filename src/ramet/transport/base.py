"""The port: a call as bytes, and a channel that carries it to a process and its answer back.

What travels is opaque here: `runtime` encodes arguments and decodes answers with the contract's codec. A refusal or an
error of the callee is an answer like any other. What a channel raises is about the travelling alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Annotated, NamedTuple

import msgspec

from ramet.telemetry.context import Context

METHOD_CHARACTERS = 1000
"""So long may the name of a method be, with its contract's; who answers keeps the names that it is asked for."""


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where a replica of a process group answers calls.

    `address` is "unix:/path", "tcp://host:port" or "tls://host:port"; `group` and `replica` say who it is, `zone` where
    it is (for locality), `version` which release it runs; `weight` is its share of the calls, relative to the others'.
    """

    address: str
    group: str
    replica: int = 0
    zone: str = ""
    version: str = ""
    weight: float = 1.0


class Call(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One call on its way, which travels as an array of its fields.

    `method` is "<contract>.<method>"; `key` the idempotency key of a command; `context.deadline` is in seconds of this
    process's monotonic clock on both sides: what travels is the time that is left. `withdraw` asks for the key to be
    withdrawn instead of the method to be called. `fresh`: nobody was asked with the key before (`FreshKey`); who sends
    a call again says so no more.
    """

    method: Annotated[str, msgspec.Meta(max_length=METHOD_CHARACTERS)]
    arguments: bytes
    context: Context
    key: str | None = None
    withdraw: bool = False
    fresh: bool = False


class Peer(NamedTuple):
    """Who is at the other end of a connection, as the handshake has established it.

    `may_call` are the contracts its declared dependencies entitle it to; None: everything (an unprotected socket).
    `works_late`: it may speak for a user after that user's request. `until` is when
    it has to prove itself anew (epoch).
    """

    name: str
    may_call: frozenset[str] | None = None
    works_late: bool = False
    until: float = float("inf")


Vouch = Callable[[Context, Peer], Context]
"""The context of a call that names a user, or shows a proof of one, as it may be believed. Raises: Denied."""

Serve = Callable[[Call, Peer], Awaitable[bytes]]
"""What a server calls for each request. It raises nothing but a cancellation: errors are answers, too."""


class Channel(ABC):
    """A way to one replica. Calls are multiplexed: any number may be in flight, and answers come in any order."""

    usable: bool
    """New calls may be sent: connected, and the other side has not said that it drains."""

    @abstractmethod
    async def call(self, call: Call) -> bytes:
        """Send a call and wait for its answer. A cancellation of the caller is carried to the callee.

        Raises: Unavailable, Overloaded or Denied where it was provably not executed; DeadlineExceeded when the time was
        up; OutcomeUnknown when the connection was lost after the call had been sent.
        """

    def begin(self, call: Call) -> Awaitable[bytes]:
        """As `call`, but it is sent at once where that is possible. Who is cancelled while he waits has to `forget` it.

        Raises: what is known at once, too.
        """
        return self.call(call)

    def forget(self, answer: Awaitable[bytes]) -> None:  # noqa: B027 - a `call` that is cancelled needs no more
        """Nobody waits any more for what was begun; that is carried to the callee."""

    @property
    @abstractmethod
    def in_flight(self) -> int:
        """How many calls wait for their answer."""

    @abstractmethod
    async def close(self) -> None:
        """Send nothing more, wait for the answers that are due, disconnect."""


Dial = Callable[[Endpoint], Awaitable[Channel]]
"""Connects to a replica and shakes hands. Raises: Unavailable with the address; Denied where it is not let in."""
