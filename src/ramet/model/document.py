"""Pure: the model as a versioned JSON document, and back."""

from __future__ import annotations

import msgspec

from ramet.errors import ConfigurationError
from ramet.model.application import Application

FORMAT = "ramet.model/1"
REMEDY = "write it anew with `ramet model --json`"


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """What is written: the format's name and version, then the application."""

    format: str
    application: Application


class _Format(msgspec.Struct):
    format: str = ""


def dump(application: Application) -> bytes:
    """The document, indented, with a newline at its end; equal applications give equal bytes."""
    document = Document(format=FORMAT, application=application)
    return msgspec.json.format(msgspec.json.encode(document, order="deterministic"), indent=2) + b"\n"


def load(document: bytes | str) -> Application:
    """The application that `dump` wrote.

    Raises: ConfigurationError when the document is of another format or version, or is damaged.
    """
    try:
        name = msgspec.json.decode(document, type=_Format).format
        if name != FORMAT:
            raise ConfigurationError(f'The model document has the format "{name}", not "{FORMAT}": {REMEDY}.')
        return msgspec.json.decode(document, type=Document).application
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ConfigurationError(f"The model document is damaged ({error}): {REMEDY}.") from error
