"""A server process of one core: it announces its address, and tells the processor time it has used when asked."""

from __future__ import annotations

import gc
import socket
import sys
import threading
import time
from typing import Any

import uvicorn

from benchmarks.contenders import arguments
from benchmarks.machine import pin


def announce(url: str) -> None:
    """Say where requests are answered."""
    print(url, flush=True)


def tell_time() -> None:
    """Answer every line on the standard input with the processor seconds used so far; return at its end."""
    for _ in sys.stdin:
        print(time.process_time(), flush=True)


def serve(app: Any) -> None:
    """Serve a peer with uvicorn, uvloop and httptools on the core that was asked for, until the input ends."""
    pin(arguments()["core"])
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="error",
        server_header=False,
        proxy_headers=False,
    )
    server = uvicorn.Server(config)
    threading.Thread(target=_until_told, args=(server, listener), daemon=True).start()
    gc.collect()
    server.run(sockets=[listener])


def _until_told(server: uvicorn.Server, listener: socket.socket) -> None:
    announce(f"http://127.0.0.1:{listener.getsockname()[1]}")
    tell_time()
    server.should_exit = True
