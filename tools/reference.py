"""Keeps docs/reference/api.md, cli.md and advice.schema.json equal to what they describe; `--write` updates them."""

from __future__ import annotations

import difflib
import inspect
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_origin

import click
import msgspec

import ramet
import ramet.testing
from ramet.advisor.report.advice import FORMAT, Advice
from ramet.cli.entry import app
from ramet.contract.schemas import schema_components

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "reference"
WIDTH = 100
QUOTED = re.compile(r"(: |-> )'([^']*)'")
"""An annotation that was never evaluated."""
GENERATED = "<!-- written by tools/reference.py -->\n"
API = """# Names

Everything that `import ramet` and `import ramet.testing` give, with its own docstring.
The errors that are not listed here are in `ramet.errors`: [Errors](errors.md).
"""
CLI = """# Command line

What `ramet --help` and every command's `--help` say. Exit codes: 0 good, 1 something was found or failed, 2 the
input is wrong, 130 interrupted.
"""


def names() -> Iterator[str]:
    """The page of the public names."""
    yield GENERATED + API
    for module in (ramet, ramet.testing):
        yield f"## {module.__name__}\n"
        for name in sorted(module.__all__):
            yield from described(name, getattr(module, name))


def advice() -> Iterator[str]:
    """The JSON schema of what `ramet advise --json` writes."""
    (made,), components = schema_components([Advice])
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": FORMAT, **made, "$defs": components}
    yield msgspec.json.format(msgspec.json.encode(schema), indent=1).decode() + "\n"


def described(name: str, thing: Any) -> Iterator[str]:
    """One public name: its signature, its docstring, its public methods."""
    yield f"### {name}\n"
    yield f"```text\n{name}{signature(thing)}\n```\n"
    yield f"{text_of(thing)}\n"
    own = vars(thing).items() if inspect.isclass(thing) else ()
    members = [(key, member) for key, member in own if not key.startswith("_") and documented(member)]
    if members:
        yield "\n".join(f"- `{key}{signature(member)}`: {first_paragraph(member)}" for key, member in members) + "\n"


def documented(member: Any) -> bool:
    """Whether a member is a method or property with a docstring of its own."""
    kinds = (property, classmethod, staticmethod)
    return (inspect.isfunction(member) or isinstance(member, kinds)) and bool(inspect.getdoc(member))


def signature(thing: Any) -> str:
    """How it is called; nothing for a property, an alias of a type, or where Python does not tell."""
    is_exception = inspect.isclass(thing) and issubclass(thing, BaseException)
    if isinstance(thing, property) or get_origin(thing) is not None or is_exception:
        return ""
    function = thing.__func__ if isinstance(thing, classmethod | staticmethod) else thing
    try:
        shown = QUOTED.sub(r"\1\2", str(inspect.signature(function)))
    except (TypeError, ValueError):
        return ""
    shown = shown.removeprefix("(self, ").removeprefix("(self")
    return shown if shown.startswith("(") else f"({shown}"


def text_of(thing: Any) -> str:
    """The docstring, its examples fenced."""
    lines, fenced = [], False
    own = thing.__dict__.get("__doc__") if inspect.isclass(thing) else thing.__doc__
    for line in inspect.cleandoc(own or "").splitlines():
        if line.startswith(">>>") and not fenced:
            lines.append("```pycon")
            fenced = True
        elif fenced and not line.strip():
            lines.append("```")
            fenced = False
        lines.append(line)
    return "\n".join([*lines, "```"] if fenced else lines)


def first_paragraph(thing: Any) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())


def commands() -> Iterator[str]:
    """The page of the command line."""
    yield GENERATED + CLI
    yield from helped(app, "ramet")


def helped(command: click.Command, path: str, parent: click.Context | None = None) -> Iterator[str]:
    """A command's help, and that of the commands in it."""
    settings: dict[str, Any] = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    context = click.Context(command, info_name=path.rpartition(" ")[2], parent=parent, **settings)
    yield f"## {path}\n"
    yield f"```text\n{command.get_help(context).rstrip()}\n```\n"
    for name, inner in getattr(command, "commands", {}).items():
        yield from helped(inner, f"{path} {name}", context)


def main(arguments: list[str]) -> int:
    os.environ["NO_COLOR"] = "1"
    wrong = 0
    pages = ((FOLDER / "api.md", names()), (FOLDER / "cli.md", commands()), (FOLDER / "advice.schema.json", advice()))
    for page, parts in pages:
        fresh = "\n".join(parts)
        if "--write" in arguments:
            page.write_text(fresh, encoding="utf-8")
            continue
        written = page.read_text(encoding="utf-8") if page.exists() else ""
        print(*difflib.unified_diff(written.splitlines(), fresh.splitlines(), page.name, "true", lineterm=""), sep="\n")
        wrong += written != fresh
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
