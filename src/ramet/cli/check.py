"""`ramet check`: every mistake in the declarations, the boundaries and ramet.toml, at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from ramet.cli import output
from ramet.cli.application import configuration
from ramet.cli.command import FOUND, Choices, command

if TYPE_CHECKING:
    from ramet.contract.problems import Problem


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(
        app,
        ("ramet check", "every mistake with its file and line"),
        ("ramet check --json", "the same for an editor or a pipeline"),
    )(check)


def check(choices: Choices) -> int:
    """Find mistakes in contracts, services, sagas, APIs, boundaries and ramet.toml.

    Nothing is started and no database is opened. Exit code 1 when something was found.
    """
    from ramet.contract.reading import examine
    from ramet.runtime.boundaries import crossings
    from ramet.runtime.configuration import make_importable

    found = configuration(choices)
    make_importable(found.folder)
    with output.progress(f"Checking {found.application.name}"):
        declared, problems = examine(found.application)
        problems = tuple(sorted({*problems, *crossings(declared, found.application)}))
    if choices.json:
        output.document({"problems": [_plain(one) for one in problems], "warnings": [_plain(one) for one in declared.warnings]})
        return FOUND if problems else 0
    for warning in declared.warnings:
        output.note(f"{output.paint('warning:', 'yellow')} {warning}")
    if problems:
        output.problems([str(problem) for problem in problems])
        return FOUND
    parts = f"{len(declared.services)} services, {len(declared.apis)} APIs, {len(declared.contracts)} contracts"
    output.say(f"{declared.name}: {parts}, no problem found.")
    return 0


def _plain(problem: Problem) -> dict[str, object]:
    return {"file": problem.file, "line": problem.line, "message": problem.message, "remedy": problem.remedy}
