"""Who is let in, who may call what, and what becomes of those who speak something else."""

from __future__ import annotations

import asyncio
import logging
import os
from random import Random

import pytest
from msgspec.structs import replace as replace_struct

from ramet.errors import Denied, Unauthenticated, Unavailable
from ramet.transport.base import Peer
from ramet.transport.wire.framing import HELLO, PING, REPLY, TROUBLE, framed
from ramet.transport.wire.protocol import CallerWire
from tests.integration.transport.bed import KINDS, Bed, until


def verify(token: bytes) -> Peer:
    if token == b"orders":
        return Peer(name="orders", may_call=frozenset({"shop"}))
    if token == b"guest":
        return Peer(name="guest", may_call=frozenset({"other"}))
    if token == b"":
        raise Unauthenticated("No token was given.")
    raise Denied("The token is not known.")


async def silent(bed: Bed) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection of somebody who says nothing, not even what TLS begins with."""
    kind, _, place = bed.address.partition(":")
    if kind == "unix":
        return await asyncio.open_unix_connection(place)
    host, _, port = place.strip("/").partition(":")
    return await asyncio.open_connection(host, int(port))


@pytest.mark.parametrize("kind", KINDS)
async def test_a_known_token_is_let_in(bed: Bed, kind: str) -> None:
    await bed.start(kind, verify=verify)
    channel = await bed.dial(token=b"orders")
    assert await channel.call(bed.call("echo", b"x")) == b"x"
    assert bed.shop.peers == {"orders"}
    await channel.close()


@pytest.mark.parametrize(("token", "why"), [(b"forged", "is not known"), (None, "No token was given")])
async def test_who_has_no_good_token_is_denied_with_the_reason(bed: Bed, token: bytes | None, why: str) -> None:
    server = await bed.start(verify=verify)
    with pytest.raises(Denied, match=why):
        await bed.dial(token=token)
    await until(lambda: not server.connections)


async def test_the_token_is_verified_once_for_each_connection(bed: Bed) -> None:
    asked = []

    def counted(token: bytes) -> Peer:
        asked.append(token)
        return verify(token)

    await bed.start(verify=counted)
    channel = await bed.dial(token=b"orders")
    for _ in range(5):
        await channel.call(bed.call("echo"))
    assert asked == [b"orders"]
    await channel.close()


async def test_a_call_of_a_contract_that_was_not_declared_is_denied_and_logged(
    bed: Bed, caplog: pytest.LogCaptureFixture
) -> None:
    await bed.start(verify=verify)
    channel = await bed.dial(token=b"guest")
    with caplog.at_level(logging.WARNING), pytest.raises(Denied, match=r"guest may not call shop"):
        await channel.call(bed.call("echo"))
    assert "guest may not call shop.echo" in caplog.text
    assert not bed.shop.seen
    await channel.close()


async def test_a_stranger_writes_no_lines_of_its_own_into_the_log(bed: Bed, caplog: pytest.LogCaptureFixture) -> None:
    await bed.start(verify=verify)
    forged = "x\n12:00:00 error all is lost \x1b[31m"
    for name, application in ((forged, "shop"), ("x" * 60_000, "shop"), ("x", forged), ("x", "y" * 60_000)):
        reader, writer = await silent(bed)
        writer.write(CallerWire(1000).hello(application=application, name=name, token=b""))
        await reader.read()
        writer.close()
    channel = await bed.dial(token=b"guest")
    with pytest.raises(Denied):
        await channel.call(replace_struct(bed.call("echo"), method=f"shop.{forged}"))
    await channel.close()
    assert len(caplog.messages) == 5
    assert all(len(message) < 300 and message.isprintable() for message in caplog.messages)


async def test_who_is_refused_is_told_so_and_what_it_has_sent_besides_is_not_looked_at(
    bed: Bed, caplog: pytest.LogCaptureFixture
) -> None:
    await bed.start(verify=verify)
    reader, writer = await silent(bed)
    wire, now = CallerWire(1000), bed.clock.monotonic()
    writer.write(wire.hello(application="shop", name="x", token=b"forged") + wire.request(1, bed.call("echo"), now))
    assert b"The token is not known." in await reader.read()
    assert caplog.messages == ["A connection of x was refused: The token is not known."]
    writer.close()


async def test_a_name_that_no_method_has_is_not_kept(bed: Bed) -> None:
    server = await bed.start()
    wire, call = CallerWire(10_000), bed.call("echo")
    reader, writer = await let_in(bed, wire)
    writer.write(wire.request(1, replace_struct(call, method="shop." + "x" * 1000), bed.clock.monotonic()))
    await reader.read()
    await until(lambda: not server.connections)
    assert not bed.shop.seen
    writer.close()


async def test_a_process_of_another_application_is_sent_away(bed: Bed) -> None:
    await bed.start()
    with pytest.raises(Unavailable, match=r'is part of "shop", and not of "bank"'):
        await bed.dial(application="bank")


async def test_no_more_peers_are_let_in_than_are_allowed(bed: Bed) -> None:
    await bed.start(connections_limit=1)
    channel = await bed.dial()
    with pytest.raises(Unavailable, match="has 1 connections already"):
        await bed.dial()
    await channel.close()


async def test_a_later_version_is_refused_with_both_versions(bed: Bed) -> None:
    await bed.start()
    reader, writer = await asyncio.open_unix_connection(bed.address.removeprefix("unix:"))
    writer.write(framed(HELLO, 0, b"\x82\xa8versions\x92\x07\x08\xabapplication\xa4shop"))
    answer = await reader.read()
    assert b"it speaks version 1 of the protocol, and was spoken to in 7, 8" in answer
    writer.close()


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nhost: shop\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
        framed(PING, 1),
        framed(HELLO, 0, b"\xc1"),
        bytes(1000),
    ],
)
async def test_who_speaks_something_else_is_disconnected(bed: Bed, garbage: bytes) -> None:
    server = await bed.start("tcp")
    host, port = bed.address.removeprefix("tcp://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(garbage)
    try:
        assert await reader.read() == b""
    except ConnectionResetError:
        pass
    await until(lambda: not server.connections)
    writer.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_who_says_nothing_is_disconnected(bed: Bed, kind: str) -> None:
    await bed.start(kind, handshake_seconds=0.01)
    reader, writer = await silent(bed)
    async with asyncio.timeout(20):
        assert await reader.read() == b""
    writer.close()


async def test_those_who_say_nothing_take_nobodys_place(bed: Bed) -> None:
    server = await bed.start("tcp", connections_limit=2, strangers_limit=4)
    held = [await silent(bed) for _ in range(10)]
    channels = [await bed.dial() for _ in range(2)]
    assert [await channel.call(bed.call("echo", b"x")) for channel in channels] == [b"x", b"x"]
    assert server.connections <= 2 + 4
    with pytest.raises(Unavailable, match="has 2 connections already"):
        await bed.dial()
    for channel in channels:
        await channel.close()
    for _, writer in held:
        writer.close()


@pytest.mark.parametrize("seed", range(5))
async def test_a_server_survives_garbage_from_somebody_it_has_let_in(bed: Bed, seed: int) -> None:
    server = await bed.start()
    good = await bed.dial()
    reader, writer = await asyncio.open_unix_connection(bed.address.removeprefix("unix:"))
    writer.write(CallerWire(1000).hello(application="shop", name="x", token=b""))
    await reader.read(1)
    writer.write(framed(4, 1, os.urandom(50 + seed)) + os.urandom(10_000))
    await reader.read()
    await until(lambda: server.connections == 1)
    assert await good.call(bed.call("echo", b"x")) == b"x"
    writer.close()
    await good.close()


async def let_in(bed: Bed, wire: CallerWire) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection of somebody who speaks the protocol by hand, up to the welcome."""
    reader, writer = await silent(bed)
    writer.write(wire.hello(application="shop", name="x", token=b""))
    while not wire.is_open:
        for _ in wire.receive(await reader.read(1)):
            assert wire.is_open
    return reader, writer


