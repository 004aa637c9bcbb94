"""`ramet db check --hazards`: a migration that harms the running version is named with its file and line."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ramet.storage.hazards.judging import hazards
from ramet.storage.offline import statements
from ramet.storage.revisions import revisions
from tests.unit.cli.conftest import Ramet

SPLIT = '\n[deployment.split]\nstorage = "postgresql://127.0.0.1:1"\n'
APART = "No migration harms anybody where those before it are deployed already.\n"
HARMFUL = """\"\"\"Drop the names.\"\"\"

from alembic import op

revision = "0002"
down_revision = "{before}"


def upgrade() -> None:
    op.execute("UPDATE nobody SET name = NULL")  # assured: nobody has no rows
    op.execute(
        \"\"\"
        UPDATE nobody
        SET name = NULL
        \"\"\"
    )  # assured: where a formatter puts it
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
    assert (result.code, result.out) == (0, f"The tables are what the code declares. {APART}")
    assert "SQLite files do not tell what is deployed" in result.err


@pytest.fixture
def split(hello: Path) -> Iterator[None]:
    """A deployment on a server that is not there."""
    file = hello / "ramet.toml"
    text = file.read_text()
    file.write_text(text + SPLIT)
    yield
    file.write_text(text)


@pytest.mark.usefixtures("split")
def test_where_the_databases_cannot_be_asked_that_is_said_and_nobody_is_called_unharmed(
    ramet: Ramet, versions: Path
) -> None:
    harmless = ramet("db", "check", "-d", "split")
    assert (harmless.code, harmless.out) == (0, f"The tables are what the code declares. {APART}")
    assert harmless.err.startswith("PostgreSQL does not answer at postgresql://127.0.0.1:1 (connection refused)")
    assert "Each migration was judged as if those before it were deployed already" in harmless.err
    assert ramet("db", "check", "-d", "split", "--json").json["assumed"].startswith("PostgreSQL does not answer at ")


@pytest.mark.usefixtures("split")
@pytest.mark.parametrize("options", [("-d", "split"), ("--hazards",)])
def test_what_an_earlier_migration_has_created_is_in_use(
    ramet: Ramet, versions: Path, options: tuple[str, ...]
) -> None:
    first, before = first_of(versions)
    text = HARMFUL.replace("nobody", "people").replace('"name"', '"times"').replace("name =", "times =")
    (versions / "0002_names.py").write_text(text.replace('"id"', '"name"').format(before=before))
    harmful = ramet("db", "check", *options, "--json").json["hazards"]["greetings"]
    assert [hazard["rule"] for hazard in harmful] == ["drop-column", "create-index"]
    assert first not in {Path(hazard["file"]) for hazard in harmful}
    assert ramet("db", "check", *options, "--since", before, "--json").json["hazards"].keys() == {"greetings"}
    since = ramet("db", "check", *options, "--since", "0002", "--json").json
    assert (since["hazards"], since["assumed"]) == (
        {},
        "Each migration was judged as if those before it were deployed already.",
    )
    refused = ramet("db", "check", "--since", "0003")
    assert (refused.code, refused.err.startswith("error: No service has the migration 0003: ")) == (2, True)


def first_of(versions: Path) -> tuple[Path, str]:
    """The first migration, and its identifier."""
    (first,) = versions.glob("0001*.py")
    return first, next(line.split('"')[1] for line in first.read_text().splitlines() if line.startswith("revision"))


@pytest.mark.usefixtures("split")
@pytest.mark.parametrize("options", [("-d", "split"), ("--hazards",)])
def test_without_a_folder_of_migrations_there_are_none_to_judge(
    ramet: Ramet, versions: Path, options: tuple[str, ...]
) -> None:
    shutil.rmtree(versions.parent)
    result = ramet("db", "check", *options)
    assert (result.code, result.out) == (1, "greetings: add table people\n")
    assert result.err.startswith("Without migrations: greetings. `ramet db revision greetings -m first` writes a first")


def test_a_harmful_migration_is_named_with_its_line(ramet: Ramet, versions: Path) -> None:
    _, before = first_of(versions)
    harmful = versions / "0002_names.py"
    harmful.write_text(HARMFUL.format(before=before))
    found = hazards(statements(versions.parent, revisions(versions.parent)))
    assert [(hazard.rule, hazard.file, hazard.line) for hazard in found] == [
        ("drop-column", str(harmful), 17),
        ("create-index", str(harmful), 19),
    ]


def test_the_command_tells_and_its_exit_code_too(ramet: Ramet, versions: Path) -> None:
    first, _ = first_of(versions)
    text = first.read_text()
    harmful = next(line for line in text.splitlines() if "op.create_table" in line).strip()
    first.write_text(text.replace(harmful, f'op.execute("DROP TABLE IF EXISTS nobody")\n    {harmful}'))
    result = ramet("db", "check", "--hazards")
    assert result.code == 1
    assert "0001_people.py:" in result.out
    assert "[drop-table]" in result.out
    assert ramet("db", "check", "--hazards", "--json").json["hazards"]["greetings"][0]["rule"] == "drop-table"
    assert ramet("db", "check").code == 0
