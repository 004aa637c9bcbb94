DELETE FROM ramet_dead_letter WHERE consumer = ? AND event_id = ?
DELETE FROM ramet_inbox WHERE consumer = ? AND key = ?
DELETE FROM ramet_outbox WHERE seq = ?
DELETE FROM ramet_retry WHERE consumer = ? AND event_id = ?
DELETE FROM ramet_signal WHERE at < ? AND NOT EXISTS (SELECT 1 FROM ramet_saga s WHERE s.name = ramet_signal.saga AND s.business_key = ramet_signal.business_key AND s.ended_at IS NULL)
DELETE FROM ramet_signal WHERE saga = ? AND business_key = ?
DELETE FROM ramet_signal WHERE saga = ? AND business_key = ? AND event = ? AND event_id = ?
INSERT INTO ramet_dead_letter (consumer, event_id, topic, key, version, attempts, error, payload, headers, published_at, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
INSERT INTO ramet_inbox (consumer, key, answer, at) VALUES (?, ?, ?, ?)
INSERT INTO ramet_inbox (consumer, key, answer, at) VALUES (?, ?, ?, ?) ON CONFLICT (consumer, key) DO NOTHING
INSERT INTO ramet_outbox (event_id, topic, key, version, payload, headers, at, sent_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
INSERT INTO ramet_retry (consumer, event_id, topic, key, attempts, counted, error, since, next_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (consumer, event_id) DO UPDATE SET attempts = excluded.attempts, counted = excluded.counted, error = excluded.error, next_at = excluded.next_at
INSERT INTO ramet_saga (id, name, business_key, definition, state, context, started_at, status) VALUES (?, ?, ?, ?, ?, ?, ?, 'running') ON CONFLICT (name, business_key) DO NOTHING
INSERT INTO ramet_saga_definition (version, name, shape) VALUES (?, ?, ?) ON CONFLICT DO NOTHING
INSERT INTO ramet_saga_log (saga, n, kind, step, data, at) VALUES (?, ?, ?, ?, ?, ?)
INSERT INTO ramet_schedule (name, timetable, last_run) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET timetable = excluded.timetable, last_run = excluded.last_run WHERE ramet_schedule.timetable <> excluded.timetable
INSERT INTO ramet_signal (saga, business_key, event, event_id, payload, at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
INSERT INTO ramet_subscription (consumer, topic, since, position) VALUES (?, ?, ?, ?) ON CONFLICT (consumer, topic) DO NOTHING
SELECT (SELECT COUNT(*) FROM ramet_outbox WHERE sent_at IS NULL), (SELECT COUNT(*) FROM ramet_retry), (SELECT COUNT(*) FROM ramet_dead_letter)
SELECT 1 FROM ramet_inbox WHERE consumer = ? AND key = ?
SELECT COALESCE((SELECT MIN(seq) - 1 FROM ramet_outbox WHERE sent_at IS NULL), (SELECT MAX(seq) FROM ramet_outbox), 0)
SELECT DISTINCT s.id FROM ramet_signal g JOIN ramet_saga s ON s.name = g.saga AND s.business_key = g.business_key WHERE s.ended_at IS NULL
SELECT answer FROM ramet_inbox WHERE consumer = ? AND key = ?
SELECT consumer, key FROM ramet_inbox WHERE at < ? ORDER BY at LIMIT ?
SELECT consumer, topic FROM ramet_subscription WHERE position IS NULL
SELECT event_id, counted, attempts, since FROM ramet_retry WHERE consumer = ?
SELECT event_id, payload FROM ramet_signal WHERE saga = ? AND business_key = ? AND event = ? ORDER BY at, event_id LIMIT 1
SELECT event_id, topic, key, version, payload, headers, published_at, renewals FROM ramet_dead_letter WHERE consumer = ? AND replay_at IS NOT NULL ORDER BY at, event_id LIMIT ?
SELECT id FROM ramet_saga WHERE name = ? AND business_key = ?
SELECT id FROM ramet_saga WHERE name = ? AND business_key = ? AND ended_at IS NULL
SELECT l.saga, l.n, l.kind, l.step, l.data, l.at FROM ramet_saga_log l JOIN ramet_saga s ON s.id = l.saga WHERE s.ended_at IS NULL AND l.saga > ? AND l.saga <= ? ORDER BY l.saga, l.n
SELECT last_run, lease_until FROM ramet_schedule WHERE name = ?
SELECT n, kind, step, data, at FROM ramet_saga_log WHERE saga = ? ORDER BY n
SELECT name, last_run, lease_until, missed, failed, error FROM ramet_schedule ORDER BY name
SELECT s.id, s.name, s.business_key, s.definition, s.state, s.context, s.started_at, s.status, s.reason, s.trouble, s.ended_at FROM ramet_saga s WHERE s.ended_at IS NULL AND s.id > ? ORDER BY s.id LIMIT ?
SELECT s.id, s.name, s.business_key, s.definition, s.state, s.context, s.started_at, s.status, s.reason, s.trouble, s.ended_at FROM ramet_saga s WHERE s.id = ?
SELECT seq, at, sent_at FROM ramet_outbox WHERE seq > ? ORDER BY seq LIMIT ?
SELECT seq, event_id, topic, key, version, payload, headers, at FROM ramet_outbox WHERE sent_at IS NULL AND seq > ? ORDER BY seq LIMIT ?
SELECT seq, event_id, topic, key, version, payload, headers, at FROM ramet_outbox WHERE sent_at IS NULL AND seq >= ? AND seq <= ? AND key = ? ORDER BY seq LIMIT ?
SELECT seq, event_id, topic, key, version, payload, headers, at FROM ramet_outbox WHERE seq > ? ORDER BY seq LIMIT ?
SELECT seq, event_id, topic, key, version, payload, headers, at FROM ramet_outbox WHERE seq >= ? AND seq <= ? AND key = ? ORDER BY seq LIMIT ?
SELECT topic FROM ramet_subscription WHERE consumer = ?
SELECT topic, position FROM ramet_subscription WHERE consumer = ? AND position IS NOT NULL
UPDATE ramet_dead_letter SET attempts = attempts + ?, error = ?, at = ?, replay_at = NULL WHERE consumer = ? AND event_id = ?
UPDATE ramet_outbox SET sent_at = ? WHERE seq >= ? AND seq <= ? AND sent_at IS NULL
UPDATE ramet_saga SET definition = ? WHERE name = ? AND definition <> ? AND ended_at IS NULL
UPDATE ramet_saga SET status = ?, reason = ?, trouble = ?, ended_at = ? WHERE id = ?
UPDATE ramet_schedule SET last_run = ?, lease_owner = NULL, lease_until = NULL, error = ?, failed = failed + 1 WHERE name = ? AND lease_owner = ?
UPDATE ramet_schedule SET last_run = ?, lease_owner = NULL, lease_until = NULL, error = NULL WHERE name = ? AND lease_owner = ?
UPDATE ramet_schedule SET lease_owner = ?, lease_until = ?, missed = missed + ? WHERE name = ? AND last_run = ? AND (lease_until IS NULL OR lease_until < ?)
UPDATE ramet_schedule SET lease_owner = NULL, lease_until = NULL WHERE lease_owner = ?
UPDATE ramet_schedule SET lease_until = ? WHERE name = ? AND lease_owner = ?
UPDATE ramet_subscription SET position = ? WHERE consumer = ? AND topic = ?
