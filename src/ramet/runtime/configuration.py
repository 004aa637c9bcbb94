"""Reading ramet.toml: the application's name and services, its settings, its deployments."""

from __future__ import annotations

import difflib
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, NoReturn

import msgspec

from ramet.contract.application import Application
from ramet.contract.declared import Declared
from ramet.contract.mounted import Mounted
from ramet.contract.places import shown
from ramet.contract.problems import Problem
from ramet.errors import ConfigurationError
from ramet.model.topology import Deployment

FILE = "ramet.toml"


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What ramet.toml says; `folder` is where it is, and where the application's packages are found."""

    folder: Path
    application: Application
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    deployments: Mapping[str, Deployment] = field(default_factory=dict)

    def deployment(self, name: str = "local") -> Deployment:
        """A deployment by its name; `local` is always there.

        Raises: ConfigurationError that names those there are.
        """
        found = self.deployments.get(name)
        if found is None:
            known = ", ".join(self.deployments)
            raise ConfigurationError(f'{FILE} has no deployment "{name}"; it has {known}.')
        return found


class _ApplicationTable(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(min_length=1)]
    services: tuple[str, ...]


class _MountedTable(msgspec.Struct, forbid_unknown_fields=True):
    app: str
    prefix: str = "/"
    interface: str = "auto"


def find(start: Path | None = None) -> Path:
    """The nearest ramet.toml, in a folder or above it.

    Raises: ConfigurationError that says where it looked.
    """
    folder = (start or Path.cwd()).resolve()
    for candidate in (folder, *folder.parents):
        if (candidate / FILE).is_file():
            return candidate / FILE
    raise ConfigurationError(
        f"There is no {FILE} in {folder} or above it: run `ramet new NAME`, or go to the application's folder."
    )


def load(path: Path) -> Configuration:
    """Read ramet.toml.

    Raises: ConfigurationError with file, line and remedy.
    """
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
    except tomllib.TOMLDecodeError as error:
        message, _, at = str(error).partition(" (at ")
        line = re.search(r"line (\d+)", at)
        where = f"{path.name}:{line[1]}" if line else path.name
        raise ConfigurationError(f"{where}: {message if line else error}.") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path.name} is not UTF-8: {error.reason} at byte {error.start}.") from error
    reader = _Reader(path, text)
    reader.known("", document, ("application", "deployment", "settings", "mounted"))
    table = reader.table("application", document.get("application"), _ApplicationTable)
    mounted = [
        Mounted(name=name, **msgspec.structs.asdict(reader.table(f"mounted.{name}", value, _MountedTable)))
        for name, value in reader.tables("mounted", document).items()
    ]
    return Configuration(
        folder=path.parent,
        application=Application(
            table.name, services=[*table.services, *mounted], place=(str(path), reader.line("application", None))
        ),
        settings=reader.tables("settings", document),
        deployments=_deployments(reader, document),
    )


def settings_of_nobody(found: Configuration, declared: Declared) -> Iterator[Problem]:
    """Tables of settings that no service reads, as a misspelt name makes them."""
    parts = [(service.name, service.needs) for service in declared.services]
    parts += [(api.name, api.needs) for api in declared.apis]
    parts += [(service.name, saga.needs) for service in declared.services for saga in service.sagas]
    readers = sorted({name for name, needs in parts if needs.settings})
    path = found.folder / FILE
    for name in sorted(set(found.settings) - set(readers)):
        yield Problem(
            file=shown(str(path)),
            line=_Reader(path, path.read_text(encoding="utf-8")).line(f"settings.{name}", None),
            message=f"[settings.{name}] is read by nobody.",
            remedy=f"Those with settings are: {', '.join(readers)}." if readers else "No service has settings.",
        )


def make_importable(folder: Path) -> None:
    """Let the application's packages be imported from its folder."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _deployments(reader: _Reader, document: Mapping[str, Any]) -> dict[str, Deployment]:
    found = {"local": Deployment()}
    for name, value in reader.tables("deployment", document).items():
        found[name] = reader.deployment(name, value)
    return found


class _Reader:
    """Turns tables into values, and mistakes into sentences with a line."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._lines = text.splitlines()

    def fail(self, table: str, key: str | None, message: str) -> NoReturn:
        raise ConfigurationError(f"{self._path.name}:{self.line(table, key)}: {message}")

    def known(self, table: str, value: Mapping[str, Any], names: tuple[str, ...]) -> None:
        for key in value:
            if key not in names:
                close = difflib.get_close_matches(key, names, 1)
                hint = f'did you mean "{close[0]}"?' if close else f"it may have {', '.join(names)}."
                where = f"[{table}] has" if table else "there is"
                self.fail(table or key, key if table else None, f'{where} no "{key}"; {hint}')

    def table(self, name: str, value: Any, kind: type[Any]) -> Any:
        if not isinstance(value, dict):
            self.fail(name, None, f"the table [{name}] is missing.")
        self.known(name, value, kind.__struct_fields__)
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            key = re.search(r"`\$\.(\w+)|field `(\w+)`", str(error))
            self.fail(name, key and (key[1] or key[2]), f"[{name}] {error}.")

    def tables(self, name: str, document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        value = document.get(name, {})
        if not isinstance(value, dict) or not all(isinstance(inner, dict) for inner in value.values()):
            self.fail(name, None, f"[{name}] holds tables: write [{name}.NAME].")
        return value

    def deployment(self, name: str, value: Mapping[str, Any]) -> Deployment:
        table = f"deployment.{name}"
        names = tuple(field for field in Deployment.__struct_fields__ if field != "name")
        self.known(table, value, names)
        values = {"data": f".ramet/{name}", **value, "name": name}
        try:
            deployment = msgspec.convert(values, Deployment)
        except msgspec.ValidationError as error:
            key = re.search(r"`\$\.(\w+)", str(error))
            self.fail(table, key and key[1], f"[{table}] {error}.")
        if not deployment.data or "\0" in deployment.data:
            self.fail(table, "data", 'data is the folder of the databases, such as ".ramet/local".')
        if deployment.durability not in ("full", "normal", "off"):
            self.fail(table, "durability", f'durability is "full", "normal" or "off", not "{deployment.durability}".')
        if not re.fullmatch(r"\S*:\d{1,5}", deployment.listen):
            self.fail(table, "listen", f'listen is an address such as "127.0.0.1:8000", not "{deployment.listen}".')
        return deployment

    def line(self, table: str, key: str | None) -> int:
        start = next((n for n, line in enumerate(self._lines) if line.strip().startswith(f"[{table}")), 0)
        if key is not None:
            for number in range(start, len(self._lines)):
                if re.match(rf'\s*"?{re.escape(key)}"?\s*=', self._lines[number]):
                    return number + 1
        return start + 1
