"""Where a server listens: files of Unix sockets, and ports."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from ramet.errors import ConfigurationError
from tests.integration.transport.bed import Bed


def place(bed: Bed) -> Path:
    return Path(bed.address.removeprefix("unix:"))


async def test_only_the_same_user_can_reach_a_unix_socket(bed: Bed) -> None:
    await bed.start()
    assert place(bed).stat().st_mode & 0o777 == 0o600


async def test_a_socket_that_nobody_answers_any_more_is_replaced(bed: Bed) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(f"{bed.folder}/s")
    await bed.start()
    channel = await bed.dial()
    assert await channel.call(bed.call("echo", b"x")) == b"x"
    await channel.close()


async def test_a_socket_that_somebody_answers_is_left_alone(bed: Bed) -> None:
    await bed.start()
    with pytest.raises(ConfigurationError, match="is answered by another process"):
        await bed.start()
    channel = await bed.dial()
    assert await channel.call(bed.call("echo", b"x")) == b"x"
    await channel.close()


async def test_the_file_is_removed_at_the_end_unless_it_is_somebody_elses_by_now(bed: Bed) -> None:
    one = await bed.start()
    place(bed).unlink()
    other = await bed.start()
    await one.close()
    assert place(bed).exists()
    await other.close()
    assert list(bed.folder.iterdir()) == []


async def test_the_port_that_was_found_is_in_the_address(bed: Bed) -> None:
    await bed.start("tcp")
    assert not bed.address.endswith(":0")


async def test_a_port_that_is_taken_is_a_mistake_in_one_sentence(bed: Bed) -> None:
    server = await bed.start("tcp")
    with pytest.raises(ConfigurationError, match=r"is taken by (process \d+|another program)"):
        await server.start(bed.address)


async def test_a_folder_that_is_not_there_is_a_mistake_in_one_sentence(bed: Bed) -> None:
    server = await bed.start()
    with pytest.raises(ConfigurationError, match="cannot be listened on: No such file"):
        await server.start(f"unix:{bed.folder}/none/s")