@pytest.mark.parametrize("seed", range(5))
async def test_a_server_survives_calls_with_wrong_bytes_in_them(bed: Bed, seed: int) -> None:
    server, chance = await bed.start(), Random(seed)
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, failure: failures.append(failure))
    good = await bed.dial()
    sent = CallerWire(1000).requests(7, [bed.call("echo", b"x" * 9, key="k")] * 4, bed.clock.monotonic())
    assert sent is not None
    for _ in range(100):
        wrong = bytearray(sent)
        for _ in range(chance.choice((1, 1, 2, 5))):
            wrong[chance.randrange(len(wrong))] = chance.randrange(256)
        reader, writer = await let_in(bed, CallerWire(1000))
        writer.write(bytes(wrong))
        writer.write_eof()
        await reader.read()
        writer.close()
    await until(lambda: server.connections == 1)
    assert await good.call(bed.call("echo", b"x")) == b"x"
    assert not failures
    await good.close()


async def test_who_asks_for_more_than_it_reads_is_refused_the_rest_of_it(bed: Bed) -> None:
    await bed.start(calls_limit_bytes=2_000_000)
    wire, now = CallerWire(1_000_000), bed.clock.monotonic()
    reader, writer = await let_in(bed, wire)
    sent = wire.requests(1, [bed.call("large", b"500000")] * 100, now)
    assert sent is not None
    writer.write(sent)
    kinds: list[int] = []
    while len(kinds) < 100:
        kinds += [kind for kind, _, _ in wire.receive(await reader.read(100_000))]
    assert 4 <= len(bed.shop.seen) <= 20
    assert (kinds.count(REPLY), kinds.count(TROUBLE)) == (len(bed.shop.seen), 100 - len(bed.shop.seen))
    writer.close()


