"""The command `ramet`: one file a group; `output` is the only module that prints."""

from ramet.cli.entry import main

__all__ = ["main"]
