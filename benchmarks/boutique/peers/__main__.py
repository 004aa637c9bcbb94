"""`python -m peers KIND NAME FOLDER PORT`: one process of a peer."""

from __future__ import annotations

import gc
import sys
from collections.abc import Awaitable, Callable, Mapping

import uvloop
from peers import on_fastapi, on_grpc

KINDS: Mapping[str, Callable[[str, str, int], Awaitable[None]]] = {"grpc": on_grpc.serve, "fastapi": on_fastapi.serve}


async def serve(kind: str, name: str, folder: str, port: int) -> None:
    """With memory settled as Ramet does."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    await KINDS[kind](name, folder, port)


if __name__ == "__main__":
    _, kind, name, folder, port = sys.argv
    uvloop.run(serve(kind, name, folder, int(port)))
