"""`ramet db check` asks the databases of a deployment which migrations are pending there, and judges those."""

from __future__ import annotations

from pathlib import Path

import pytest

from ramet.testing.engines.postgres import PostgresServer
from tests.integration.cli.deployment import ramet

pytestmark = pytest.mark.needs("postgresql")

TOML = """
[application]
name = "checked"
services = ["checked.shelves"]

[deployment.split]
storage = "{url}"
"""
SERVICE = """
from sqlalchemy import Column, MetaData, String, Table

from ramet import Contract, Database, query

tables = MetaData()
Table("books", tables, Column("isbn", String, primary_key=True), Column("shelf", String, nullable=False, index=True))


class Shelves(Contract, version="1.0.0"):
    @query
    async def count(self) -> int: ...


class ShelvesService(Shelves, tables=tables):
    db: Database

    async def count(self) -> int:
        return 0
"""
FIRST = """
import sqlalchemy as sa
from alembic import op

revision = "first"
down_revision = None


def upgrade():
    op.create_table("books", sa.Column("isbn", sa.String, primary_key=True))
"""
SECOND = """
import sqlalchemy as sa
from alembic import op

revision = "second"
down_revision = "first"


def upgrade():
    with op.batch_alter_table("books") as batch:
        batch.add_column(sa.Column("shelf", sa.String, nullable=False))
        batch.create_index("ix_books_shelf", ["shelf"])
"""
HARMS = ["add-required-column", "create-index"]


def rules(text: str) -> list[str]:
    return [line.rpartition("[")[2].rstrip("]") for line in text.splitlines()]


def test_what_is_pending_is_judged_by_what_is_deployed(server: PostgresServer, tmp_path: Path) -> None:
    versions = tmp_path / "checked" / "shelves" / "migrations" / "versions"
    versions.mkdir(parents=True)
    (tmp_path / "checked" / "__init__.py").touch()
    (tmp_path / "checked" / "shelves" / "__init__.py").write_text(SERVICE)
    (tmp_path / "ramet.toml").write_text(TOML.format(url=server.url))
    (versions / "0001_first.py").write_text(FIRST)

    split = ("-d", "split")
    second = versions / "0002_second.py"
    second.write_text(SECOND)
    assert ramet(tmp_path, "db", "provision", *split).returncode == 0
    new = ramet(tmp_path, "db", "check", *split)
    assert (new.returncode, rules(new.stdout)) == (1, HARMS)
    assert new.stderr.startswith("The databases have none of the migrations")

    second.unlink()
    assert ramet(tmp_path, "db", "migrate", *split).stdout == "shelves: 1 applied\n"
    second.write_text(SECOND)
    pending = ramet(tmp_path, "db", "check", *split)
    assert (pending.returncode, rules(pending.stdout), pending.stderr) == (1, HARMS, "")

    assert ramet(tmp_path, "db", "migrate", *split).stdout == "shelves: 1 applied\n"
    done = ramet(tmp_path, "db", "check", *split)
    harmless = "The tables are what the code declares. No migration is pending.\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, harmless, "")
    assert ramet(tmp_path, "call", "Shelves.count", *split).stdout == "0\n"

    service = tmp_path / "checked" / "shelves" / "__init__.py"
    service.write_text(SERVICE.replace('Column("shelf"', 'Column("title", String), Column("shelf"'))
    ahead = ramet(tmp_path, "call", "Shelves.count", *split)
    assert (ahead.returncode, "every migration and the table books without the column title" in ahead.stderr) == (
        1,
        True,
    )


ONLY_POSTGRESQL = """
import sqlalchemy as sa
from alembic import op

revision = "second"
down_revision = "first"


def upgrade():
    op.add_column("books", sa.Column("shelf", sa.String, server_default="a", nullable=False))
    op.create_index("ix_books_shelf", "books", ["shelf"], if_not_exists=True)
    op.execute("ALTER TABLE books ADD CONSTRAINT short CHECK (length(shelf) < 99) NOT VALID")
"""
NEXT = """
from alembic import op

revision = "third"
down_revision = "second"


def upgrade():
    op.execute("DO $$ BEGIN ALTER TABLE books VALIDATE CONSTRAINT short; END $$")
"""


@pytest.fixture
def versions(server: PostgresServer, tmp_path: Path) -> Path:
    """The migrations of a service whose first one is deployed."""
    folder = tmp_path / "checked" / "shelves" / "migrations" / "versions"
    folder.mkdir(parents=True)
    (tmp_path / "checked" / "__init__.py").touch()
    (tmp_path / "checked" / "shelves" / "__init__.py").write_text(SERVICE)
    (tmp_path / "ramet.toml").write_text(TOML.format(url=f"{server.url}/{tmp_path.name}"))
    (folder / "0001_first.py").write_text(FIRST)
    assert ramet(tmp_path, "db", "provision", "-d", "split").returncode == 0
    assert ramet(tmp_path, "db", "migrate", "-d", "split").returncode == 0
    return folder


def test_migrations_that_only_postgresql_understands_are_tried_on_the_server(versions: Path, tmp_path: Path) -> None:
    (versions / "0002_second.py").write_text(ONLY_POSTGRESQL)
    (versions / "0003_third.py").write_text(NEXT)
    checked = ramet(tmp_path, "db", "check", "-d", "split")
    assert (checked.returncode, rules(checked.stdout)) == (1, ["validate-at-once"])
    (versions / "0003_third.py").unlink()
    checked = ramet(tmp_path, "db", "check", "-d", "split")
    assert (checked.returncode, checked.stdout) == (
        0,
        "The tables are what the code declares. The migrations harm nobody.\n",
    )
    written = ramet(tmp_path, "db", "revision", "shelves", "-m", "more", "-d", "split")
    assert "nothing to migrate" in written.stderr, "it is compared with what all of them lead to"


def test_where_there_is_no_database_to_try_them_on_hazards_are_told_all_the_same(
    versions: Path, tmp_path: Path
) -> None:
    (versions / "0002_second.py").write_text(ONLY_POSTGRESQL.replace(" NOT VALID", ""))
    (tmp_path / "ramet.toml").write_text(TOML.format(url="postgresql://localhost:1/checked"))
    checked = ramet(tmp_path, "db", "check", "-d", "split", "--since", "first")
    assert checked.returncode == 1
    assert "shelves: not compared. The migrations of shelves cannot be tried on an SQLite file" in checked.stdout
    assert "[constraint-checks-rows]" in checked.stdout


def test_what_cannot_be_in_a_transaction_is_refused_in_a_sentence(versions: Path, tmp_path: Path) -> None:
    block = "with op.get_context().autocommit_block():\n        op.create_index"
    (versions / "0002_second.py").write_text(ONLY_POSTGRESQL.replace("op.create_index", block))
    for command in ("check", "migrate"):
        refused = ramet(tmp_path, "db", command, "-d", "split")
        assert refused.returncode == 2
        assert refused.stderr.strip().splitlines()[-1].startswith("error: A migration says autocommit_block()")
