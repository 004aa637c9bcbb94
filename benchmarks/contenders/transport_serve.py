"""The answering side of one transport, in a process, of its own core or of any."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import nats
import uvicorn
import uvloop

from benchmarks.contenders import arguments
from benchmarks.contenders.http_server import announce, tell_time
from benchmarks.contenders.transport_asked import METHOD, Asked, Level, Stock, answer, answer_bytes
from benchmarks.contenders.transport_bare import BareServer, Echo
from benchmarks.contenders.transport_messages import ASKED, LEVEL, answer_message
from benchmarks.contenders.transport_models import application
from benchmarks.machine import pin
from ramet.clock import SystemClock
from ramet.contract.problems import Problems
from ramet.contract.reading.contracts import read_contract
from ramet.runtime.answering import Answering
from ramet.runtime.calls import Answerer, Boundary
from ramet.tasks import Tasks
from ramet.telemetry.counters import Counters
from ramet.transport.base import Call, Peer, Serve
from ramet.transport.options import Tls, TransportOptions
from ramet.transport.policy.bulkhead import Bulkhead
from ramet.transport.server import Server

Serving = Callable[[dict[str, Any]], Awaitable[str]]


def _ramet(address: str, answered: Serve) -> Serving:
    async def serve(asked: dict[str, Any]) -> str:
        clock, tls = (
            SystemClock(),
            Tls(certificate=Path(asked["folder"]) / "s.crt", key=Path(asked["folder"]) / "s.key"),
        )
        options = TransportOptions(application="bench", tls=tls, bulkhead=Bulkhead())
        server = Server(answered, None, clock=clock, spawn=Tasks().spawn, options=options)
        KEPT.append(server)
        return await server.start(address.format(folder=asked["folder"], own=os.getpid()))

    return serve


async def _level(call: Call, _: Peer) -> bytes:
    """The transport alone, and the same codec as everybody."""
    return answer_bytes(call.arguments)


def _contract() -> Serve:
    """As a replica answers the calls of a contract."""

    async def level(asked: Asked) -> Level:
        return answer(asked)

    clock, contract = SystemClock(), read_contract(Stock, Problems())
    counter, method = Counters().method(METHOD), contract.methods["level"]
    answering, boundary = Answering(), Boundary(contract, method, counter, clock)
    answering.add("stock", {"level": Answerer(method=method, boundary=boundary, counter=counter, answer=level)})
    return answering


def _over_unix(protocol: type[asyncio.Protocol]) -> Serving:
    async def serve(asked: dict[str, Any]) -> str:
        path = f"{asked['folder']}/bare{os.getpid()}"
        KEPT.append(await asyncio.get_running_loop().create_unix_server(protocol, path))
        return path

    return serve


async def _grpc(_: dict[str, Any]) -> str:
    async def level(request: Any, context: Any) -> Any:
        return answer_message(request)

    server = grpc.aio.server()
    handlers = {
        "Level": grpc.unary_unary_rpc_method_handler(
            level, request_deserializer=ASKED.FromString, response_serializer=LEVEL.SerializeToString
        )
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("Stock", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    KEPT.append(server)
    return f"127.0.0.1:{port}"


async def _fastapi(_: dict[str, Any]) -> str:
    config = uvicorn.Config(application(), port=0, access_log=False, log_level="error")
    server = uvicorn.Server(config)
    KEPT.append(asyncio.ensure_future(server.serve()))
    while not server.started:  # noqa: ASYNC110 - it has no other way to say so
        await asyncio.sleep(0.01)
    return f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"


async def _nats(asked: dict[str, Any]) -> str:
    connection = await nats.connect(asked["broker"])

    async def level(message: Any) -> None:
        await message.respond(answer_bytes(message.data))

    await connection.subscribe("stock.level", cb=level)
    await connection.flush()
    KEPT.append(connection)
    return str(asked["broker"])


KEPT: list[Any] = []
SERVERS: dict[str, Serving] = {
    "ramet": _ramet("unix:{folder}/r{own}", _level),
    "ramet_contract": _ramet("unix:{folder}/r{own}", _contract()),
    "ramet_tcp": _ramet("tcp://127.0.0.1:0", _level),
    "ramet_tls": _ramet("tls://127.0.0.1:0", _level),
    "echo": _over_unix(Echo),
    "bare": _over_unix(BareServer),
    "grpc": _grpc,
    "fastapi": _fastapi,
    "nats": _nats,
}


async def serve(asked: dict[str, Any]) -> None:
    """Serve until the input ends."""
    address = await SERVERS[asked["kind"]](asked)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    announce(address)
    await asyncio.get_running_loop().run_in_executor(None, tell_time)


if __name__ == "__main__":
    given = arguments()
    if given["core"] is not None:
        pin(given["core"])
    uvloop.run(serve(given))
    sys.stdout.write(json.dumps({}))
