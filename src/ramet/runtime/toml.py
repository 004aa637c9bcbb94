"""Pure: tables of a TOML file as values, and the mistakes in them with their line."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from ramet.errors import ConfigurationError

T = TypeVar("T")
_KINDS = {
    "str": "a string",
    "int": "an integer",
    "float": "a float",
    "bool": "a boolean",
    "array": "an array",
    "object": "a table",
}
Keys = tuple[str, ...]
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_HEADER = re.compile(r"\s*(\[[^=]*\])\s*(?:#.*)?$")


_LONG_NUMBER = re.compile(r"\d[\d_]{3999}")
_NAMES = re.compile(r"\(('[^)]*)\)")


def parsed(name: str, content: bytes) -> tuple[str, dict[str, Any]]:
    """The text of a file and what it says; a mark of the byte order, which some editors begin with, is passed by.

    Raises: ConfigurationError with the line.
    """
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        where = f"{name}:{len(content[: error.start].split(bytes([10])))}"
        message = f"this is not UTF-8 ({error.reason}, byte {error.start}): save the file in that encoding."
        raise ConfigurationError(f"{where}: {message}") from error
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message, _, at = str(error).partition(" (at ")
        line = re.search(r"line (\d+)", at)
        lines = text.rstrip("\n").split("\n")
        number = int(line[1]) if line and int(line[1]) <= len(lines) else len(lines)
        raise ConfigurationError(f"{name}:{number}: {_plainly(message, lines[number - 1])}.") from error
    except RecursionError as error:
        raise ConfigurationError(f"{name}: lists or tables are nested too deeply in it.") from error
    except ValueError as error:
        found = _LONG_NUMBER.search(text)
        number = text.count("\n", 0, found.start()) + 1 if found else 1
        raise ConfigurationError(f"{name}:{number}: this cannot be read: the number has too many digits.") from error


def _plainly(message: str, line: str) -> str:
    """What the parser says of a line, with the name of what is meant."""
    key, names = _KEY.match(line), _NAMES.search(message)
    named = ".".join(re.findall(r"'([^']*)'", names[1])) if names else ""
    if message == "Invalid value" and key:
        name = _keys(f"{key[1]} = 0")[-1]
        return f"{name} has no valid value: text is written in quotes, true and false in small letters"
    if message == "Cannot overwrite a value":
        return f"{key[1].strip() if key else 'a key'} is written twice: keep one of them"
    if message.startswith("Cannot declare") and named:
        return f"[{named}] is written twice: put what both say into one"
    return message


class Lines:
    """On which line of a TOML file a key or table is written."""

    def __init__(self, text: str = "") -> None:
        self._found: dict[Keys, int] = {}
        table: Keys = ()
        for number, line in enumerate(text.split("\n"), 1):  # others than \n end no line of TOML
            if header := _HEADER.match(line):
                table = _keys(header[1]) or table
                self._note(table, number)
            elif key := _KEY.match(line):
                self._note(table + _keys(f"{key[1]} = 0"), number)

    def _note(self, keys: Keys, number: int) -> None:
        for count in range(1, len(keys) + 1):
            self._found.setdefault(keys[:count], number)

    def of(self, *keys: str) -> int:
        """The line of a key, or of the innermost table around it that is written; 1 where none is."""
        return next((self._found[keys[:n]] for n in range(len(keys), 0, -1) if keys[:n] in self._found), 1)

    def has(self, *keys: str) -> bool:
        """Whether it is written, itself or a part of it."""
        return keys in self._found


def _keys(line: str) -> Keys:
    """The path that a line's key or header names."""
    try:
        inner: Any = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return ()
    path: list[str] = []
    while isinstance(inner, dict | list) and inner:
        if isinstance(inner, list):
            inner = inner[0]
        else:
            ((name, inner),) = inner.items()
            path.append(name)
    return tuple(path)


class Mistakes:
    """Collects what is wrong in one file, so that all of it is said at once; `line` tells where keys are written."""

    def __init__(self, file: str, line: Callable[..., int]) -> None:
        self._file = file
        self._line = line
        self._found: list[tuple[int, str]] = []

    def add(self, keys: Keys, message: str) -> None:
        """One sentence about what is written at a key."""
        self._found.append((self._line(*keys), message))

    def __iter__(self) -> Iterator[str]:
        return (f"{self._file}:{line}: {message}" for line, message in sorted(set(self._found)))

    def __len__(self) -> int:
        return len(self._found)

    def known(self, keys: Keys, table: Mapping[str, Any], names: Iterable[str]) -> None:
        """Keys that a table may not have."""
        names = tuple(names)
        for key in table:
            if key not in names:
                close = nearest(key, names)
                hint = f'did you mean "{close}"?' if close else f"it may have {', '.join(names)}."
                where = f"[{'.'.join(keys)}] has" if keys else "there is"
                self.add((*keys, key), f'{where} no "{key}"; {hint}')

    def tables(self, keys: Keys, value: Any) -> dict[str, dict[str, Any]]:
        """A table of tables; empty where it is none."""
        if isinstance(value, dict) and all(isinstance(inner, dict) for inner in value.values()):
            return value
        name = ".".join(keys)
        self.add(keys, f"[{name}] holds tables: write [{name}.NAME].")
        return {}

    def read(self, keys: Keys, table: Mapping[str, Any], kind: type[T]) -> T | None:
        """A table as a value: it may have no other keys, and they must fit; None where one does not fit."""
        self.known(keys, table, _names(kind))
        return self.convert(keys, table, kind)

    def convert(self, keys: Keys, table: Mapping[str, Any], kind: type[T]) -> T | None:
        """As `read`, where the table may have keys for others, too."""
        names = _names(kind)
        try:
            return msgspec.convert({key: table[key] for key in table if key in names}, kind)
        except msgspec.ValidationError as error:
            name = ".".join(keys)
            found = re.search(r"`\$\.(\w+)", str(error)) or re.search(r"field `(\w+)`", str(error))
            key = found[1] if found else ""
            self.add((*keys, key), f"[{name}] {_told(str(error))}.")
            if key in table:
                self._more(keys, {inner: value for inner, value in table.items() if inner != key}, kind, key)
            return None

    def _more(self, keys: Keys, rest: Mapping[str, Any], kind: type[Any], wrong: str) -> None:
        """What is wrong in the rest of a table, other than that the wrong key is missing now."""
        needed = msgspec.structs.fields(kind)
        if not any(field.required and field.encode_name == wrong for field in needed):
            self.convert(keys, rest, kind)


def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.encode_name for field in msgspec.structs.fields(kind))


def _told(error: str) -> str:
    """What msgspec says of a value, in the words of TOML: `replicas: expected an integer, got a string`."""
    what, _, at = error.partition(" - at ")
    if missing := re.fullmatch(r"Object missing required field `(\w+)`", what):
        return f"{at.strip('`').removeprefix('$.')} needs {missing[1]}".strip()
    kinds = re.sub(r"`([^`]+)`", lambda found: _kinds(found[1]), what)
    return f"{at.strip('`').removeprefix('$.')}: {kinds[:1].lower()}{kinds[1:]}"


def _kinds(written: str) -> str:
    return " or ".join(_KINDS.get(kind, kind) for kind in written.split(" | ") if kind != "null")


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The known name that a misspelt one is closest to."""
    return next(iter(difflib.get_close_matches(name, tuple(names), 1)), None)
