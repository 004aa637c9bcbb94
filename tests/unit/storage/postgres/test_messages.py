"""What is sent to PostgreSQL is what its protocol says, and nothing that would be taken for something else."""

from __future__ import annotations

import pytest

from ramet.storage.postgres.messages import error_fields, execution, parse


def test_a_statement_is_named_and_its_length_is_right() -> None:
    message = parse(b"s", "SELECT 1")
    assert message[:1] == b"P"
    assert int.from_bytes(message[1:5], "big") == len(message) - 1
    assert message[5:] == b"s\0SELECT 1\0\0\0"


def test_values_are_texts_but_for_bytes() -> None:
    message = execution(b"s", ("né", None, 7, 1.5, True, b"\0x"))
    bind = message[: int.from_bytes(message[1:5], "big") + 1]
    assert bind[5:8] == b"\0s\0"
    assert bind[8:22] == b"\0\6" + b"\0\0" * 5 + b"\0\1"
    assert bind[22:-4] == (b"\0\6\0\0\0\3n\xc3\xa9\xff\xff\xff\xff\0\0\0\x017\0\0\0\x031.5\0\0\0\4true\0\0\0\2\0x")
    assert message[len(bind) :] == b"E\0\0\0\x09\0\0\0\0\0"


def test_a_value_of_a_type_of_its_own_is_what_it_is_derived_from() -> None:
    class Name(str):
        __slots__ = ()

    assert execution(b"s", (Name("a"),)) == execution(b"s", ("a",))


def test_a_statement_without_values_has_none() -> None:
    assert execution(b"s", ())[5:-14] == b"\0s\0\0\0\0\0"


def test_a_value_that_no_row_of_ramet_has_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(TypeError, match="list"):
        execution(b"s", ([1],))


def test_an_error_has_its_fields() -> None:
    assert error_fields(b"SERROR\0C23505\0Mtwice\0\0") == {"S": "ERROR", "C": "23505", "M": "twice"}
