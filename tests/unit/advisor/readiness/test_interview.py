"""Answers are read with one sentence for each mistake, and written as they were read."""

from __future__ import annotations

import pytest

from ramet.advisor.readiness.interview import read_answers, write_answers
from ramet.advisor.readiness.score import Answers, Stage
from ramet.errors import ConfigurationError


def test_answers_are_read_as_they_were_written() -> None:
    answers = Answers(items={"management": True, "pipeline": False}, team=14, stage=Stage.GROWTH)
    assert read_answers(write_answers(answers), "file") == answers


def test_nothing_said_is_nothing_known() -> None:
    assert read_answers(write_answers(Answers()), "file") == Answers()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("team = ", r"answers\.toml: "),
        ('team = "many"', r"answers\.toml: Expected `int"),
        ("team = 0", "a team of 0 is none"),
        (
            'stage = "big"',
            "Invalid enum value 'big'. An answer is true or false, a team a number, a stage start-up, growth, scale.",
        ),
        ("[answers]\nmanagment = true", 'has no item "managment"; did you mean management'),
        ("size = 3", 'there is no key "size"; there are team, stage, answers'),
    ],
)
def test_a_mistake_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        read_answers(text, "answers.toml")
