"""Pure: the model as a versioned JSON document, and back."""

from __future__ import annotations

import msgspec

from ramet.errors import ConfigurationError
from ramet.model.application import Application

FORMAT = "ramet.model/1"


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """What is written: the format's name and version, then the application."""

    format: str
    application: Application


def dump(application: Application) -> bytes:
    """The document, indented, with a newline at its end; equal applications give equal bytes."""
    document = Document(format=FORMAT, application=application)
    return msgspec.json.format(msgspec.json.encode(document, order="sorted"), indent=2) + b"\n"


def load(document: bytes | str) -> Application:
    """The application that `dump` wrote.

    Raises: ConfigurationError when the document is of another format or version, or is damaged.
    """
    try:
        found = msgspec.json.decode(document, type=dict[str, msgspec.Raw])
        name = msgspec.json.decode(found.get("format", msgspec.Raw(b'""')), type=str)
        if name != FORMAT:
            raise ConfigurationError(f'This is not a document of format "{FORMAT}" but of "{name}"; write it anew.')
        return msgspec.json.decode(document, type=Document).application
    except msgspec.DecodeError as error:
        raise ConfigurationError(f"The model document is damaged: {error}.") from error
