"""Settings: where a value comes from, and what is said when it does not fit."""

from __future__ import annotations

import contextlib
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ramet import Secret, Settings
from ramet.errors import ConfigurationError
from ramet.settings import read_settings, seconds


class Rates(Settings):
    hold: timedelta = timedelta(minutes=5)
    pause: timedelta | None = None
    most: Annotated[int, msgspec.Meta(ge=1)] = 3
    open: bool = True
    names: tuple[str, ...] = ()
    card_key: Secret = Secret("default")
    other: Secret | None = None


class Required(Settings):
    url: str
    port: int
    most: int = 3


def rates(table: dict[str, Any] | None = None, environment: dict[str, str] | None = None) -> Rates:
    return read_settings(
        Rates, application="my-shop", service="order-book", table=table or {}, environment=environment or {}
    )


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("150ms", 0.15),
        ("10s", 10),
        ("5m", 300),
        ("2h", 7200),
        ("1d", 86400),
        ("1w", 604800),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        (" 1.5s ", 1.5),
        (7, 7),
        (0.5, 0.5),
        (timedelta(minutes=1), 60),
    ],
)
def test_a_duration_is_in_seconds(text: Any, length: float) -> None:
    assert seconds(text) == pytest.approx(length)


@pytest.mark.parametrize(
    "text", ["", "10", "s", "ten minutes", "10x", "-5s", "5 s 3", None, True, float("nan"), [], b"5s"]
)
def test_what_is_no_duration_is_said(text: Any) -> None:
    with pytest.raises(ValueError, match='is not a duration: write "150ms"'):
        seconds(text)


@given(st.text())
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert seconds(text) >= 0


def test_the_environment_comes_before_the_file_and_the_file_before_the_default() -> None:
    assert rates().most == 3
    assert rates({"most": 4}).most == 4
    assert rates({"most": 4}, {"MY_SHOP_ORDER_BOOK_MOST": "5"}).most == 5


def test_text_becomes_what_the_field_is() -> None:
    environment = {
        "MY_SHOP_ORDER_BOOK_HOLD": "90s",
        "MY_SHOP_ORDER_BOOK_PAUSE": "2m",
        "MY_SHOP_ORDER_BOOK_OPEN": "false",
        "MY_SHOP_ORDER_BOOK_NAMES": '["a", "b"]',
    }
    found = rates({}, environment)
    assert (found.hold, found.pause) == (timedelta(seconds=90), timedelta(minutes=2))
    assert (found.open, found.names) == (False, ("a", "b"))


def test_a_secret_is_a_reference_and_is_masked(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from a file\n", encoding="utf-8")
    assert rates({"card_key": "env:CARD"}, {"CARD": "hidden"}).card_key.reveal() == "hidden"
    assert rates({"other": f"file:{tmp_path / 'key'}"}).other == Secret("from a file")
    assert rates({"card_key": "plain"}).card_key.reveal() == "plain"
    found = rates({"card_key": "hidden"})
    assert "hidden" not in f"{found} {found!r} {found.card_key}"
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != "a"


@pytest.mark.parametrize(
    ("table", "environment", "sentence"),
    [
        ({"colour": 1}, {}, "[settings.order-book] colour in ramet.toml: Rates has no such field; it has hold, pause"),
        ({"most": "x"}, {}, "[settings.order-book] most in ramet.toml: Expected `int`, got `str`."),
        ({"most": 0}, {}, "[settings.order-book] most in ramet.toml: Expected `int` >= 1."),
        ({}, {"MY_SHOP_ORDER_BOOK_MOST": "x"}, "the environment variable MY_SHOP_ORDER_BOOK_MOST: Expected `int`"),
        ({"hold": "soon"}, {}, '"soon" is not a duration'),
        ({"card_key": "env:NOWHERE"}, {}, "the environment variable NOWHERE, to which it refers, is not set."),
        ({"card_key": "env:"}, {}, '"env:" is followed by the name of an environment variable.'),
        (
            {"card_key": "file:/no/such"},
            {},
            "card_key in ramet.toml: the file /no/such, to which it refers, cannot be read: No such file or directory.",
        ),
        ({"card_key": f"file:{sys.executable}"}, {}, "cannot be read: it is not text in UTF-8."),
        ({"card_key": ["a"]}, {}, 'card_key in ramet.toml: a secret is a text, such as "env:NAME"'),
        ({"names": 5}, {}, "Expected `array`, got `int`"),
    ],
)
def test_what_does_not_fit_is_said_with_its_origin(
    table: dict[str, Any], environment: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        rates(table, environment)
    assert sentence in str(caught.value)


def test_every_missing_value_is_named() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_settings(Required, application="shop", service="mail", table={}, environment={})
    assert str(caught.value) == (
        "The service mail has no value for url, port: set it in [settings.mail] of ramet.toml, or as SHOP_MAIL_URL."
    )


def test_values_that_do_not_fit_together_are_refused() -> None:
    class Window(Settings):
        begin: int = 0
        end: int = 0

        def __post_init__(self) -> None:
            if self.end < self.begin:
                raise ValueError("the end is before the beginning")

    with pytest.raises(ConfigurationError, match="The settings of mail do not fit together: the end is before"):
        read_settings(Window, application="a", service="mail", table={"begin": 5}, environment={})
