"""The document is versioned, readable and complete."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ramet.contract.describe import describe
from ramet.contract.reading.application import read
from ramet.errors import ConfigurationError
from ramet.model.application import Application
from ramet.model.document import FORMAT, dump, load
from tests.unit.model.shop import SHOP


def document() -> dict[str, Any]:
    found = json.loads(dump(describe(read(SHOP))))
    assert isinstance(found, dict)
    return found


def test_a_described_application_comes_back_equal() -> None:
    application = describe(read(SHOP))
    assert load(dump(application)) == application


def test_it_is_the_same_each_time() -> None:
    assert dump(describe(read(SHOP))) == dump(describe(read(SHOP)))


def test_it_begins_with_its_format_and_ends_with_a_line() -> None:
    text = dump(Application(name="empty")).decode()
    assert text.splitlines()[1] == f'  "format": "{FORMAT}",'
    assert text.endswith("}\n")


def test_every_reference_leads_to_a_schema() -> None:
    whole = document()

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [found for inner in value.values() for found in references(inner)]
        return [found for inner in value for found in references(inner)] if isinstance(value, list) else []

    found = references(whole)
    assert found
    for reference in found:
        target: Any = whole
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
        assert target["type"] == "object"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": "ramet.model/2"}, 'The model document has the format "ramet.model/2", not "ramet.model/1"'),
        ({"format": 1}, "Expected `str`, got `int`"),
        ({"application": {"name": "shop", "colour": "red"}}, "unknown field `colour`"),
        ({"application": {}}, "missing required field `name`"),
    ],
)
def test_another_format_and_a_damaged_one_are_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(json.dumps({**document(), **change}))
    assert sentence in str(caught.value)
    assert str(caught.value).endswith("write it anew with `ramet model --json`.")


def test_a_document_without_end_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="is damaged"):
        load('{"format": "ramet.model/1", "application": ' + "[" * 100_000)
