"""Statements that lock a table or break the running version are named, and others are left alone."""

from __future__ import annotations

import pytest

from ramet.storage.hazards.judging import Statement, hazards, hazards_one_by_one


def rules(*statements: str) -> list[str]:
    return [
        hazard.rule for hazard in hazards(Statement(sql, "0002.py", line) for line, sql in enumerate(statements, 1))
    ]


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("ALTER TABLE item ADD COLUMN price INTEGER NOT NULL", "add-required-column"),
        ("alter table only shop.item add price integer not null;", "add-required-column"),
        ("ALTER TABLE item ADD COLUMN id UUID DEFAULT gen_random_uuid() NOT NULL", "add-computed-column"),
        ("ALTER TABLE item ADD COLUMN n BIGSERIAL NOT NULL", "add-computed-column"),
        ("ALTER TABLE item ADD COLUMN t INT GENERATED ALWAYS AS (a * 2) STORED", "add-computed-column"),
        ("ALTER TABLE item ADD COLUMN t INT GENERATED ALWAYS AS (a * 2)", "add-computed-column"),
        ("ALTER TABLE item ADD COLUMN code TEXT UNIQUE", "add-unique-column"),
        ("ALTER TABLE item DROP COLUMN price", "drop-column"),
        ("ALTER TABLE item DROP price CASCADE", "drop-column"),
        ("ALTER TABLE item ALTER COLUMN price TYPE BIGINT USING price::bigint", "change-type"),
        ('ALTER TABLE item ALTER "the price" SET DATA TYPE BIGINT', "change-type"),
        ("ALTER TABLE item ALTER COLUMN price SET NOT NULL", "set-not-null"),
        ("ALTER TABLE item RENAME COLUMN price TO amount", "rename"),
        ("ALTER TABLE item RENAME price TO amount", "rename"),
        ("ALTER TABLE item RENAME TO article", "rename"),
        ("ALTER TABLE item ADD CONSTRAINT positive CHECK (price > 0)", "constraint-checks-rows"),
        ("ALTER TABLE item ADD FOREIGN KEY(seller) REFERENCES seller (id)", "constraint-checks-rows"),
        ("ALTER TABLE item ADD CONSTRAINT one UNIQUE (code, seller)", "constraint-builds-index"),
        ("ALTER TABLE item ADD PRIMARY KEY (id)", "constraint-builds-index"),
        ("ALTER TABLE item SET TABLESPACE quick", "rewrite"),
        ("CREATE INDEX item_price ON item (price)", "create-index"),
        ("CREATE UNIQUE INDEX item_price ON item (price)", "create-index"),
        ("CREATE INDEX CONCURRENTLY item_price ON item (price)", "concurrently-in-transaction"),
        ("DROP INDEX item_price", "drop-index"),
        ("DROP TABLE item", "drop-table"),
        ("UPDATE item SET price = 0", "every-row"),
        ("DELETE FROM item", "every-row"),
        ("TRUNCATE item", "lock"),
        ("LOCK TABLE item IN ACCESS EXCLUSIVE MODE", "lock"),
        ("VACUUM FULL item", "lock"),
        ("ALTER TYPE colour RENAME VALUE 'red' TO 'crimson'", "rename"),
        ("ALTER TABLE item ADD COLUMN id UUID DEFAULT uuid_generate_v4()", "add-computed-column"),
        ("ALTER TABLE item ADD COLUMN code TEXT DEFAULT 'c' || gen_random_uuid()::text", "add-computed-column"),
        ("ALTER TABLE item ADD COLUMN due DATE DEFAULT now() + random() * interval '1 day'", "add-computed-column"),
        ("ALTER TABLE item ADD COLUMN serial VARCHAR NOT NULL", "add-required-column"),
        ('ALTER TABLE item ADD COLUMN "default" INTEGER NOT NULL', "add-required-column"),
        ("ALTER TABLE item ADD n INTEGER NOT NULL /* DEFAULT later /* much */ later */", "add-required-column"),
        ("ALTER TABLE item ADD COLUMN n INTEGER CHECK (n > 0)", "constraint-checks-rows"),
        ("ALTER TABLE item ADD COLUMN n INTEGER DEFAULT 1 REFERENCES seller (id)", "constraint-checks-rows"),
        ("ALTER TABLE item SET SCHEMA other", "rename"),
        ("ALTER TABLE item ATTACH PARTITION item_1 FOR VALUES FROM (1) TO (2)", "attach-partition"),
        ("ALTER TABLE item DETACH PARTITION item_1", "detach-partition"),
        ("ALTER TABLE item DETACH PARTITION item_1 CONCURRENTLY", "concurrently-in-transaction"),
        ("ALTER TABLE item ALTER total SET EXPRESSION AS (price * 2)", "rewrite"),
        ("ALTER DOMAIN cents ADD CHECK (value > 0)", "constraint-checks-rows"),
        ("REINDEX TABLE CONCURRENTLY item", "concurrently-in-transaction"),
        ("DROP VIEW cheap", "drop-object"),
        ("DROP TYPE IF EXISTS colour", "drop-object"),
        ("UPDATE item SET seller = (SELECT id FROM seller WHERE seller.name = item.name)", "every-row"),
        ("WITH old AS (SELECT 1 WHERE true) UPDATE item SET price = 0", "every-row"),
        ("WITH gone AS (DELETE FROM item RETURNING *) INSERT INTO past SELECT * FROM gone", "every-row"),
        ("COMMIT", "ends-transaction"),
        ("DO $$ BEGIN ALTER TABLE item DROP COLUMN price; END $$", "drop-column"),
        ("DO $x$ BEGIN IF true THEN EXECUTE 'DROP TABLE ' || 'item'; END IF; END $x$", "drop-table"),
        (
            "DO $$ BEGIN FOR t IN SELECT 1 LOOP EXECUTE format('ALTER TABLE %I DROP price', t); END LOOP; END $$",
            "drop-column",
        ),
        ("DO $$ BEGIN EXECUTE made_elsewhere; END $$", "unreadable"),
    ],
)
def test_a_statement_that_harms_is_named(sql: str, rule: str) -> None:
    assert rules(sql) == [rule]


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE item ADD COLUMN price INTEGER",
        "ALTER TABLE item ADD COLUMN price INTEGER DEFAULT 0 NOT NULL",
        "ALTER TABLE item ADD COLUMN at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL",
        "ALTER TABLE item ADD COLUMN note TEXT DEFAULT 'NOT NULL, UNIQUE (f())'",
        "ALTER TABLE item ALTER COLUMN price DROP NOT NULL",
        "ALTER TABLE item ALTER COLUMN price SET DEFAULT 0",
        "ALTER TABLE item ADD CONSTRAINT positive CHECK (price > 0) NOT VALID",
        "ALTER TABLE item VALIDATE CONSTRAINT positive",
        "ALTER TABLE item ADD CONSTRAINT one UNIQUE USING INDEX item_one",
        "ALTER TABLE item DROP CONSTRAINT positive",
        "ALTER TABLE item RENAME CONSTRAINT positive TO above_zero",
        "CREATE INDEX IF NOT EXISTS item_price ON item (price)",
        "CREATE TABLE item (id INTEGER NOT NULL PRIMARY KEY, code TEXT UNIQUE)",
        "UPDATE item SET price = 0 WHERE id = 1",
        "INSERT INTO item VALUES (1)",
        "ALTER TYPE colour ADD VALUE 'red'",
        "COMMENT ON TABLE item IS 'DROP TABLE item'",
        "ALTER TABLE item ADD COLUMN t INT GENERATED ALWAYS AS (a * 2) VIRTUAL",
        "ALTER TABLE item ADD COLUMN serial VARCHAR",
        'ALTER TABLE item ADD COLUMN "unique" INTEGER',
        "ALTER TABLE item ADD COLUMN at TIMESTAMP DEFAULT timezone('utc', now()) NOT NULL",
        "ALTER TABLE item ADD COLUMN at TIMESTAMP DEFAULT statement_timestamp() NOT NULL",
        "ALTER TABLE item ADD COLUMN kind TEXT DEFAULT CAST('x' AS varchar(3)) NOT NULL",
        "ALTER TABLE item ADD COLUMN kind TEXT DEFAULT E'it\\'s; (f())' NOT NULL",
        "ALTER TABLE item ADD COLUMN n NUMERIC(4, 2) DEFAULT 1.0::numeric(4, 2) NOT NULL",
        "ALTER TABLE item ADD COLUMN n INTEGER REFERENCES seller (id) ON DELETE SET DEFAULT",
        "ALTER TABLE item REPLICA IDENTITY FULL",
        "ALTER TABLE item RESET (fillfactor)",
        "ALTER TABLE item ALTER COLUMN price DROP DEFAULT",
        "UPDATE item SET note = 'a -- b /* c' WHERE id = 1",
        "INSERT INTO item (note) VALUES ('x; DROP TABLE item; DROP TABLE seller')",
        "DO $$ BEGIN UPDATE item SET price = CASE WHEN free THEN 0 END WHERE id = 1; END $$",
        "CREATE FUNCTION f() RETURNS trigger AS $$ BEGIN UPDATE item SET n = 1; RETURN NEW; END $$ LANGUAGE plpgsql",
        "-- DROP TABLE item\nSELECT 1",
    ],
)
def test_a_statement_that_harms_nobody_is_left_alone(sql: str) -> None:
    assert rules(sql) == []


