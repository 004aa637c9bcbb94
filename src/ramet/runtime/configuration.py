"""Reading ramet.toml: the application's name and services, its settings, its deployments."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

from ramet.contract.application import Application
from ramet.contract.declared import Declared
from ramet.contract.mounted import Mounted
from ramet.contract.places import Place, shown
from ramet.contract.problems import Problem
from ramet.errors import ConfigurationError
from ramet.model.topology import Assignment, Deployment
from ramet.runtime.deployments import (
    BROKER_IS,
    STORAGE_IS,
    Deployments,
    Origins,
    SettingsTable,
    is_broker,
    is_storage,
    misplaced,
)
from ramet.runtime.toml import Keys, Lines, Mistakes, nearest, parsed
from ramet.settings import misfits, read_settings, referred

FILE = "ramet.toml"
_NAME = re.compile(r"[^\W_][\w .-]{0,59}")
T = TypeVar("T", bound=msgspec.Struct)


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What ramet.toml says; `folder` is where it is, and where the application's packages are found.

    `overlays` are the settings that a deployment has of its own, by its name.
    """

    folder: Path
    application: Application
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    deployments: Mapping[str, Deployment] = field(default_factory=dict)
    externals: Mapping[str, ExternalAt] = field(default_factory=dict)
    overlays: Mapping[str, SettingsTable] = field(default_factory=dict)
    source: _Source | None = None

    def deployment(self, name: str = "local", environment: Mapping[str, str] | None = None) -> Deployment:
        """A deployment by its name, its references to URLs resolved; `local` is always there.

        Raises: ConfigurationError that names those there are, or says what a reference lacks.
        """
        found = self.deployments.get(name)
        if found is None:
            known = ", ".join(self.deployments)
            raise ConfigurationError(f'{FILE} has no deployment "{name}"; it has {known}.')
        return self._resolved(found, environment)

    def assigned(self, assignment: Assignment, environment: Mapping[str, str] | None = None) -> Deployment:
        """The deployment of a replica, on the engines that its supervisor uses. Raises: ConfigurationError."""
        found = self.deployments.get(assignment.deployment)
        if found is not None:
            storage, broker = assignment.storage or found.storage, assignment.broker or found.broker
            replaced = msgspec.structs.replace(found, storage=storage, broker=broker)
            return self._resolved(replaced, environment)
        return self.deployment(assignment.deployment, environment)

    def settings_of(self, deployment: str) -> Mapping[str, Mapping[str, Any]]:
        """The settings by service: those of a deployment over those of all."""
        own = self.overlays.get(deployment, {})
        return {name: {**self.settings.get(name, {}), **own.get(name, {})} for name in {**self.settings, **own}}

    def place(self, *keys: str) -> Place:
        """Where in ramet.toml a key or table is written."""
        file = str(self.folder / FILE)
        return (file, 1) if self.source is None else (file, self.source.line(*keys))

    def place_of_address(self, deployment: Deployment, group: str = "") -> str:
        """In words, where it is said on which address a deployment, or one of its groups, is to listen."""
        own, table = ("deployment", deployment.name), {} if self.source is None else self.source.table(deployment.name)
        if "listen" in table.get("process", {}).get(group, {}):
            return f"in {FILE}:{self.place(*own, 'process', group, 'listen')[1]}"
        key = next((key for key in ("gateway", "listen") if key in table), None)
        if key is None or self.deployments[deployment.name].listen != deployment.listen:
            return "with --listen"
        return f"in {FILE}:{self.place(*own, key)[1]}"

    def _resolved(self, found: Deployment, environment: Mapping[str, str] | None) -> Deployment:
        environment = os.environ if environment is None else environment
        for problem in engines_of_nowhere(self, found, environment):
            raise ConfigurationError(str(problem))
        storage, broker = referred(found.storage, environment), referred(found.broker, environment)
        return msgspec.structs.replace(found, storage=storage, broker=broker)


class ExternalAt(msgspec.Struct, frozen=True):
    """Where a contract is answered outside of the application, instead of where its declaration says."""

    url: str
    token: str = ""


class _ApplicationTable(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(min_length=1)]
    services: tuple[str, ...]


class _MountedTable(msgspec.Struct):
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
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
    text, document = parsed(path.name, content)
    return _Source(path, text, document).configuration()


class _Source:
    """The tables of the file, turned into values."""

    def __init__(self, path: Path, text: str, document: Mapping[str, Any]) -> None:
        self._path = path
        self._document = document
        origins = Origins(document.get("deployment"), Lines(text))
        self.line, self.table = origins.line, origins.merged
        self._mistakes = Mistakes(path.name, origins.line)
        self._deployments = Deployments(origins, self._mistakes)

    def configuration(self) -> Configuration:
        """Raises: ConfigurationError with every mistake."""
        mistakes, document = self._mistakes, self._document
        mistakes.known((), document, ("application", "deployment", "settings", "mounted", "external"))
        mistakes.tables(("deployment",), document.get("deployment", {}))
        table = self._application()
        mounted = [
            Mounted(name=name, **msgspec.structs.asdict(one)) for name, one in self._tables("mounted", _MountedTable)
        ]
        externals = dict(self._tables("external", ExternalAt))
        deployments, overlays = self._deployments.all(), self._deployments.settings()
        settings = mistakes.tables(("settings",), document.get("settings", {}))
        if mistakes or table is None:
            raise ConfigurationError("\n".join(mistakes))
        place = (str(self._path), self.line("application"))
        return Configuration(
            folder=self._path.parent,
            application=Application(table.name, services=[*table.services, *mounted], place=place),
            settings=settings,
            deployments=deployments,
            externals=externals,
            overlays=overlays,
            source=self,
        )

    def _application(self) -> _ApplicationTable | None:
        value = self._document.get("application")
        if not isinstance(value, dict):
            self._mistakes.add(("application",), "the table [application] is missing.")
            return None
        table = self._mistakes.read(("application",), value, _ApplicationTable)
        if table is not None and table.name and not _NAME.fullmatch(table.name):
            message = 'an application\'s name is letters, digits, blanks, "-", "_" and ".", at most 60 of them.'
            self._mistakes.add(("application", "name"), message)
        return table

    def _tables(self, outer: str, kind: type[T]) -> Iterator[tuple[str, T]]:
        for name, table in self._mistakes.tables((outer,), self._document.get(outer, {})).items():
            value = self._mistakes.read((outer, name), table, kind)
            if value is not None:
                yield name, value


