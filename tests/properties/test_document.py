"""The model as a document, and back."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ramet.errors import ConfigurationError
from ramet.model.application import Application
from ramet.model.document import dump, load
from tests.properties.models import APPLICATIONS

SLOW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@SLOW
@given(APPLICATIONS)
def test_loading_what_was_dumped_gives_an_equal_model(application: Application) -> None:
    document = dump(application)
    assert load(document) == application
    assert dump(load(document)) == document


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60))
def test_what_is_no_document_is_refused_with_one_sentence(document: bytes | str) -> None:
    with pytest.raises(ConfigurationError, match=r"write it anew with `ramet model --json`\.$"):
        load(document)


@SLOW
@given(APPLICATIONS, st.data())
def test_a_damaged_document_is_refused_or_says_something_else(application: Application, data: st.DataObject) -> None:
    document = bytearray(dump(application))
    at = data.draw(st.integers(0, len(document) - 1))
    document[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ConfigurationError):
        assert isinstance(load(bytes(document)), Application)
