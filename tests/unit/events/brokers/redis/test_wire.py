"""How positions and entries look in Redis."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ramet.events.base import Message
from ramet.events.brokers.holding import Entry
from ramet.events.brokers.redis.wire import (
    Names,
    done_by_all,
    entry_text,
    field_of,
    identifier_of,
    position_at,
    position_of,
    read_entry,
    route_of,
)

NUMBER = st.integers(0, (1 << 63) - 1)


@given(NUMBER, NUMBER)
def test_identifiers_and_positions_are_the_same(milliseconds: int, sequence: int) -> None:
    identifier = f"{milliseconds}-{sequence}"
    assert identifier_of(position_of(identifier.encode())) == identifier


@given(st.tuples(NUMBER, NUMBER), st.tuples(NUMBER, NUMBER))
def test_positions_are_in_the_order_of_identifiers(one: tuple[int, int], other: tuple[int, int]) -> None:
    first, second = (position_of(b"%d-%d" % identifier) for identifier in (one, other))
    assert (first < second) == (one < other)


def test_a_moment_is_before_what_was_written_in_it() -> None:
    assert position_at(1700000000.0005) <= position_of(b"1700000000000-0") < position_at(1700000000.0015)


@pytest.mark.parametrize("entry", [Entry(), Entry(owner="me", floor=position_of(b"5-7"))])
def test_an_entry_is_read_as_it_was_written(entry: Entry) -> None:
    assert read_entry(f"3 {entry_text(entry)}".encode()) == (entry, 3)


def test_an_entry_that_is_not_there_begins_at_the_beginning() -> None:
    assert read_entry(None) == (Entry(), 0)


def test_who_has_done_least_decides_what_all_have_done() -> None:
    positions = [
        (field_of(consumer, number).encode(), f"1 {identifier_of(floor)} ".encode())
        for consumer, number, floor in [("a", 1, 5), ("b", 1, 3), ("a", 11, 1), ("b", 0, 2)]
    ]
    assert [done_by_all(positions, number) for number in range(3)] == [2, 3, None]


def test_a_key_has_one_partition_and_each_topic_a_route() -> None:
    placed = Message(id="1", topic="orders.Placed", key="k")
    paid = Message(id="2", topic="orders.Paid", key="k")
    number = route_of(placed, 8).partition(" ")[0]
    assert (route_of(placed, 8), route_of(paid, 8)) == (f"{number} orders.Placed", f"{number} orders.Paid")
    assert Names("shop").events(int(number)) == f"ramet:shop:events:{number}"


def test_databases_of_a_server_do_not_hear_each_other() -> None:
    assert Names("shop", 0).members != Names("shop", 1).members
