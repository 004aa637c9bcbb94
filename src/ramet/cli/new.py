"""`ramet new`: a skeleton that runs."""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from ramet.cli import output
from ramet.cli.command import Choices, command
from ramet.errors import ConfigurationError

NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
LONGEST = 40
SUFFIX = ".in"
"""Of template files, so that no tool takes them for what they become."""


@command(
    ("ramet new hello", "then: cd hello && ramet up"),
    ("ramet new tea-shop", "the package is called tea_shop"),
)
@click.argument("name")
def new(choices: Choices, name: str) -> None:
    """Make a small application that runs.

    It has a service, a public API, a test, and the name of its folder.
    """
    _check(name)
    folder = (choices.folder or Path.cwd()) / name
    if folder.exists():
        raise ConfigurationError(f"{folder} is there already: choose another name, or remove it.")
    package = name.replace("-", "_")
    try:
        written = [_write(file, folder / to, name, package) for file, to in _templates(package)]
    except OSError as error:
        raise ConfigurationError(f"{error.filename or folder} cannot be written: {error.strerror}.") from error
    if choices.json:
        output.document({"folder": str(folder), "files": [str(path.relative_to(folder)) for path in written]})
        return
    for path in written:
        output.say(output.paint(f"  {path.relative_to(folder.parent)}", "dim"))
    output.say(f"\n  cd {name}\n  ramet up        run it: http://127.0.0.1:8000/api/docs\n  pytest          test it\n")


def _check(name: str) -> None:
    """Raises: ConfigurationError for a name that cannot be one of a package."""
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        raise ConfigurationError(
            f'"{name}" cannot be the name of an application: use small letters, digits and hyphens, such as "tea-shop".'
        )
    package = name.replace("-", "_")
    if keyword.iskeyword(package) or package in sys.stdlib_module_names or package in ("ramet", "tests"):
        raise ConfigurationError(f'"{name}" is taken by Python or by Ramet itself: choose another name.')


def _templates(package: str) -> Iterator[tuple[Traversable, str]]:
    """Each template with the path it is written to."""
    root = files("ramet.cli") / "template"
    yield from _below(root, "", package)


def _below(folder: Traversable, prefix: str, package: str) -> Iterator[tuple[Traversable, str]]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        name = entry.name.replace("PACKAGE", package).replace("DOT", ".")
        if entry.is_dir():
            yield from _below(entry, f"{prefix}{name}/", package)
        elif name.endswith(SUFFIX):
            yield entry, prefix + name.removesuffix(SUFFIX)


def _write(template: Traversable, path: Path, name: str, package: str) -> Path:
    text = template.read_text(encoding="utf-8").replace("NAME", name).replace("PACKAGE", package)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
