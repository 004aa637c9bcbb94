"""A service on grpc.aio over Unix sockets; messages are msgpack of the typed values, which is faster than protobuf."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import grpc
import msgspec
from peers.frontend import serve_starlette
from peers.methods import CONTRACTS, Method, assemble, methods_of

from ramet import Contract, Refusal

DEADLINE_SECONDS = 5.0
ENCODE = msgspec.msgpack.Encoder().encode
OPTIONS = [
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 200),
]
"""So that its start-up is not the waiting for a second attempt."""


async def serve(name: str, folder: str, port: int) -> None:
    """Until the process is terminated."""

    def client(other: str, contract: type[Contract]) -> Any:
        return _client(grpc.aio.insecure_channel(f"unix:{folder}/{other}", OPTIONS), contract)

    made = assemble(name, client)
    await made.startup()
    if name == "frontend":
        await serve_starlette(made, port)
        return
    server = grpc.aio.server()
    handlers = {method.name: _handler(made, method) for method in methods_of(CONTRACTS[name])}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(CONTRACTS[name].__name__, handlers),))
    server.add_insecure_port(f"unix:{folder}/{name}")
    await server.start()
    await server.wait_for_termination()


def _handler(made: Any, method: Method) -> Any:
    function, fields, message = getattr(made, method.name), method.request.__struct_fields__, _message(method)

    async def answer(request: Any, context: grpc.aio.ServicerContext) -> Any:
        try:
            return message(await function(*[getattr(request, field) for field in fields]))
        except Refusal as refusal:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(refusal))

    decode = msgspec.msgpack.Decoder(method.request).decode
    return grpc.unary_unary_rpc_method_handler(answer, request_deserializer=decode, response_serializer=ENCODE)


def _client(channel: grpc.aio.Channel, contract: type[Contract]) -> Any:
    def link(method: Method) -> Any:
        decode = msgspec.msgpack.Decoder(_message(method)).decode
        call = channel.unary_unary(f"/{method.path}", request_serializer=ENCODE, response_deserializer=decode)

        async def asked(*arguments: Any) -> Any:
            return (await call(method.request(*arguments), timeout=DEADLINE_SECONDS)).value

        return asked

    return SimpleNamespace(**{method.name: link(method) for method in methods_of(contract)})


def _message(method: Method) -> Any:
    """What gRPC answers with is always a message."""
    return msgspec.defstruct(f"{method.request.__name__}_answer", [("value", method.answer)], array_like=True)