def engines_of_nowhere(
    found: Configuration, deployment: Deployment, environment: Mapping[str, str]
) -> Iterator[Problem]:
    """References of a deployment that give no storage and no broker: to a variable that is not set, to a wrong URL."""
    for key, written, is_one, what in (
        ("storage", deployment.storage, is_storage, STORAGE_IS),
        ("broker", deployment.broker, partial(is_broker, broker_class=deployment.broker_class), BROKER_IS),
    ):
        try:
            value = referred(written, environment)
            message = misplaced(value) if is_one(value) else f"{written} is {_something_else(value)}; {what}"
        except ValueError as error:
            message = str(error)
        if message:
            keys = ("deployment", deployment.name, key)
            yield _problem(found, keys, f"{key} of [deployment.{deployment.name}]: {message}.")


def tables_of_nobody(found: Configuration, declared: Declared) -> Iterator[Problem]:
    """Tables of settings that no service reads and of contracts that nobody outside answers: misspelt names."""
    readers = sorted({name for name, needs in declared.needs() if needs.settings})
    for keys in _tables_of_settings(found):
        if keys[-1] not in readers:
            remedy = f"Those with settings are: {', '.join(readers)}." if readers else "No service has settings."
            yield _problem(found, keys, f"[{'.'.join(keys)}] is read by nobody.", _meant(keys[-1], readers) or remedy)
    outside = sorted(external.contract.name for external in declared.externals)
    for name in found.externals:
        if name not in outside:
            message = f"[external.{name}] names no contract that is answered outside."
            remedy = f"Those are: {', '.join(outside)}." if outside else "The application lists no External(…)."
            yield _problem(found, ("external", name), message, _meant(name, outside) or remedy)


def settings_that_never_fit(found: Configuration, declared: Declared) -> Iterator[Problem]:
    """Settings in ramet.toml that are wrong in every environment: a field that is not there, a value of another type.

    Whether a variable is set to which they refer, and whether all have a value, is for those to tell who start it.
    """
    kinds = [(name, kind) for name, needs in declared.needs() for kind in needs.settings.values()]
    for keys in _tables_of_settings(found):
        tables = found.settings if keys[0] == "settings" else found.overlays[keys[1]]
        for kind in (kind for name, kind in kinds if name == keys[-1]):
            for name, wrong in misfits(kind, tables[keys[-1]]):
                message = f"[{'.'.join(keys)}] {name} in ramet.toml:"
                yield _problem(found, (*keys, name), message, f"{wrong}.")


def settings_that_do_not_fit(
    found: Configuration, declared: Declared, deployment: str, environment: Mapping[str, str]
) -> Iterator[Problem]:
    """Values that a service would not start with in a deployment."""
    tables = found.settings_of(deployment)
    for name, needs in declared.needs():
        for kind in needs.settings.values():
            table = tables.get(name, {})
            written = {field: _written(found, deployment, name, field) for field in table}
            origins = {field: f"[{'.'.join(keys[:-1])}] {field} in ramet.toml" for field, keys in written.items()}
            try:
                read_settings(
                    kind,
                    application=declared.name,
                    service=name,
                    table=table,
                    environment=environment,
                    origins=origins,
                )
            except ConfigurationError as error:
                message, _, remedy = str(error).partition(": ")
                keys = next((written[field] for field, told in origins.items() if told == message), ("settings", name))
                yield _problem(found, keys, f"{message}:", remedy)


def _written(found: Configuration, deployment: str, service: str, field: str) -> Keys:
    """Where the value is that counts: in the deployment's own table, or in that of all."""
    own = field in found.overlays.get(deployment, {}).get(service, {})
    return (*(("deployment", deployment) if own else ()), "settings", service, field)


def _tables_of_settings(found: Configuration) -> Sequence[Keys]:
    tables: list[Keys] = [("settings", name) for name in found.settings]
    tables += [("deployment", one, "settings", name) for one, own in found.overlays.items() for name in own]
    return sorted(tables)


def _meant(name: str, names: Sequence[str]) -> str:
    close = nearest(name, names)
    return f'Did you mean "{close}"?' if close else ""


def _something_else(value: str) -> str:
    """A value that may have a password in it, as far as it is shown."""
    scheme, separator, _ = value.partition("://")
    return f'a URL that begins with "{scheme}://"' if separator else "no URL" if value else "empty"


def _problem(found: Configuration, keys: Keys, message: str, remedy: str = "") -> Problem:
    file, line = found.place(*keys)
    return Problem(file=shown(file), line=line, message=message, remedy=remedy)


def make_importable(folder: Path) -> None:
    """Let the application's packages be imported from its folder."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
