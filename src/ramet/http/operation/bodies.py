"""Reads a request's body within its limit: whole, in pieces, or as a form."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from tempfile import SpooledTemporaryFile
from typing import Any

import python_multipart
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from ramet.contract.web.request import Receive, Upload
from ramet.http.operation.incoming import parse_query
from ramet.http.refusals import BodyTooLarge, MalformedBody, UnsupportedMediaType

IN_MEMORY = 1024 * 1024
FIELD_LIMIT = 1024 * 1024
JSON_TYPE = b"application/json"
Form = dict[str, list[Any]]


class Disconnected(ConnectionError):
    """The client went away before its body had arrived."""


def check_head(headers: Mapping[bytes, bytes], limit: int) -> None:
    """Raises: BodyTooLarge, UnsupportedMediaType before anything is read, when the request says so itself."""
    coded = headers.get(b"content-encoding")
    if coded is not None and coded.lower() not in (b"", b"identity"):
        given = f"coded as {coded.decode('latin-1')}"
        raise UnsupportedMediaType(given=given, wanted="it as it is, without a Content-Encoding")
    declared = headers.get(b"content-length")
    if declared is not None and declared.isdigit() and int(declared) > limit:
        raise BodyTooLarge(limit=limit)


def check_json(headers: Mapping[bytes, bytes]) -> None:
    """Raises: UnsupportedMediaType when the body says that it is something else than JSON."""
    given = headers.get(b"content-type")
    if given is None or given == JSON_TYPE:
        return
    kind = given.partition(b";")[0].strip().lower()
    if kind != JSON_TYPE and not kind.endswith(b"+json"):
        raise UnsupportedMediaType(given=given.decode("latin-1"), wanted="application/json")


async def read_whole(receive: Receive, limit: int) -> bytes:
    """The body. Raises: BodyTooLarge, Disconnected."""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        whole: bytes = message.get("body", b"")
        if len(whole) > limit:
            raise BodyTooLarge(limit=limit)
        return whole
    body = bytearray(message.get("body", b""))
    while message["type"] == "http.request" and message.get("more_body", False):
        if len(body) > limit:
            raise BodyTooLarge(limit=limit)
        message = await receive()
        body += message.get("body", b"")
    if message["type"] == "http.disconnect":
        raise Disconnected
    if len(body) > limit:
        raise BodyTooLarge(limit=limit)
    return bytes(body)


def limited(receive: Receive, limit: int) -> Callable[[], Awaitable[Any]]:
    """The same messages, until they carry more than `limit` bytes."""
    left = limit

    async def bounded() -> Any:
        nonlocal left
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        left -= len(message.get("body", b""))
        if left < 0:
            raise BodyTooLarge(limit=limit)
        return message

    return bounded


async def read_form(receive: Receive, headers: Mapping[bytes, bytes], limit: int) -> Form:
    """The fields and files of a form. Raises: BodyTooLarge, MalformedBody, UnsupportedMediaType, Disconnected."""
    kind, options = parse_options_header(headers.get(b"content-type", b""))
    if kind == b"application/x-www-form-urlencoded":
        return {name: list(values) for name, values in parse_query(await read_whole(receive, limit)).items()}
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        given = headers.get(b"content-type", b"nothing").decode("latin-1")
        raise UnsupportedMediaType(given=given, wanted="multipart/form-data or application/x-www-form-urlencoded")
    collector = _Collector(limit)
    parser = python_multipart.MultipartParser(options[b"boundary"], collector.callbacks())
    bounded, more = limited(receive, limit), True
    try:
        while more:
            message = await bounded()
            parser.write(message.get("body", b""))
            more = message.get("more_body", False)
        parser.finalize()
    except FormParserError as error:
        close_form(collector.form)
        raise MalformedBody(reason=str(error)) from None
    except BaseException:
        collector.abandon()
        raise
    return collector.form


def close_form(form: Mapping[str, list[Any]]) -> None:
    """Give the memory and files of a form's uploads back."""
    for values in form.values():
        for value in values:
            if isinstance(value, Upload):
                value.close()


class _Collector:
    """Puts together what the parser finds."""

    def __init__(self, limit: int) -> None:
        self.form: Form = {}
        self._limit = min(limit, FIELD_LIMIT)
        self._headers: dict[bytes, bytes] = {}
        self._header: bytes = b""
        self._value: bytes = b""
        self._field = bytearray()
        self._file: SpooledTemporaryFile[bytes] | None = None
        self._size = 0
        self._options: dict[bytes, bytes] = {}

    def callbacks(self) -> Any:
        """What the parser calls."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._on_header,
            "on_header_value": self._on_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._headers_done,
            "on_part_data": self._data,
            "on_part_end": self._end,
        }

    def abandon(self) -> None:
        """Close every file."""
        close_form(self.form)
        if self._file is not None:
            self._file.close()

    def _begin(self) -> None:
        self._headers, self._header, self._value = {}, b"", b""
        self._field, self._file, self._size = bytearray(), None, 0

    def _on_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        self._headers[self._header.lower()] = self._value
        self._header, self._value = b"", b""

    def _headers_done(self) -> None:
        _, self._options = parse_options_header(self._headers.get(b"content-disposition", b""))
        if b"name" not in self._options:
            raise MalformedBody(reason="A part of the form has no name")
        if b"filename" in self._options:
            self._file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed with the request

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.write(data[start:end])
            self._size += end - start
            return
        self._field += data[start:end]
        if len(self._field) > self._limit:
            raise BodyTooLarge(limit=self._limit)

    def _end(self) -> None:
        name = self._options[b"name"].decode("utf-8", "replace")
        value: str | Upload
        if self._file is None:
            value = self._field.decode("utf-8", "replace")
        else:
            self._file.seek(0)
            kind = self._headers.get(b"content-type", b"application/octet-stream").decode("latin-1")
            filename = self._options[b"filename"].decode("utf-8", "replace")
            value = Upload(filename, kind, self._file, self._size)
            self._file = None
        self.form.setdefault(name, []).append(value)
