"""`ramet completion`: what a shell needs to complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from ramet.cli import output
from ramet.cli.command import Choices, command


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
    script = made(root, {}, "ramet", "_RAMET_COMPLETE").source()
    if choices.json:
        output.document({"shell": shell, "script": script})
    else:
        output.say(script)
