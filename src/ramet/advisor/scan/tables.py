"""Pure: which classes are tables, what their tables are called, and where their foreign keys point."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from ramet.advisor.facts import Place, Table
from ramet.advisor.scan.leaf import Link, Shape
from ramet.advisor.scan.project import Project
from ramet.advisor.scan.roles import role_of
from ramet.advisor.scan.roots import ancestors, parent

DJANGO_BASES = frozenset(
    {"django.db.models.Model", "django.db.models.base.Model", "django.contrib.gis.db.models.Model"}
)
NO_MODELS = ("Manager", "QuerySet", "Field", "Choices", "Mixin", "Form", "Serializer", "Admin", "Config", "Query")
FLASK_BASE = re.compile(r"(^|[.:])db\.Model$")
SNAKE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
USER_BASES = frozenset(
    f"django.contrib.auth.{name}"
    for name in ("models.AbstractUser", "models.AbstractBaseUser", "base_user.AbstractBaseUser")
)
DEEPEST = 30
Class = tuple[str, str]  # the file that defines it, its name


class Tables:
    """All tables of a project, found by class, by Django's "app.Model", and by name."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._shapes: dict[Class, Shape] = {}
        for path, leaf in project.leaves.items():
            for shape in leaf.shapes:
                self._shapes.setdefault((path, shape.name), shape)
        self._labels = self._applications()
        self.by_class: dict[Class, Table] = {}
        self._by_label: dict[str, list[Class]] = {}
        self.by_name: dict[str, Table] = {}
        self._proxies: dict[Class, Class] = {}
        self._user: list[Class] = []
        for (path, name), shape in self._shapes.items():
            self._declare(path, name, shape)
        self._named = {table.name: table for table in self.by_class.values()}
        for one in list(self.by_class):
            self._connect(one)

    def _applications(self) -> dict[str, str]:
        """Folders of Django applications with their labels, as their AppConfig says."""
        return {
            parent(path): shape.label or shape.table.rpartition(".")[2]
            for (path, _), shape in sorted(self._shapes.items())
            if shape.bases[0].endswith("AppConfig") and (shape.label or shape.table)
        }

    def _declare(self, path: str, name: str, shape: Shape) -> None:
        if role_of(path) in {"migrations", "tests"}:
            return
        framework = self._framework((path, name))
        if not framework or shape.abstract:
            return
        label = self._label(path, shape) if framework == "django" else ""
        if label:
            self._by_label.setdefault(f"{label}.{name}".lower(), []).append((path, name))
        if shape.proxy and (base := self._table_base((path, name))):
            self._proxies[path, name] = base
            return
        table = shape.table or (f"{label}_{name}".lower() if label else _default_name(name, framework))
        self.by_class[path, name] = Table(
            name=table, model=name, place=Place(path=path, line=shape.line), framework=framework
        )
        if framework == "django" and USER_BASES & self._roots_of((path, name)):
            self._user.append((path, name))

    def _framework(self, one: Class) -> str:
        shape = self._shapes[one]
        bases = self._roots_of(one)
        if bases & DJANGO_BASES:
            return "django"
        if shape.mapped:
            return "sqlmodel" if any(base.startswith("sqlmodel") for base in bases) else "sqlalchemy"
        if any(FLASK_BASE.search(base) for base in bases):
            return "sqlalchemy"
        return "django" if any(_foreign_model(base) for base in bases) else ""

    def _roots_of(self, one: Class) -> set[str]:
        """The bases outside of the project, of the class and of all it inherits from."""
        roots: set[str] = set()
        seen, ahead = {one}, [one]
        while ahead:
            here = ahead.pop()
            for base in self._shapes[here].bases:
                found = self._class_of(base, here[0])
                if found not in self._shapes:
                    roots.add(base if base[:1] not in ".:" or FLASK_BASE.search(base) else ".".join(found))
                elif found not in seen:
                    seen.add(found)
                    ahead.append(found)
        return roots

    def _class_of(self, name: str, source: str) -> Class:
        if name[:1] == "@":
            table = self._by_label.get(name[1:].lower(), [])
            return table[0] if len(table) == 1 else ("", name)
        return self._project.resolve(name, source)

    def _label(self, path: str, shape: Shape) -> str:
        if shape.label:
            return shape.label
        folder = next((one for one in ancestors(parent(path)) if one in self._labels), None)
        if folder is not None:
            return self._labels[folder]
        parts = parent(path).split("/")
        while len(parts) > 1 and parts[-1] == "models":
            parts.pop()
        if "models" in parts[1:]:
            parts = parts[: parts.index("models", 1)]
        return parts[-1] or self._project.index.names[path].partition(".")[0]

    def _table_base(self, one: Class) -> Class | None:
        found = (self._class_of(base, one[0]) for base in self._shapes[one].bases)
        return next((base for base in found if base in self._shapes and base != one and self._framework(base)), None)

    def _connect(self, one: Class) -> None:
        table = self.by_class[one]
        links = sorted(
            {
                (target.name, path, link.line)
                for path, link in self._links(one)
                if (target := self._target(link, path, one))
            }
        )
        made = Table(
            name=table.name,
            model=table.model,
            place=table.place,
            framework=table.framework,
            references=tuple(name for name, _, _ in links),
            reference_places=tuple(Place(path=path, line=line) for _, path, line in links),
        )
        self.by_class[one] = made
        self.by_name.setdefault(made.name, made)

    def _links(self, one: Class) -> Iterator[tuple[str, Link]]:
        """Its foreign keys and those of its abstract bases, with the files they are written in."""
        seen, ahead = {one}, [one]
        while ahead:
            here = ahead.pop()
            for link in self._shapes[here].links:
                yield here[0], link
            for base in self._shapes[here].bases:
                found = self._class_of(base, here[0])
                if found in self._shapes and found not in seen and found not in self.by_class:
                    seen.add(found)
                    ahead.append(found)

    def _target(self, link: Link, path: str, one: Class) -> Table | None:
        if link.target.endswith("AUTH_USER_MODEL"):
            return self.by_class[self._user[0]] if len(self._user) == 1 else None
        if not link.quoted:
            return self.of(link.target, path)
        if link.target == "self":
            return self.by_class[one]
        if self.by_class[one].framework != "django":
            name = link.target.rpartition(".")[0] or link.target
            return self._named.get(name)
        label = self._label(one[0], self._shapes[one])
        return self.labelled(link.target if "." in link.target else f"{label}.{link.target}", one[0])

    def labelled(self, name: str, source: str) -> Table | None:
        """The table of Django's "app.Model"; of several the one nearest to `source`, if that is clear."""
        found = self._by_label.get(name.lower(), [])
        if len(found) > 1:
            tops = self._project.index.roots
            found = [one for one in found if tops.main(one[0]) == tops.main(source)]
        return self._table(found[0]) if len(found) == 1 else None

    def of(self, name: str, source: str) -> Table | None:
        """The table that a name in `source` means, if it is a model or a table."""
        if name[:1] == "@":
            return self.labelled(name[1:], source)
        path, rest = self._project.resolve(name, source)
        model, _, inside = rest.partition(".")
        return self._table((path, model)) if path and model and not inside[:1].isupper() else None

    def spoken(self, name: str) -> str:
        """The name of a declared table that SQL calls so, with or without its schema; else what SQL calls it."""
        plain = name.rpartition(".")[2]
        if name in self.by_name:
            return name
        if plain in self.by_name:
            return plain
        full = self._by_plain.get(plain, [])
        return full[0] if len(full) == 1 else name

    @cached_property
    def _by_plain(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in self.by_name:
            found.setdefault(name.rpartition(".")[2], []).append(name)
        return found

    def _table(self, one: Class) -> Table | None:
        for _ in range(DEEPEST):
            if one not in self._proxies:
                break
            one = self._proxies[one]
        return self.by_class.get(one)


def _foreign_model(base: str) -> bool:
    """A model of a library: its module says "models", and its name does not say that it is something else."""
    module, _, name = base.rpartition(".")
    if base.startswith("django.db.models") or not name[:1].isupper() or name.endswith(NO_MODELS):
        return False
    return (
        ".models" in f"{module}."
        and not module.startswith(("pydantic", "odoo", "keras", "torch"))
        and "models" in module.split(".")
    )


def _default_name(name: str, framework: str) -> str:
    return name.lower() if framework == "sqlmodel" else SNAKE.sub("_", name).lower()