def test_every_action_of_a_statement_is_read() -> None:
    assert rules("ALTER TABLE item ADD a NUMERIC(4, 2) NOT NULL, DROP COLUMN b") == [
        "add-required-column",
        "drop-column",
    ]


def test_what_is_done_to_a_table_of_the_same_migrations_harms_nobody() -> None:
    assert rules(
        'CREATE TABLE "shop"."item" (id INTEGER)',
        "CREATE INDEX item_id ON item (id)",
        "ALTER TABLE item ADD COLUMN price INTEGER NOT NULL",
        "UPDATE item SET price = 0",
        "DROP TABLE item",
        "CREATE INDEX other_id ON other (id)",
    ) == ["create-index"]


def test_what_is_done_to_a_table_of_an_earlier_migration_harms_where_each_is_deployed_by_itself() -> None:
    statements = [
        Statement("CREATE TABLE item (id INTEGER)", "0001.py", 1),
        Statement("CREATE INDEX item_id ON item (id)", "0001.py", 2),
        Statement("CREATE INDEX item_at ON item (at)", "0002.py", 1),
    ]
    assert hazards(statements) == ()
    assert [(one.rule, one.file) for one in hazards_one_by_one(statements)] == [("create-index", "0002.py")]


def test_a_constraint_is_not_validated_under_the_lock_that_added_it() -> None:
    assert rules(
        "ALTER TABLE item ADD CONSTRAINT positive CHECK (price > 0) NOT VALID",
        "ALTER TABLE item VALIDATE CONSTRAINT positive",
    ) == ["validate-at-once"]


