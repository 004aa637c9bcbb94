"""`ramet completion`: what a shell needs to complete commands, options, and names of the application."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem, get_completion_class

from ramet.cli import output
from ramet.cli.application import configuration
from ramet.cli.command import Choices, command

if TYPE_CHECKING:
    from ramet.contract.declared import Declared

ASKED = "_RAMET_COMPLETE"
"""The variable by which a shell asks."""


@command(
    ('eval "$(ramet completion bash)"', "in ~/.bashrc"),
    ('eval "$(ramet completion zsh)"', "in ~/.zshrc"),
    ("ramet completion fish > ~/.config/fish/completions/ramet.fish", ""),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(choices: Choices, shell: str) -> None:
    """Print the completion script of a shell."""
    made = get_completion_class(shell)
    assert made is not None
    root = click.get_current_context().find_root().command
    script = made(root, {}, "ramet", ASKED).source()
    if choices.json:
        output.document({"shell": shell, "script": script})
    else:
        output.say(script)


def completed(root: click.Group) -> click.Group:
    """A command line whose parameters are completed, too, by what ramet.toml and the declarations name."""
    waiting: list[click.Command] = [root]
    while waiting:
        one = waiting.pop()
        waiting += one.commands.values() if isinstance(one, click.Group) else ()
        for parameter in one.params:
            if (names := NAMES.get(parameter.name or "")) is not None and not isinstance(parameter.type, click.Choice):
                parameter.shell_complete = partial(_fitting, names)  # type: ignore[method-assign]  # of this one alone
    return root


def _fitting(names: Callable[[Choices], Iterable[str]], ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """Those that begin so; none where the application cannot be read, and nothing of what it says."""
    folder = ctx.params.get("folder") or ctx.find_root().params.get("folder")
    with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
        return [CompletionItem(name) for name in names(Choices(folder=folder)) if name.startswith(incomplete)]
    return []


def _deployments(choices: Choices) -> Iterable[str]:
    return configuration(choices).deployments


def _groups(choices: Choices) -> Iterable[str]:
    found = configuration(choices).deployments.values()
    return sorted({group.name for deployment in found for group in deployment.groups})


def _services(choices: Choices) -> Iterable[str]:
    return [service.name for service in _declared(choices).services]


def _contracts(choices: Choices) -> Iterable[str]:
    return [contract.name for contract in _declared(choices).contracts]


def _methods(choices: Choices) -> Iterable[str]:
    return [f"{one.name}.{method}" for one in _declared(choices).contracts for method in one.methods]


def _consumers(choices: Choices) -> Iterable[str]:
    from ramet.runtime.interests import interests

    return [one.consumer for one in interests(_declared(choices))]


def _declared(choices: Choices) -> Declared:
    from ramet.contract.reading.application import examine
    from ramet.runtime.configuration import make_importable

    found = configuration(choices)
    make_importable(found.folder)
    return examine(found.application)[0]


NAMES: dict[str, Callable[[Choices], Iterable[str]]] = {
    "consumer": _consumers,
    "contracts": _contracts,
    "deployment": _deployments,
    "group": _groups,
    "method": _methods,
    "service": _services,
}
"""What a parameter of this name is completed by."""
