"""`client`: contracts from inside an application that is mounted beside the services."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from typing import Any, TypeVar, cast

from ramet.contract.service import Contract
from ramet.errors import OutsideWork

C = TypeVar("C", bound=Contract)

current_clients: ContextVar[Callable[[type[Contract]], Contract] | None] = ContextVar("ramet.clients", default=None)
"""Gives clients of the application that runs here; set by whatever runs code that is not a service of it."""


def client(contract: type[C]) -> C:
    """A client of a contract for code that Ramet mounted: a FastAPI endpoint, an async Django view.

    >>> class Stock(Contract, version="1.0.0"): ...
    >>> stock = client(Stock)

    It may be made at import; the application is looked up when it is called. Synchronous code uses `sync_client`.
    """
    return cast(C, _Late(contract))


def sync_client(contract: type[Contract]) -> Any:
    """The same for synchronous code in a thread (a WSGI view): its methods wait for the answer and return it."""
    return _Waiting(contract)


class _Late:
    """Finds the client when a method is called."""

    def __init__(self, contract: type[Contract]) -> None:
        self._contract = contract

    def __getattr__(self, name: str) -> Any:
        if not hasattr(self._contract, name):
            raise AttributeError(f"{self._contract.__name__} has no method {name}")

        @functools.wraps(getattr(self._contract, name))
        async def call(*args: Any, **kwargs: Any) -> Any:
            return await getattr(_found(self._contract), name)(*args, **kwargs)

        return call


class _Waiting(_Late):
    """Calls from a thread; the work is done on the loop that serves the application."""

    def __getattr__(self, name: str) -> Any:
        late = super().__getattr__(name)

        @functools.wraps(late)
        def call(*args: Any, **kwargs: Any) -> Any:
            loop = current_loop.get()
            if loop is None:
                raise _outside(self._contract)
            context = copy_context()

            async def work() -> Any:
                return await asyncio.get_running_loop().create_task(late(*args, **kwargs), context=context)

            return asyncio.run_coroutine_threadsafe(work(), loop).result()

        return call


current_loop: ContextVar[asyncio.AbstractEventLoop | None] = ContextVar("ramet.loop", default=None)
"""The loop on which the application runs, for code in threads."""


def _found(contract: type[Contract]) -> Contract:
    find = current_clients.get()
    if find is None:
        raise _outside(contract)
    return find(contract)


def _outside(contract: type[Contract]) -> OutsideWork:
    return OutsideWork(
        f"client({contract.__name__}) was called where no application runs: call it while a mounted application serves "
        "a request, or in a test inside `async with running(…)`."
    )