def test_a_default_that_the_running_version_needs_is_not_dropped_at_once() -> None:
    assert rules(
        "ALTER TABLE item ADD COLUMN price INTEGER DEFAULT 0 NOT NULL",
        "ALTER TABLE item ADD COLUMN note TEXT DEFAULT ''",
        "ALTER TABLE item ALTER COLUMN price DROP DEFAULT",
        "ALTER TABLE item ALTER COLUMN note DROP DEFAULT",
    ) == ["drop-default"]


def test_several_statements_in_one_text_are_each_read_and_named_for_being_several() -> None:
    assert rules("CREATE TABLE past (id INTEGER); ALTER TABLE item DROP COLUMN price;") == [
        "drop-column",
        "several-statements",
    ]


def test_one_table_of_the_same_migrations_does_not_excuse_another() -> None:
    assert rules("CREATE TABLE past (id INTEGER)", "DROP TABLE past, item") == ["drop-table"]


def test_what_a_new_table_becomes_is_nobodys_yet() -> None:
    assert (
        rules(
            "CREATE TABLE past (id INTEGER)",
            "CREATE INDEX past_id ON past (id)",
            "DROP INDEX past_id",
            "ALTER TABLE past RENAME TO former",
            "ALTER TABLE former ADD COLUMN n INTEGER NOT NULL",
            "ALTER TABLE item ATTACH PARTITION former FOR VALUES IN (1)",
        )
        == []
    )


def test_a_view_that_is_made_anew_was_always_there() -> None:
    assert rules("DROP VIEW cheap", "CREATE VIEW cheap AS SELECT 1", "DROP VIEW dear") == ["drop-object"]


def test_a_hazard_says_where_why_and_what_instead() -> None:
    (hazard,) = hazards([Statement("DROP TABLE\n  item", "versions/0002.py", 14)])
    assert str(hazard) == (
        "versions/0002.py:14: the running version still reads and writes the table. "
        "Instead: release a version that does not use it, and drop it in the release after. [drop-table]"
    )
    assert hazard.sql == "DROP TABLE item"
