"""Who is there, and who reads what."""

from __future__ import annotations

from ramet.events.brokers.members import LEASE_SECONDS, Beat, Members, encode_beat, share_of


def beat(instance: str, *, news: int = 0, leaving: bool = False) -> bytes:
    return encode_beat(Beat(instance, ("billing.note",), news, leaving))


def test_every_partition_has_exactly_one_reader() -> None:
    for members in (["a"], ["a", "b"], ["c", "a", "b"]):
        shares = [share_of(member, members, 8) for member in members]
        assert sorted(number for share in shares for number in share) == list(range(8))
        assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_a_replica_that_is_heard_of_takes_its_share_until_it_leaves_or_falls_silent() -> None:
    members = Members("a", now=0.0)
    assert members.share("billing.note", 4, now=0.0) == {0, 1, 2, 3}
    assert members.hear(beat("b"), now=1.0)
    assert members.share("billing.note", 4, now=1.0) == {0, 2}
    assert members.share("mail.tell", 4, now=1.0) == {0, 1, 2, 3}
    assert members.share("billing.note", 4, now=1.0 + LEASE_SECONDS) == {0, 1, 2, 3}
    members.hear(beat("b"), now=9.0)
    assert members.hear(beat("b", leaving=True), now=9.0)
    assert members.share("billing.note", 4, now=9.0) == {0, 1, 2, 3}


def test_only_what_is_new_is_news() -> None:
    members = Members("a", now=0.0)
    assert members.hear(beat("b"), now=0.0)
    assert not members.hear(beat("b"), now=1.0)
    assert members.hear(beat("b", news=1), now=2.0)


def test_nobody_is_taken_for_dead_before_a_lease_has_passed() -> None:
    members = Members("a", now=0.0)
    assert members.may_live("b", now=LEASE_SECONDS - 0.1)
    assert not members.may_live("b", now=LEASE_SECONDS)
    members.hear(beat("b"), now=5.0)
    assert members.may_live("b", now=5.0 + LEASE_SECONDS - 0.1)
    members.restart(now=20.0)
    assert members.may_live("c", now=20.0 + LEASE_SECONDS - 0.1)
