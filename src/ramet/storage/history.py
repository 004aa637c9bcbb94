"""Pure: how Ramet's own tables have changed from release to release: ordered steps, and which releases they suit.

A database notes the version of its tables, and the oldest version whose releases may work with them. Whoever opens it
first after an update takes the steps that are outstanding, under the lock of its start; the tables that a release makes
from nothing are the sum of the steps. So that releases can run side by side while they are exchanged, a step adds what
former releases do without: a new table, or a column that may be empty. Where that cannot be, `compatible` says so.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from ramet.errors import StorageError

TABLE = "ramet_schema"
CREATE = f"""CREATE TABLE IF NOT EXISTS {TABLE} (
    one INTEGER NOT NULL PRIMARY KEY, version INTEGER NOT NULL, compatible INTEGER NOT NULL)"""
NOTED = f"SELECT version, compatible FROM {TABLE}"


class Step(NamedTuple):
    """What leads to `version`: a statement that adds `column` to `table`, understood by SQLite and PostgreSQL."""

    version: int
    table: str
    column: str
    sql: str

    def is_needed(self, columns: Collection[str]) -> bool:
        """Whether it is to be taken: the table is there, and was made without it. One that is not is made whole."""
        return bool(columns) and self.column not in columns


class Noted(NamedTuple):
    """What a database says of its tables: their version, and the oldest one whose releases may work with them."""

    version: int
    compatible: int


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """What this release knows: its tables are of the last step's version, and suit releases from `compatible` on."""

    steps: tuple[Step, ...] = ()
    compatible: int = 1

    @property
    def version(self) -> int:
        """Of this release; 1 is what there was before anything was noted."""
        return max((step.version for step in self.steps), default=1)

    def outstanding(self, noted: Noted | None, where: str) -> tuple[Step, ...]:
        """The steps that a database needs. Raises: StorageError where its tables are too new for this release."""
        if noted is None:
            return self.steps
        if noted.compatible > self.version:
            raise StorageError(
                f"The tables of Ramet in {where} are of version {noted.version}, and this release knows those up to "
                f"{self.version}: install the release that has upgraded them, or restore a copy from before."
            )
        return tuple(step for step in self.steps if step.version > noted.version)

    def note(self, noted: Noted | None) -> str | None:
        """The statement that notes the version; None where it is, or a later release has done so."""
        if not self.steps or (noted is not None and noted.version >= self.version):
            return None
        return (
            f"INSERT INTO {TABLE} (one, version, compatible) VALUES (1, {self.version}, {self.compatible}) "
            "ON CONFLICT (one) DO UPDATE SET version = excluded.version, compatible = excluded.compatible"
        )


NO_HISTORY = History()
"""For whoever opens a database without Ramet's own tables."""
