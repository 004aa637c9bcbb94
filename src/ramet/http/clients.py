"""Clients of contracts for code that is no service: `client(Inventory)` in a mounted application, two lines away.

    inventory = client(Inventory)                         # at the top of a module, or anywhere
    left = await inventory.stock("tea")                   # in asynchronous code
    left = blocking(inventory.stock)("tea")               # in a thread: a WSGI application, a synchronous view

The client finds the running application when it is called. Which one that is, a mounted application is told by a
context variable, while it is loaded and in each of its requests: nothing is registered anywhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ParamSpec, Protocol, TypeVar, cast

from ramet.errors import UsageError

P = ParamSpec("P")
T = TypeVar("T")


class ClientSource(Protocol):
    """Given by the runtime."""

    def client_outside(self, cls: type[Any], /) -> Any:
        """A client of a contract, for code that is no service."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """A running application, as seen from what is mounted in it: its clients, and the loop on which they work."""

    source: ClientSource
    loop: asyncio.AbstractEventLoop


current_reach: ContextVar[Reach | None] = ContextVar("ramet.reach", default=None)


def client(contract: type[T]) -> T:
    """A client of a contract, for use inside a mounted application; its methods are those of the contract.

    Raises: UsageError when a method is called where no application is running.
    """
    return cast("T", _Client(contract))


def blocking(method: Callable[P, Awaitable[T]]) -> Callable[P, T]:
    """A client's method for threads: it is executed on the application's loop, and the thread waits for the answer.

    Raises: UsageError when it is called on the loop itself, which would wait for itself for ever.
    """

    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        reach = method.origin.reach() if isinstance(method, _Method) else current_reach.get()
        if reach is None:
            raise _nowhere(getattr(method, "__qualname__", "it"))
        if _running_loop() is reach.loop:
            raise UsageError("`blocking` is for threads; in asynchronous code, `await` the method.")

        async def run() -> T:
            return await method(*args, **kwargs)

        return asyncio.run_coroutine_threadsafe(run(), reach.loop).result()

    return call


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class _Origin:
    """Where a client comes from: the contract, and the application in which it was made, if there was one."""

    def __init__(self, contract: type[Any]) -> None:
        self.contract = contract
        self._at_first = current_reach.get()
        self._made: tuple[Reach, Any] | None = None

    def reach(self) -> Reach:
        """The application that is running here, else the one in which the client was made."""
        reach = current_reach.get() or self._at_first
        if reach is None:
            raise _nowhere(self.contract.__name__)
        return reach

    def client(self) -> Any:
        """The client itself."""
        reach = self.reach()
        if self._made is None or self._made[0] is not reach:
            self._made = (reach, reach.source.client_outside(self.contract))
        return self._made[1]


class _Client:
    """Stands for a client until the application is there."""

    def __init__(self, contract: type[Any]) -> None:
        self._origin = _Origin(contract)

    def __getattr__(self, name: str) -> Any:
        contract = self._origin.contract
        if name.startswith("_") or not hasattr(contract, name):
            raise AttributeError(f"{contract.__name__} has no method {name}")
        return _Method(self._origin, name)

    def __repr__(self) -> str:
        return f"client({self._origin.contract.__name__})"


class _Method:
    """One method of such a client."""

    def __init__(self, origin: _Origin, name: str) -> None:
        self.origin = origin
        self._name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return getattr(self.origin.client(), self._name)(*args, **kwargs)


def _nowhere(what: str) -> UsageError:
    return UsageError(
        f"{what} was called where no application is running: mount this program in one with Mounted(…), or in a test "
        f"run it inside `async with running(…)`."
    )
