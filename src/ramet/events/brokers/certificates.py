"""Files for TLS that a broker's address names."""

from __future__ import annotations

import ssl
from pathlib import Path

from ramet.errors import ConfigurationError


def require(*files: str | None, shown: str) -> None:
    """Raises: ConfigurationError for a file that is not there; None is no file."""
    for file in files:
        if file and not Path(file).is_file():
            raise ConfigurationError(f"The broker's address {shown} names the file {file}, which is not there.")


def tls(ca: str | None, certificate: str | None, key: str | None, *, shown: str) -> ssl.SSLContext | None:
    """What connections are encrypted with; None: what the address and the server say.

    Raises: ConfigurationError for a file that cannot be used.
    """
    require(ca, certificate, key, shown=shown)
    if not (ca or certificate):
        return None
    try:
        context = ssl.create_default_context(cafile=ca)
        if certificate:
            context.load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        files = " or ".join(file for file in (ca, certificate, key) if file)
        raise ConfigurationError(f"The broker's address {shown} names {files}, which is no use: {error}.") from error
    return context
