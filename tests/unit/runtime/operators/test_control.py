"""Operators reach a running deployment through a socket; whatever they send is answered with one line."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ramet.clock import SystemClock
from ramet.contract.application import Application
from ramet.contract.reading.application import read
from ramet.errors import NotFound, RametError, Unavailable, UsageError
from ramet.runtime.operators.control import Control
from ramet.runtime.operators.operations import Operations, Place
from ramet.runtime.operators.protocol import LONGEST_PATH, address
from ramet.runtime.operators.remote import Remote, reach
from ramet.runtime.operators.requests import (
    Answer,
    Call,
    Called,
    GetStatus,
    ListSagas,
    Request,
    SagaList,
    ShowSaga,
    Status,
)
from ramet.runtime.running import Options, Running
from ramet.runtime.wiring import temporary


@asynccontextmanager
async def controlled(data: Path) -> AsyncIterator[None]:
    """An application without services, with its socket."""
    running = Running(read(Application("empty", services=[])), temporary(), Options())
    await running.start()
    place = Place(application="empty", deployment="local", storages={}, clock=SystemClock(), running=running)
    control = Control(data, Operations(place).answer)
    await control.start()
    try:
        yield
    finally:
        await control.stop()
        await running.stop()


async def ask(data: Path, request: Request, kind: type[Any]) -> Any:
    """From another thread, as another process would."""

    def work() -> Answer:
        with reach(data) as remote:
            assert remote is not None
            return remote.ask(request, kind)

    return await asyncio.to_thread(work)


async def test_requests_are_answered_with_what_they_ask_for(tmp_path: Path) -> None:
    async with controlled(tmp_path):
        status = await ask(tmp_path, GetStatus(), Status)
        assert (status.application, status.running) == ("empty", True)
        assert await ask(tmp_path, ListSagas(limit=1), SagaList) == SagaList(sagas=())


async def test_errors_arrive_as_what_they_were(tmp_path: Path) -> None:
    async with controlled(tmp_path):
        with pytest.raises(NotFound, match='There is no saga "x"'):
            await ask(tmp_path, ShowSaga(saga="x"), Answer)
        with pytest.raises(RametError, match='There is no contract "a"'):
            await ask(tmp_path, Call(contract="a", method="b"), Called)


async def test_the_socket_is_gone_when_it_is_stopped(tmp_path: Path) -> None:
    async with controlled(tmp_path):
        assert address(tmp_path).is_socket()
        assert address(tmp_path).stat().st_mode & 0o777 == 0o600
    with reach(tmp_path) as remote:
        assert remote is None
    assert not address(tmp_path).exists()


async def test_a_socket_that_a_killed_process_has_left_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(address(tmp_path)))
    with reach(tmp_path) as remote:
        assert remote is None
    async with controlled(tmp_path):
        assert (await ask(tmp_path, GetStatus(), Status)).running


@pytest.mark.parametrize(
    "line", [b"\n", b"[]\n", b'{"operation": "fly"}\n', b"\xff\n", b'{"operation": "status", "x": 1}\n']
)
async def test_what_is_not_understood_is_said_and_the_connection_goes_on(tmp_path: Path, line: bytes) -> None:
    async with controlled(tmp_path):
        reader, writer = await asyncio.open_unix_connection(str(address(tmp_path)))
        writer.write(line)
        reply = msgspec.json.decode(await reader.readline())
        assert reply["error"]["code"] == UsageError.code
        writer.write(b'{"operation": "status"}\n')
        assert msgspec.json.decode(await reader.readline())["answer"]["application"] == "empty"
        writer.close()
        await writer.wait_closed()


async def test_a_caller_that_goes_away_harms_nobody(tmp_path: Path) -> None:
    async with controlled(tmp_path):
        _, writer = await asyncio.open_unix_connection(str(address(tmp_path)))
        writer.write(b'{"operation": "sta')
        writer.transport.abort()
        assert (await ask(tmp_path, GetStatus(), Status)).running


def test_a_process_that_ends_before_it_answers_is_unavailable(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.shutdown(socket.SHUT_RDWR)
        with pytest.raises(Unavailable, match="has not answered"):
            Remote(ours, tmp_path).ask(GetStatus(), Status)


def test_a_folder_too_deep_for_a_socket_gets_a_place_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep, other = tmp_path / ("a" * 90), tmp_path / ("b" * 90)
    assert len(str(address(deep))) <= LONGEST_PATH
    assert address(deep) == address(deep)
    assert address(deep) != address(other)
    assert address(tmp_path) == tmp_path / "control.sock"
