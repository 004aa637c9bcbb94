"""`ramet db check --hazards`: a migration that harms the running version is named with its file and line."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ramet.storage.hazards import hazards
from ramet.storage.offline import statements
from ramet.storage.revisions import revisions
from tests.unit.cli.conftest import Ramet

HARMFUL = """\"\"\"Drop the names.\"\"\"

from alembic import op

revision = "0002"
down_revision = "{before}"


def upgrade() -> None:
    op.execute("UPDATE nobody SET name = NULL")  # assured: nobody has no rows
    with op.batch_alter_table("nobody") as batch:
        batch.drop_column("name")
    op.create_index(
        "nobody_id",
        "nobody",
        ["id"],
    )
"""


@pytest.fixture
def versions(hello: Path, ramet: Ramet) -> Iterator[Path]:
    folder = hello / "made_by_test" / "greetings" / "migrations"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(hello / ".ramet", ignore_errors=True)
    ramet("db", "revision", "greetings", "-m", "people")
    yield folder / "versions"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(hello / ".ramet", ignore_errors=True)


def test_migrations_that_only_create_tables_harm_nobody(ramet: Ramet, versions: Path) -> None:
    result = ramet("db", "check", "--hazards")
    assert (result.code, result.out) == (0, "The tables are what the code declares. The migrations harm nobody.\n")


def test_a_harmful_migration_is_named_with_its_line(ramet: Ramet, versions: Path) -> None:
    (first,) = versions.glob("0001*.py")
    before = next(line.split('"')[1] for line in first.read_text().splitlines() if line.startswith("revision"))
    harmful = versions / "0002_names.py"
    harmful.write_text(HARMFUL.format(before=before))
    found = hazards(statements(versions.parent, revisions(versions.parent)))
    assert [(hazard.rule, hazard.file, hazard.line) for hazard in found] == [
        ("drop-column", str(harmful), 11),
        ("create-index", str(harmful), 13),
    ]


def test_the_command_tells_and_its_exit_code_too(ramet: Ramet, versions: Path) -> None:
    (first,) = versions.glob("0001*.py")
    text = first.read_text()
    harmful = next(line for line in text.splitlines() if "op.create_table" in line).strip()
    first.write_text(text.replace(harmful, f'op.execute("DROP TABLE IF EXISTS nobody")\n    {harmful}'))
    result = ramet("db", "check", "--hazards")
    assert result.code == 1
    assert "0001_people.py:" in result.out
    assert "[drop-table]" in result.out
    assert ramet("db", "check", "--hazards", "--json").json["hazards"]["greetings"][0]["rule"] == "drop-table"
    assert ramet("db", "check").code == 0
