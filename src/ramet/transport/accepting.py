"""Listening no more, without losing whoever was let in at the last moment."""

from __future__ import annotations

import asyncio

_TICKS = 2
"""One until the loop's own tasks for whoever was let in have run, one for what these call soon."""


async def stop_accepting(server: asyncio.Server) -> None:
    """Close a server of the running loop; its protocols have all been told of their connection when this returns.

    asyncio lets a connection in, and makes its transport in a task of its own, which fails where the server has been
    closed meanwhile: the connection would be dropped without a word. So nobody is let in first, and closed then.
    uvloop lets people in until it is closed, and tells the protocols of the last ones afterwards.
    """
    loop = asyncio.get_running_loop()
    for listener in server.sockets:
        loop.remove_reader(listener.fileno())
    await _let_run()
    server.close()
    await _let_run()


async def _let_run() -> None:
    for _ in range(_TICKS):
        await asyncio.sleep(0)
