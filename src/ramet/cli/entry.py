"""The whole command line: every group, the options before a command's name, and wrong options in one sentence."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ramet.cli import call, check, db, events, model, new, openapi, output, sagas, status, up
from ramet.cli.command import BAD_INPUT, INTERRUPTED

HELP = """Write one Python application as services, and decide later where each one runs.

\b
  ramet new hello      a skeleton that runs
  ramet up             run it
  ramet COMMAND --help examples of every command"""

app = typer.Typer(
    name="ramet",
    help=HELP,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
for part in (new, up, check, model, status, sagas, events, db, openapi, call):
    part.register(app)


@app.callback()
def before(
    context: typer.Context,
    folder: Annotated[
        Path | None, typer.Option("--folder", "-C", help="The application's folder, instead of this one.", metavar="PATH")
    ] = None,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Options before the command's name."""
    context.obj = {"folder": folder}
    if version:
        from importlib.metadata import version as installed

        output.say(f"ramet {installed('ramet')}")
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 good, 1 something was found or failed, 2 the input is wrong."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run a command; the exit code."""
    try:
        return app(args=list(arguments), prog_name="ramet", standalone_mode=False) or 0
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Exception as error:
        explain = getattr(error, "format_message", None)  # typer's error for a wrong option, in any of its versions
        if explain is None:
            raise
        context = getattr(error, "ctx", None)
        if context is not None and explain() == context.get_help():  # a group without a command
            output.note(explain())
        else:
            path = context.command_path if context else "ramet"
            output.complain(f"{explain().strip().rstrip('.')}. `{path} --help` shows how.")
        return BAD_INPUT
