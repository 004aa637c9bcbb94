"""Pure: Ramet's own tables in each service's database, and how they came to be what they are."""

from __future__ import annotations

from ramet.events.tables import SCHEMA as EVENT_TABLES
from ramet.runtime.schedules import SCHEMA as SCHEDULE_TABLES
from ramet.sagas.journal import SCHEMA as SAGA_TABLES
from ramet.storage.history import History, Step
from ramet.storage.tables import SCHEMA as STORAGE_TABLES

SCHEMA = (*STORAGE_TABLES, *EVENT_TABLES, *SAGA_TABLES, *SCHEDULE_TABLES)
HISTORY = History(
    steps=(Step(2, "ramet_saga", "owner", "ALTER TABLE ramet_saga ADD COLUMN owner TEXT"),),
    compatible=1,
)
"""Whoever adds a column to a table of `SCHEMA` adds a step here: tests/integration/upgrades compares the two."""
