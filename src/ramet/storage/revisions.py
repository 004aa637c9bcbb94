"""The migrations of a service's package, read without importing Alembic, which costs more than starting."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

import msgspec

from ramet.errors import ConfigurationError, StorageError, StorageUnavailable
from ramet.storage.base import Storage


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """One migration: its identifier, what it follows, what it does in a line, and its file."""

    id: str
    follows: tuple[str, ...]
    message: str
    file: Path


def revisions(folder: Path) -> tuple[Revision, ...]:
    """The migrations in `folder/versions`, each after those it follows.

    Raises: ConfigurationError where a file does not say which revision it is, or a revision follows none that is there.
    """
    found = [_read(file) for file in sorted((folder / "versions").glob("*.py")) if not file.name.startswith("_")]
    ordered: dict[str, Revision] = {}
    while len(ordered) < len(found):
        ready = [one for one in found if one.id not in ordered and all(before in ordered for before in one.follows)]
        if not ready:
            lost = next(one for one in found if one.id not in ordered)
            raise ConfigurationError(
                f"{lost.file} follows {', '.join(lost.follows)}, which is not in {lost.file.parent} or is there twice: "
                "correct its down_revision."
            )
        ordered.update((one.id, one) for one in ready)
    return tuple(ordered.values())


def heads(found: Iterable[Revision]) -> frozenset[str]:
    """The revisions that no other follows."""
    known = tuple(found)
    return frozenset(one.id for one in known) - {before for one in known for before in one.follows}


def unapplied(found: Iterable[Revision], has: Iterable[str]) -> tuple[Revision, ...]:
    """Those that a database lacks whose newest are these, each after those it follows."""
    known = tuple(found)
    by_id = {one.id: one for one in known}
    done, ahead = set[str](), list(has)
    while ahead:
        one = ahead.pop()
        done.add(one)
        ahead += by_id[one].follows
    return tuple(one for one in known if one.id not in done)


async def applied(storage: Storage) -> frozenset[str]:
    """The newest revisions that the database has; empty where no migration was ever applied.

    Raises: StorageUnavailable where it cannot be asked.
    """
    try:
        rows = await storage.fetch("SELECT version_num FROM alembic_version")
    except StorageUnavailable:
        raise
    except StorageError:
        return frozenset()
    return frozenset(row[0] for row in rows)


async def is_current(storage: Storage, folder: Path) -> bool:
    """Whether the database has every migration of the folder; takes about a millisecond."""
    return await applied(storage) == heads(revisions(folder))


def _read(file: Path) -> Revision:
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    values = dict(_assignments(tree))
    revision, before = values.get("revision"), values.get("down_revision")
    if not isinstance(revision, str):
        raise ConfigurationError(f'{file} does not say which revision it is: add `revision = "…"`, or remove the file.')
    follows = (before,) if isinstance(before, str) else tuple(before or ())
    message = (ast.get_docstring(tree) or file.stem).splitlines()[0]
    return Revision(id=revision, follows=follows, message=message, file=file)


def _assignments(tree: ast.Module) -> Iterable[tuple[str, str | tuple[str, ...] | None]]:
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and target.id in ("revision", "down_revision") and value is not None:
            yield target.id, ast.literal_eval(value)
