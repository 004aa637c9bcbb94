"""A service on FastAPI over Unix sockets, called by aiohttp; JSON of the typed values by msgspec, not pydantic."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import aiohttp
import msgspec
from fastapi import FastAPI, Request, Response
from peers.frontend import run, serve_fastapi
from peers.methods import CONTRACTS, Method, assemble, methods_of

from ramet import Contract, Refusal

DEADLINE_SECONDS = 5.0
ENCODE = msgspec.json.Encoder().encode


async def serve(name: str, folder: str, port: int) -> None:
    """Until the process is terminated."""

    def client(other: str, contract: type[Contract]) -> Any:
        limit = aiohttp.ClientTimeout(total=DEADLINE_SECONDS)
        connector = aiohttp.UnixConnector(f"{folder}/{other}")
        return _client(aiohttp.ClientSession(connector=connector, timeout=limit), contract)

    made = assemble(name, client)
    await made.startup()
    if name == "frontend":
        await serve_fastapi(made, port)
        return
    app = FastAPI()
    for method in methods_of(CONTRACTS[name]):
        app.add_api_route(f"/{method.path}", _handler(made, method), methods=["POST"])
    await run(app, uds=f"{folder}/{name}")


def _handler(made: Any, method: Method) -> Any:
    function, fields = getattr(made, method.name), method.request.__struct_fields__
    decode = msgspec.json.Decoder(method.request).decode

    async def answer(request: Request) -> Response:
        asked = decode(await request.body())
        try:
            found = await function(*[getattr(asked, field) for field in fields])
        except Refusal as refusal:
            return Response(str(refusal), status_code=refusal.status)
        return Response(ENCODE(found), media_type="application/json")

    return answer


def _client(session: aiohttp.ClientSession, contract: type[Contract]) -> Any:
    def link(method: Method) -> Any:
        decode = msgspec.json.Decoder(method.answer).decode
        url = f"http://{contract.__name__.lower()}/{method.path}"

        async def asked(*arguments: Any) -> Any:
            async with session.post(url, data=ENCODE(method.request(*arguments))) as response:
                response.raise_for_status()
                return decode(await response.read())

        return asked

    return SimpleNamespace(**{method.name: link(method) for method in methods_of(contract)})
