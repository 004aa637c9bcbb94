CREATE TABLE ramet_dead_letter (
        consumer TEXT NOT NULL, event_id TEXT NOT NULL, topic TEXT NOT NULL, key TEXT, version INTEGER NOT NULL,
        attempts INTEGER NOT NULL, error TEXT NOT NULL, payload BLOB NOT NULL, headers TEXT NOT NULL,
        published_at DOUBLE PRECISION NOT NULL, at DOUBLE PRECISION NOT NULL,
        renewals INTEGER NOT NULL DEFAULT 0, replay_at DOUBLE PRECISION,
        PRIMARY KEY (consumer, event_id));
CREATE TABLE ramet_inbox (
        consumer TEXT NOT NULL, key TEXT NOT NULL, answer BLOB, at DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (consumer, key));
INSERT INTO "ramet_inbox" VALUES('granary.store','once',X'6101',1.79584029380652737619e+09);
INSERT INTO "ramet_inbox" VALUES('granary.store','01a2206c3bb271a8838ebd2c915faec5/sow/do/granary.store/1',X'6102',1.79584029381233096123e+09);
CREATE TABLE ramet_outbox (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL, topic TEXT NOT NULL, key TEXT,
        version INTEGER NOT NULL, payload BLOB NOT NULL, headers TEXT NOT NULL, at DOUBLE PRECISION NOT NULL,
        sent_at DOUBLE PRECISION);
INSERT INTO "ramet_outbox" VALUES(1,'01a2206c3c88722cbd509b56754a6b33','granary.Opened','barley',1,X'7B226E616D65223A226261726C6579227D','{"execution":"01a2206c3c887f66a4ede4235978dcc6","trace":"01a2206c3c887f66a4ede4235978dcc6"}',1.79584029402454471583e+09,NULL);
CREATE TABLE ramet_retry (
        consumer TEXT NOT NULL, event_id TEXT NOT NULL, topic TEXT NOT NULL, key TEXT,
        attempts INTEGER NOT NULL, counted INTEGER NOT NULL, error TEXT NOT NULL, since DOUBLE PRECISION NOT NULL,
        next_at DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (consumer, event_id));
CREATE TABLE ramet_saga (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, business_key TEXT NOT NULL, definition TEXT NOT NULL,
        state TEXT NOT NULL, context TEXT NOT NULL, started_at DOUBLE PRECISION NOT NULL,
        status TEXT NOT NULL, reason TEXT, trouble TEXT, ended_at DOUBLE PRECISION,
        UNIQUE (name, business_key));
INSERT INTO "ramet_saga" VALUES('01a2206c3bb271a8838ebd2c915faec5','Harvest','barley','48d2afbee8fae9c0','{"name":"barley"}','{"trace":"01a2206c3bb27dc4a02f9f23b521fc59"}',1.79584029381076335906e+09,'running',NULL,NULL,NULL);
CREATE TABLE ramet_saga_definition (
        version TEXT PRIMARY KEY, name TEXT NOT NULL, shape TEXT NOT NULL);
INSERT INTO "ramet_saga_definition" VALUES('48d2afbee8fae9c0','Harvest','[[{"name":"sow"}],[{"name":"opened","kind":"wait","event":"Opened"}],[{"name":"reap"}]]');
CREATE TABLE ramet_saga_log (
        saga TEXT NOT NULL, n INTEGER NOT NULL, kind TEXT NOT NULL, step TEXT NOT NULL,
        data TEXT, at DOUBLE PRECISION NOT NULL, PRIMARY KEY (saga, n));
INSERT INTO "ramet_saga_log" VALUES('01a2206c3bb271a8838ebd2c915faec5',0,'did','sow','{"name":"barley"}',1.79584029381766819956e+09);
CREATE TABLE ramet_schedule (
        name TEXT NOT NULL PRIMARY KEY, timetable TEXT NOT NULL, last_run DOUBLE PRECISION NOT NULL,
        lease_owner TEXT, lease_until DOUBLE PRECISION,
        missed INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0, error TEXT);
CREATE TABLE ramet_signal (
        saga TEXT NOT NULL, business_key TEXT NOT NULL, event TEXT NOT NULL, event_id TEXT NOT NULL,
        payload TEXT NOT NULL, at DOUBLE PRECISION NOT NULL, PRIMARY KEY (saga, business_key, event, event_id));
CREATE TABLE ramet_subscription (
        consumer TEXT NOT NULL, topic TEXT NOT NULL, since DOUBLE PRECISION NOT NULL, position BIGINT,
        PRIMARY KEY (consumer, topic));
INSERT INTO "ramet_subscription" VALUES('granary.note','granary.Opened',1.79584029379442691809e+09,NULL);
INSERT INTO "ramet_subscription" VALUES('granary.Harvest/Opened','granary.Opened',1.79584029379754137991e+09,NULL);
CREATE TABLE sacks (
	id INTEGER NOT NULL, 
	what TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "sacks" VALUES(1,'kept');
INSERT INTO "sacks" VALUES(2,'sown barley');
CREATE INDEX ramet_inbox_at ON ramet_inbox (at);
CREATE INDEX ramet_outbox_unsent ON ramet_outbox (seq) WHERE sent_at IS NULL;
CREATE INDEX ramet_dead_letter_replay ON ramet_dead_letter (consumer, replay_at)
        WHERE replay_at IS NOT NULL;
CREATE INDEX ramet_saga_live ON ramet_saga (id) WHERE ended_at IS NULL;
