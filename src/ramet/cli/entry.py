"""The whole command line: every command and group, and wrong options in one sentence."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from ramet.cli import output
from ramet.cli.advise import advise
from ramet.cli.call import call
from ramet.cli.certs import certs
from ramet.cli.check import check
from ramet.cli.command import BAD_INPUT, Choices, Group, failed, folder_option
from ramet.cli.completion import ASKED, completed, completion
from ramet.cli.db import db
from ramet.cli.events import events
from ramet.cli.groups import restart, scale, stop
from ramet.cli.model import model
from ramet.cli.new import new
from ramet.cli.openapi import openapi
from ramet.cli.plan import plan
from ramet.cli.replica import replica, zygote
from ramet.cli.sagas import sagas
from ramet.cli.status import status
from ramet.cli.tail import logs
from ramet.cli.token import token
from ramet.cli.up import up
from ramet.errors import UsageError
from ramet.interruption import INTERRUPTED, LINE, end_at_once, raise_again

HELP = """Write one Python application as services, and decide later where each one runs.

\b
  ramet new hello        a skeleton that runs
  ramet up               run it
  ramet COMMAND --help   examples of every command"""


def _version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from importlib.metadata import version

        output.say(f"ramet {version('ramet')}")
        context.exit(0)


app = Group(
    name="ramet",
    help=HELP,
    commands={
        one.name or "": one
        for one in (
            new,
            up,
            check,
            advise,
            plan,
            model,
            status,
            logs,
            scale,
            restart,
            stop,
            sagas,
            events,
            db,
            certs,
            token,
            openapi,
            call,
            completion,
            replica,
            zygote,
        )
    },
    params=[
        folder_option(),
        click.Option(
            ["--version"], is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Show the version."
        ),
    ],
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 good, 1 something was found or failed, 2 the input is wrong."""
    raise_again()
    try:
        code = run(sys.argv[1:] if arguments is None else arguments)
    finally:
        end_at_once()
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run a command; the exit code."""
    if (odd := next((word for word in arguments if not _can_be_typed(word)), None)) is not None:
        return failed(Choices(json="--json" in arguments), UsageError(f"{odd!a} is not text."))
    root = completed(app) if ASKED in os.environ else app
    try:
        return root.main(args=list(arguments), prog_name="ramet", standalone_mode=False) or 0
    except (click.Abort, KeyboardInterrupt):
        output.note(LINE)
        return INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        output.note(error.format_message())
        return BAD_INPUT
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "ramet"
        sentence = " ".join(error.format_message().split()).rstrip(".")
        return failed(Choices(json="--json" in arguments), UsageError(f"{sentence}. `{path} --help` shows how."))


def _can_be_typed(word: str) -> bool:
    """Whether an operating system could hand it over: no null, no half characters but those that stand for bytes."""
    try:
        return b"\0" not in os.fsencode(word)
    except UnicodeEncodeError:
        return False
