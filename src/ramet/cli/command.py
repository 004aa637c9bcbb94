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
from typing import Annotated, Any

import typer

from ramet.cli import output
from ramet.errors import ConfigurationError, DeclarationError, InvalidArguments, MissingExtra, RametError, UsageError

FOUND, BAD_INPUT, INTERRUPTED = 1, 2, 130
INPUT = (ConfigurationError, InvalidArguments, UsageError, MissingExtra)
Example = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What every command may be told: another folder, JSON instead of text, tracebacks."""

    folder: Path | None = None
    json: bool = False
    debug: bool = False


FOLDER = Annotated[
    Path | None, typer.Option("--folder", "-C", help="The application's folder, instead of this one.", metavar="PATH")
]
DEPLOYMENT = Annotated[str, typer.Option("--deployment", "-d", help="Which deployment of ramet.toml.", metavar="NAME")]
SHARED = {
    "context": (typer.Context, inspect.Parameter.empty),
    "folder": (FOLDER, None),
    "json": (Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")], False),
    "debug": (Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")], False),
}


def command(
    app: typer.Typer, *examples: Example, name: str | None = None
) -> Callable[[Callable[..., int | None]], Callable[..., int | None]]:
    """Make a function a command of `app`: it is given `Choices`, then its own options, and returns the exit code."""

    def decorate(function: Callable[..., int | None]) -> Callable[..., int | None]:
        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]

        def run(**given: Any) -> None:
            context, folder, json, debug = (given.pop(shared) for shared in SHARED)
            choices = Choices(folder=folder or (context.obj or {}).get("folder"), json=json, debug=debug)
            raise typer.Exit(attempt(choices, lambda: function(choices, **given)))

        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters = [parameter.replace(kind=keyword) for parameter in own]
        parameters += [
            inspect.Parameter(shared, keyword, annotation=hint, default=default)
            for shared, (hint, default) in SHARED.items()
        ]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by inspect.signature
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        app.command(name or function.__name__, help=inspect.getdoc(function), epilog=_epilog(examples))(run)
        return function

    return decorate


def attempt(choices: Choices, work: Callable[[], int | None]) -> int:
    """Do it, and return the exit code; what goes wrong is said in one sentence."""
    try:
        return work() or 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone: `ramet events list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FOUND
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        if hasattr(error, "format_message"):  # typer's own: a wrong option
            raise
        return failed(choices, error)


def failed(choices: Choices, error: Exception) -> int:
    """Show an error, and return its exit code."""
    if choices.debug:
        output.note("".join(traceback.format_exception(error)).rstrip())
    expected = isinstance(error, RametError)
    code = error.code if isinstance(error, RametError) else "unexpected"
    sentence = str(error) if expected else f"{type(error).__name__}: {error} (a defect: --debug shows where)."
    if choices.json:
        output.note_line({"error": {"code": code, "message": sentence}})
    elif isinstance(error, DeclarationError):
        output.problems([str(problem) for problem in error.problems])
    else:
        output.complain(sentence)
    return BAD_INPUT if isinstance(error, (*INPUT, DeclarationError)) else FOUND


def _epilog(examples: Sequence[Example]) -> str | None:
    """Examples below the options; \b keeps the lines as they are."""
    if not examples:
        return None
    width = max(len(line) for line, _ in examples)
    return "\b\nExamples:\n" + "\n".join(f"  {line.ljust(width)}  {what}".rstrip() for line, what in examples)
