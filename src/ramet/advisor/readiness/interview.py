"""Pure: what people say of themselves: a file of answers, read with one sentence for each mistake, and written.

team = 14
stage = "growth"                 # start-up, growth or scale

[answers]
management = true
operations-budget = false        # what is left out stays unknown
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from typing import Any

import msgspec

from ramet.advisor.readiness.checklist import ITEMS
from ramet.advisor.readiness.score import Answers, Stage
from ramet.errors import ConfigurationError

KEYS = ("team", "stage", "answers")
STAGES = ", ".join(one.value for one in Stage)


def read_answers(text: str, file: str) -> Answers:
    """Raises: ConfigurationError with the file, what is wrong, and what may be there."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{file}: {error}.") from error
    _known(document, KEYS, f"{file}: there is no key")
    try:
        team = msgspec.convert(document.get("team"), int | None)
        stage = msgspec.convert(document.get("stage"), Stage | None)
        items = msgspec.convert(document.get("answers", {}), dict[str, bool])
    except msgspec.ValidationError as error:
        raise ConfigurationError(
            f"{file}: {error}. An answer is true or false, a team a number, a stage {STAGES}."
        ) from error
    _known(items, [item.id for item in ITEMS], f"{file}: [answers] has no item")
    if team is not None and team < 1:
        raise ConfigurationError(f"{file}: a team of {team} is none.")
    return Answers(items=items, team=team, stage=stage)


def write_answers(answers: Answers) -> str:
    """As a file, which gives the same answers again."""
    lines = [f"team = {answers.team}"] if answers.team is not None else []
    lines += [f'stage = "{answers.stage.value}"'] if answers.stage is not None else []
    lines += ["", "[answers]"]
    for item in ITEMS:
        if item.id in answers.items:
            lines.append(f"{item.id} = {'true' if answers.items[item.id] else 'false'}".ljust(28) + f"# {item.ask}")
        else:
            lines.append(f"# {item.id} =".ljust(28) + f"# {item.ask}")
    return "\n".join(lines).lstrip() + "\n"


def _known(given: Mapping[str, Any], known: list[str] | tuple[str, ...], sentence: str) -> None:
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}."
            raise ConfigurationError(f'{sentence} "{name}"; {meant}')
