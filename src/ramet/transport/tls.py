"""TLS 1.3 for connections between hosts, from files in PEM, with mutual authentication where an authority is given."""

from __future__ import annotations

import ssl

from ramet.errors import ConfigurationError
from ramet.transport.options import Tls


def server_context(tls: Tls | None) -> ssl.SSLContext:
    """For the side that is dialled. Raises: ConfigurationError where a file is missing or does not fit."""
    if tls is None or tls.certificate is None:
        raise ConfigurationError("An address that begins with tls:// needs a certificate and its key to be answered.")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _load(context, tls)
    if tls.authority is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(tls: Tls | None) -> ssl.SSLContext:
    """For the side that dials. Raises: ConfigurationError where a file is missing or does not fit."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls = tls or Tls()
    _load(context, tls)
    if tls.authority is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    return context


def _load(context: ssl.SSLContext, tls: Tls) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        if tls.certificate is not None:
            context.load_cert_chain(tls.certificate, tls.key)
        if tls.authority is not None:
            context.load_verify_locations(tls.authority)
    except (OSError, ssl.SSLError) as error:
        files = ", ".join(str(file) for file in (tls.certificate, tls.key, tls.authority) if file is not None)
        raise ConfigurationError(f"TLS cannot be set up from {files}: {error}.") from error
