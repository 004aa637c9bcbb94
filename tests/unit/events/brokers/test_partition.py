"""How far a partition is read, and how far it is done."""

from __future__ import annotations

from ramet.events.brokers.partition import Partition, partition_of


def reading(*positions: int) -> Partition:
    partition = Partition(0, floor=10, revision=1, again_until=0)
    for position in positions:
        assert partition.take(position)
    return partition


def test_all_is_done_up_to_the_first_that_is_in_flight() -> None:
    partition = reading(12, 15, 17)
    assert partition.floor == 11
    partition.done(15)
    assert partition.floor == 11
    partition.done(12)
    assert partition.floor == 16
    partition.done(17)
    assert (partition.floor, partition.idle) == (17, True)


def test_what_was_read_is_not_taken_again() -> None:
    partition = reading(12)
    assert not partition.take(12)
    assert not partition.take(11)


def test_a_partition_that_is_given_back_takes_nothing_more() -> None:
    partition = reading(12)
    partition.leaving_since = 1.0
    assert not partition.take(13)
    assert partition.read == 12


def test_positions_that_the_store_has_lost_are_read_anew() -> None:
    partition = reading(12, 15)
    partition.forget_after(13)
    assert partition.read == 13
    assert partition.take(14)
    partition.done(12)
    assert partition.floor == 13


def test_keys_spread_over_all_partitions() -> None:
    assert {partition_of(f"order-{number}", 8) for number in range(200)} == set(range(8))


def test_what_is_not_wanted_is_done_when_what_was_before_it_is() -> None:
    partition = Partition(0, floor=0, revision=1, again_until=0)
    partition.take(1)
    partition.pass_over(2)
    assert (partition.read, partition.floor) == (2, 0)
    partition.done(1)
    assert partition.floor == 2


def test_a_partition_that_is_about_to_be_given_back_passes_over_nothing() -> None:
    partition = Partition(0, floor=0, revision=1, again_until=0)
    partition.leaving_since = 1.0
    assert not partition.take(1)
    partition.pass_over(2)
    assert partition.floor == 0
