"""`ramet check`: every mistake in the declarations, the boundaries and ramet.toml, at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ramet.cli import output
from ramet.cli.application import configuration
from ramet.cli.command import FOUND, Choices, command

if TYPE_CHECKING:
    from ramet.contract.problems import Problem


@command(
    ("ramet check", "every mistake with its file and line"),
    ("ramet check --json", "the same for an editor or a pipeline"),
)
def check(choices: Choices) -> int:
    """Find every mistake in the declarations.

    It looks at contracts, services, sagas, APIs, boundaries and ramet.toml. Nothing is started and no database is
    opened. Exit code 1 when something was found.
    """
    from ramet.contract.reading.application import examine
    from ramet.contract.reading.boundaries import crossings
    from ramet.runtime.configuration import make_importable, settings_that_never_fit, tables_of_nobody
    from ramet.runtime.planning import place

    found = configuration(choices)
    make_importable(found.folder)
    with output.progress(f"Checking {found.application.name}"):
        declared, problems = examine(found.application)
        problems += tuple(crossings(declared, found.application))
        problems += (*tables_of_nobody(found, declared), *settings_that_never_fit(found, declared))
        for deployment in found.deployments.values():
            problems += place(deployment, declared, found.place)[1]
        problems = tuple(sorted(set(problems)))
    if choices.json:
        output.document({"problems": _plain(problems), "warnings": _plain(declared.warnings)})
        return FOUND if problems else 0
    for warning in declared.warnings:
        output.note(f"{output.paint('warning:', 'yellow')} {warning}")
    if problems:
        output.problems([str(problem) for problem in problems])
        return FOUND
    parts = (("service", declared.services), ("API", declared.apis), ("mounted application", declared.mounted))
    counts = ", ".join(output.counted(len(found), name) for name, found in parts if found) or "nothing"
    output.say(f"{declared.name}: {counts}; no problem found.")
    return 0


def _plain(found: Sequence[Problem]) -> list[dict[str, object]]:
    return [dataclasses.asdict(problem) for problem in found]
