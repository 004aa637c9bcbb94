"""TLS 1.3 for connections between hosts, from files in PEM, with mutual authentication where an authority is given."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

from ramet.errors import ConfigurationError
from ramet.transport.options import Tls

log = logging.getLogger("ramet.transport")


def server_context(tls: Tls | None) -> ssl.SSLContext:
    """For the side that is dialled; each who dials is shown what is in the files then.

    Raises: ConfigurationError where a file is missing or does not fit.
    """
    if tls is None or tls.certificate is None:
        raise ConfigurationError("An address that begins with tls:// needs a certificate and its key to be answered.")
    context = _answering(tls)
    context.sni_callback = _Renewal(tls, context).look
    context.sslobject_class = _Telling
    return context


def _answering(tls: Tls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _load(context, tls)
    if tls.authority is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


class _Telling(ssl.SSLObject):
    """Says why somebody is not let in, which event loops do not."""

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            log.warning(
                "Somebody who dialled was not let in by TLS: %s", (error.reason or str(error)).replace("_", " ").lower()
            )
            raise


class _Renewal:
    """Puts what is in the files now in the place of what was, for the connections that come from then on."""

    def __init__(self, tls: Tls, context: ssl.SSLContext) -> None:
        self._tls = tls
        self._context = context
        self._written = self._when_written()

    def look(self, connection: ssl.SSLSocket | ssl.SSLObject, _: str | None, __: ssl.SSLContext) -> None:
        """Called by OpenSSL when somebody has said hello."""
        written = self._when_written()
        if written != self._written:
            self._written = written
            try:
                self._context = _answering(self._tls)
            except ConfigurationError as error:
                log.warning("%s What was there before is still used.", error)
            else:
                log.info("%s is another certificate now, and is used from here on.", self._tls.certificate)
        connection.context = self._context

    def _when_written(self) -> tuple[int, ...]:
        return tuple(_modified(file) for file in _files(self._tls))


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
        files = ", ".join(map(str, _files(tls)))
        raise ConfigurationError(f"TLS cannot be set up from {files}: {error}.") from error


def _files(tls: Tls) -> tuple[Path, ...]:
    return tuple(file for file in (tls.certificate, tls.key, tls.authority) if file is not None)


def _modified(file: Path) -> int:
    """When it was written; 0 where it is not there."""
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0
