"""Names and numbers in JetStream."""

from __future__ import annotations

from ramet.events.base import Message
from ramet.events.brokers.nats.wire import Names, Origin, origin, publish_id


def test_an_application_may_have_any_name() -> None:
    assert Names("my shop.v2").stream == "ramet_my_shop_v2"


def test_messages_of_one_key_have_one_subject() -> None:
    names = Names("shop")
    subjects = {names.subject(Message(id=str(number), topic="orders.Placed", key="order-1"), 8) for number in range(20)}
    assert len(subjects) == 1
    number, topic = names.partition(subjects.pop())
    assert topic == "orders.Placed"
    assert 0 <= number < 8


def test_all_partitions_are_one_filter() -> None:
    names = Names("shop")
    assert names.filters({"orders.Placed"}, range(4), 4) == ["ramet.shop.events.*.orders.Placed"]
    assert names.filters({"orders.Placed"}, [1, 3], 4) == [
        "ramet.shop.events.1.orders.Placed",
        "ramet.shop.events.3.orders.Placed",
    ]


def test_where_a_message_stands_is_read_with_and_without_a_domain() -> None:
    expected = Origin("r7", 42, 3)
    assert origin("$JS.ACK.ramet_shop.r7.1.42.3.1700000000.0") == expected
    assert origin("$JS.ACK.hub.account.ramet_shop.r7.1.42.3.1700000000.0.chance") == expected


def named(*names: str) -> list[Message]:
    return [Message(id=name, topic="t") for name in names]


def test_an_id_that_no_header_takes_is_recognised_all_the_same() -> None:
    one = publish_id(named("käse\r\n"))
    assert one.isalnum()
    assert one == publish_id(named("käse\r\n")) != publish_id(named("käse"))
    assert publish_id(named("0190-a")) == "0190-a"


def test_a_pack_is_recognised_by_all_that_is_in_it() -> None:
    assert publish_id(named("a", "b")) == publish_id(named("a", "b"))
    assert len({publish_id(named(*names)) for names in ("a", "ab", "ac", "ba")}) == 4