async def test_who_sends_a_number_twice_is_disconnected_and_nothing_more_of_it_is_executed(bed: Bed) -> None:
    server = await bed.start()
    wire, now = CallerWire(1000), bed.clock.monotonic()
    reader, writer = await let_in(bed, wire)
    twice = wire.requests(1, [bed.call("wait"), bed.call("echo")], now)
    assert twice is not None
    writer.write(wire.request(1, bed.call("wait"), now) + twice)
    await reader.read()
    await until(lambda: not server.connections)
    assert [call.method for call in bed.shop.seen] == ["shop.wait"]
    writer.close()


@pytest.mark.parametrize("ahead", [0.0, -0.5, 3600.0, -3600.0])
async def test_the_time_that_is_left_is_the_same_whatever_the_clock_of_the_other_side_shows(
    bed: Bed, ahead: float
) -> None:
    await bed.start()
    wire = CallerWire(1000)
    reader, writer = await let_in(bed, wire)
    call, now = bed.call("echo", seconds=30.0), bed.clock.monotonic()
    theirs = replace_struct(call.context, deadline=call.context.deadline + ahead)
    writer.write(wire.request(1, replace_struct(call, context=theirs), now + ahead))
    await reader.read(1)
    (seen,) = bed.shop.seen
    assert seen.context.deadline == pytest.approx(call.context.deadline, abs=5.0)
    assert (seen.context.deadline == call.context.deadline) or ahead
    writer.close()


@pytest.mark.parametrize(("kind", "executed"), [("unix", []), ("tcp", ["shop.echo"])])
async def test_what_was_too_long_on_its_way_is_not_executed_where_both_sides_have_one_clock(
    bed: Bed, kind: str, executed: list[str]
) -> None:
    await bed.start(kind)
    wire = CallerWire(1000)
    reader, writer = await let_in(bed, wire)
    call = bed.call("echo", seconds=-1.0)
    writer.write(wire.request(1, call, bed.clock.monotonic() - 2.0))
    await reader.read(1)
    assert [each.method for each in bed.shop.seen] == executed
    writer.close()


async def test_a_server_that_speaks_something_else_is_unavailable(bed: Bed) -> None:
    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(web, "127.0.0.1", 0) as server:
        bed.address = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(Unavailable, match="the protocol was broken"):
            await bed.dial()


async def test_a_server_that_never_answers_is_unavailable_in_time(bed: Bed) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        bed.address = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(Unavailable, match="did not answer in time"):
            await bed.dial(connect_seconds=0.05)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "unix:/nobody/listens/here"])
async def test_where_nobody_listens_is_unavailable_with_the_address(bed: Bed, address: str) -> None:
    bed.address = address
    with pytest.raises(Unavailable, match=address):
        await bed.dial()


async def test_who_has_to_prove_himself_anew_finishes_what_is_in_flight_and_comes_again(bed: Bed) -> None:
    until_when = bed.clock.time() + 0.05
    server = await bed.start(verify=lambda token: Peer(token.decode(), until=until_when))
    channel = await bed.dial(token=b"orders")
    waiting = asyncio.ensure_future(channel.call(bed.call("wait", b"in flight")))
    await bed.shop.arrived.wait()
    await until(lambda: not channel.usable)
    with pytest.raises(Unavailable, match="is about to end"):
        await channel.call(bed.call("echo"))
    bed.shop.gate.set()
    assert await waiting == b"in flight"
    await until(lambda: not server.connections)

    until_when = bed.clock.time() + 3600
    again = await bed.dial(token=b"orders")
    assert await again.call(bed.call("echo", b"x")) == b"x"
    assert again.usable
    await again.close()
