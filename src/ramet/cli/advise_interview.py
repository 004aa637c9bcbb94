"""The interview of `ramet advise`: what a repository cannot know, asked on the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ramet.cli import output
from ramet.errors import ConfigurationError

if TYPE_CHECKING:
    from ramet.advisor.readiness.score import Answers


def ask(known: Answers) -> Answers:
    """Ask for what is not known yet; an empty line leaves it unknown. Raises: ConfigurationError without a terminal."""
    from ramet.advisor.readiness.checklist import ITEMS
    from ramet.advisor.readiness.score import Answers, Stage

    if not sys.stdin.isatty():
        raise ConfigurationError("An interview needs a terminal: write the answers into a file, and name it --answers.")
    output.note("Answer y or n; an empty line leaves it unknown.")
    items = dict(known.items)
    for item in ITEMS:
        if item.id not in items:
            said = click.prompt(f"  {item.ask}", default="", show_default=False, err=True).strip().lower()
            if said[:1] in ("y", "n"):
                items[item.id] = said.startswith("y")
    team = known.team if known.team is not None else _number("  How many developers are there?")
    stages = [one.value for one in Stage]
    stage = known.stage
    if stage is None:
        said = click.prompt(f"  At which stage is it ({', '.join(stages)})?", default="", show_default=False, err=True)
        stage = Stage(said) if said in stages else None
    return Answers(items=items, team=team, stage=stage)


def _number(question: str) -> int | None:
    said = click.prompt(question, default="", show_default=False, err=True).strip()
    return int(said) if said.isdecimal() and int(said) > 0 else None
