"""JSON Schema of types, whatever Python makes of docstrings."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from ramet.contract.schemas import schema_components

PLAIN: dict[str, Any] = {"description": "  as it is"}


class Crate(msgspec.Struct):
    """What is carried.

    Never open.
    """

    label: Annotated[str, msgspec.Meta(description="  On its side.\n  Twice.")]
    description: str = "  kept"
    facts: dict[str, str] = msgspec.field(default_factory=lambda: PLAIN)


def test_descriptions_are_without_the_indentation_of_the_code() -> None:
    (made,), components = schema_components([Crate], ref_template="#/{name}")
    assert made == {"$ref": "#/Crate"}
    crate = components["Crate"]
    assert crate["description"] == "What is carried.\n\nNever open."
    assert crate["properties"]["label"]["description"] == "On its side.\nTwice."
    assert crate["properties"]["description"]["default"] == "  kept"
