"""Values are frozen, keyword-only, and forgiving to newer senders."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ramet import Event, Settings, Struct
from ramet.model.application import Schedule
from ramet.vectorcall import inherits_vectorcall


class Line(Struct):
    quantity: int = 1
    sku: str


class Special(Line):
    gift: bool


class Sold(Event, key="order_id", version=3):
    order_id: str


class SoldOnline(Sold):
    site: str = ""


class Hold(Settings):
    minutes: int = 5
    name: str


@pytest.mark.parametrize(
    "value",
    [
        Line(sku="tea"),
        Special(sku="tea", gift=True),
        Sold(order_id="1"),
        Hold(name="a"),
        Schedule(method="m", when="1h"),
    ],
)
def test_every_value_is_frozen_and_keyword_only(value: msgspec.Struct) -> None:
    with pytest.raises(AttributeError):
        setattr(value, value.__struct_fields__[0], 2)
    with pytest.raises(TypeError):
        type(value)("positional")
    assert hash(value) == hash(msgspec.structs.replace(value))


def test_unknown_fields_are_ignored_but_not_in_settings() -> None:
    assert msgspec.json.decode(b'{"sku": "tea", "colour": 1}', type=Line) == Line(sku="tea")
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"name": "a", "colour": 1}', type=Hold)


def test_an_event_keeps_what_its_class_line_says() -> None:
    assert (Sold.key_field, Sold.schema_version) == ("order_id", 3)
    assert (Event.key_field, Event.schema_version) == (None, 1)


def test_an_event_that_extends_another_says_its_own() -> None:
    assert (SoldOnline.key_field, SoldOnline.schema_version) == ("order_id", 1)  # its version is its own
    assert SoldOnline.__struct_fields__ == ("order_id", "site")


def test_the_garbage_collector_looks_at_values_that_may_refer_to_others_only() -> None:
    class Plain(Struct):
        sku: str
        left: int | None = None

    class Heavier(Plain):
        weight: float

    class Held(Plain):
        within: Plain | None = None

    class HeldOnly(Held):
        name: str = ""

    found = {kind.__name__: kind.__struct_config__.gc for kind in (Plain, Heavier, Held, HeldOnly)}
    assert found == {"Plain": False, "Heavier": False, "Held": True, "HeldOnly": True}


def test_values_and_events_are_made_as_fast_as_the_structs_beneath_them() -> None:
    metaclasses: list[Any] = [type(kind) for kind in (msgspec.Struct, Struct, Line, Event, Sold)]
    have_vectorcall = 1 << 11
    assert all(metaclass.__flags__ & have_vectorcall for metaclass in metaclasses)


def test_a_metaclass_that_is_called_in_its_own_way_still_is() -> None:
    @inherits_vectorcall
    class Counting(msgspec.StructMeta):
        def __call__(self, *args: object, **values: object) -> object:
            return [super().__call__(*args, **values)]

    class Counted(msgspec.Struct, metaclass=Counting):
        sku: str

    assert isinstance(Counted("tea"), list)
