"""Frames out of a stream."""

from __future__ import annotations

from ramet.transport.wire.framing import HEAD_BYTES, PING, REPLY, Frames, framed


def test_a_frame_comes_out_as_it_went_in() -> None:
    assert Frames(100).split(framed(REPLY, 2**64 - 1, b"body")) == [(REPLY, 2**64 - 1, b"body")]


def test_many_frames_in_one_piece_come_in_order() -> None:
    stream = b"".join(framed(REPLY, number, b"x" * number) for number in range(10))
    assert [number for _, number, _ in Frames(100).split(stream)] == list(range(10))


def test_a_frame_byte_by_byte_comes_with_its_last_byte() -> None:
    frames, whole = Frames(100), framed(REPLY, 7, b"body")
    seen = [frames.split(whole[at : at + 1]) for at in range(len(whole))]
    assert seen == [*[[]] * (len(whole) - 1), [(REPLY, 7, b"body")]]


def test_what_was_whole_before_a_frame_that_is_too_large_is_still_given() -> None:
    frames = Frames(10)
    assert frames.split(framed(PING, 1) + framed(REPLY, 2, b"x" * 11)) == [(PING, 1, b"")]
    assert frames.broken == "a frame announced 11 bytes, and 10 are the most"


def test_a_frame_that_is_too_large_is_refused_before_its_body_has_come() -> None:
    frames = Frames(10)
    assert frames.split(framed(REPLY, 2, b"x" * 11)[:HEAD_BYTES]) == []
    assert frames.broken


def test_nothing_is_taken_after_that() -> None:
    frames = Frames(10)
    frames.split(framed(REPLY, 2, b"x" * 11))
    assert frames.split(framed(PING, 1)) == []


def test_a_frame_of_exactly_the_limit_is_taken() -> None:
    assert Frames(10).split(framed(REPLY, 2, b"x" * 10)) == [(REPLY, 2, b"x" * 10)]


def test_a_large_frame_in_very_many_small_pieces_is_one_body() -> None:
    body = bytes(range(256)) * 8
    frames, stream = Frames(4096), framed(REPLY, 7, body) + framed(PING, 8)
    pieces = [frames.split(stream[at : at + 3]) for at in range(0, len(stream), 3)]
    assert [frame for found in pieces for frame in found] == [(REPLY, 7, body), (PING, 8, b"")]


def test_a_frame_whose_head_comes_in_two_pieces_is_whole() -> None:
    frames, stream = Frames(100), framed(REPLY, 7, b"x" * 50)
    assert [*frames.split(stream[:5]), *frames.split(stream[5:30]), *frames.split(stream[30:])] == [
        (REPLY, 7, b"x" * 50)
    ]
