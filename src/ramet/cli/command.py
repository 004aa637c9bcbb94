"""What every command shares: its options, its examples, its exit code, and one sentence instead of a traceback.

Exit codes: 0 good, 1 something was found or failed, 2 the input is wrong, 130 interrupted.
"""

from __future__ import annotations

import inspect
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from ramet.cli import blame, output
from ramet.errors import ConfigurationError, DeclarationError, InvalidArguments, MissingExtra, RametError, UsageError
from ramet.interruption import INTERRUPTED, LINE

FOUND, BAD_INPUT = 1, 2
INPUT = (ConfigurationError, DeclarationError, InvalidArguments, UsageError, MissingExtra)
Example = tuple[str, str]
Work = Callable[..., int | None]


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What every command may be told: another folder, JSON instead of text, tracebacks."""

    folder: Path | None = None
    json: bool = False
    debug: bool = False


def folder_option() -> click.Option:
    """`-C`, before or after the command's name."""
    return click.Option(
        ["--folder", "-C"],
        type=click.Path(path_type=Path),
        metavar="PATH",
        help="The application's folder, instead of this one.",
    )


def shared_options() -> list[click.Parameter]:
    """Those that every command has."""
    return [
        folder_option(),
        click.Option(["--json"], is_flag=True, help="Answer in JSON, for programs."),
        click.Option(["--debug"], is_flag=True, help="Show the traceback of an error."),
    ]


deployment_option = click.option(
    "--deployment", "-d", default="local", show_default=True, metavar="NAME", help="Which deployment of ramet.toml."
)
operated_option = click.option(
    "--deployment", "-d", default=None, metavar="NAME", help="Which deployment; by default the one that runs, or local."
)


def command(*examples: Example, name: str | None = None) -> Callable[[Work], click.Command]:
    """Make a function a command: it is given `Choices` and its own parameters, and returns the exit code."""

    def decorate(function: Work) -> click.Command:
        text = inspect.getdoc(function) or ""
        short = text.partition("\n")[0].rstrip(".")
        made = click.command(name or function.__name__, help=text, short_help=short, epilog=_epilog(examples))(function)
        made.params += shared_options()
        made.callback = _running(function)
        return made

    return decorate


class Group(click.Group):
    """Commands that belong together, shown in the order given."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the base class has named it
        """Not sorted."""
        return list(self.commands)


def group(name: str, text: str, *commands: click.Command) -> Group:
    """Make a group of commands."""
    return Group(name, {one.name or "": one for one in commands}, help=text)


def _running(function: Work) -> Callable[..., None]:
    def run(folder: Path | None, json: bool, debug: bool, **given: Any) -> None:
        context = click.get_current_context()
        choices = Choices(folder=folder or context.find_root().params.get("folder"), json=json, debug=debug)
        context.exit(attempt(choices, lambda: function(choices, **given)))

    return run


def attempt(choices: Choices, work: Callable[[], int | None]) -> int:
    """Do it, and return the exit code; what goes wrong is said in one sentence."""
    try:
        return work() or 0
    except KeyboardInterrupt:
        output.note(LINE)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone: `ramet events list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FOUND
    except Exception as error:  # noqa: BLE001 - whatever it is, it is said in one sentence
        return failed(choices, error)


def failed(choices: Choices, error: Exception) -> int:
    """Show an error, and return its exit code."""
    code = error.code if isinstance(error, RametError) else "unexpected"
    sentence, lines = (str(error), "") if isinstance(error, RametError) else blame.told(error)
    if choices.debug:
        lines = "".join(traceback.format_exception(error)).rstrip()
    if lines:
        output.note(lines)
    if choices.json:
        output.note_line({"error": {"code": code, "message": sentence}})
    elif isinstance(error, DeclarationError):
        output.problems([str(problem) for problem in error.problems])
    else:
        output.complain(sentence)
    return BAD_INPUT if isinstance(error, INPUT) else FOUND


def _epilog(examples: Sequence[Example]) -> str | None:
    r"""Examples below the options; \b keeps the lines as they are."""
    if not examples:
        return None
    width = max(len(line) for line, _ in examples)
    return "\b\nExamples:\n" + "\n".join(f"  {line.ljust(width)}  {what}".rstrip() for line, what in examples)
