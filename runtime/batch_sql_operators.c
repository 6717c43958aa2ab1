// What commands and revisions ask of the tables; the texts of the workers are in batch_sql.c.
#include "batch_sql_private.h"

#include <stddef.h>

const struct batch_sql_template batch_sql_of_operators[] = {
    {BATCH_REGISTER, "register",
     "WITH made AS (INSERT INTO %B (name, revision, direction, run, kind, relation, code, spec,"
     " file, script, context, batch_rows, target_ms, pause_ms, workers, lease_ms, error_budget,"
     " throttle, vacuum_every) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::int4,"
     " $13::int4, $14::int4, $15::int4, $16::int4, $17::int8, $18, $19::float8) RETURNING id),"
     " told AS (INSERT INTO %V (backfill, what, detail) SELECT id, 'registered', $2 FROM made)"
     " SELECT id FROM made"},
    {BATCH_FORGET, "forget", "DELETE FROM %B WHERE id " EQ " $1::int8"},
    {BATCH_FIND, "find", "SELECT b.* FROM %B b WHERE b.name " EQ " $1"},
    {BATCH_LOCK, "lock", "SELECT b.pass FROM %B b WHERE b.id " EQ " $1::int8 FOR NO KEY UPDATE"},
    {BATCH_RANGE_ADD, "range_add",
     "INSERT INTO %R (backfill, pass, relation, relid, lo, hi, inclusive, rows_estimate)"
     " SELECT $1::int8, $2::int4, $3, $4::oid, u.lo::text[], u.hi::text[],"
     " $7::bool AND u.nth " EQ " 1, u.rows"
     " FROM ROWS FROM (pg_catalog.unnest($5::text[]), pg_catalog.unnest($6::text[]),"
     " pg_catalog.unnest($8::int8[])) WITH ORDINALITY AS u (lo, hi, rows, nth) ORDER BY u.nth"},
    {BATCH_PLANNED, "planned",
     "UPDATE %B SET pass = $2::int4, rows_estimate = COALESCE(rows_estimate, 0) " PLUS " $3::int8,"
     " plan = $4, outcome = NULL, failure = NULL, finished = NULL,"
     " started = COALESCE(started, " CLOCK ") WHERE id " EQ " $1::int8"},
    {BATCH_PROGRESS, "progress",
     "SELECT b.id, b.name, b.revision, b.direction, b.kind, b.relation, b.desired_state,"
     " COALESCE(b.outcome, '') AS outcome, b.failure, b.batch_rows, b.target_ms, b.pause_ms,"
     " b.workers AS wanted_workers, b.lease_ms, b.throttle, b.vacuum_every, b.vacuumed_rows,"
     " b.error_budget, b.pass, b.rows_estimate, b.remaining, b.held,"
     " pg_catalog.date_part('epoch', " CLOCK " " MINUS " b.held_since)::int8 AS held_s,"
     " b.created::text AS created, b.started::text AS started, b.finished::text AS finished,"
     " b.finalized::text AS finalized,"
     " pg_catalog.date_part('epoch', COALESCE(b.finished, " CLOCK ") " MINUS
     " b.started)::float8 AS elapsed_s,"
     " r.*, (SELECT pg_catalog.count(*) FROM %E e WHERE e.backfill " EQ " b.id"
     " AND e.resolved_at IS NULL) AS errors"
     " FROM %B b, LATERAL (SELECT pg_catalog.count(*) AS ranges,"
     " pg_catalog.count(*) FILTER (WHERE r.state " EQ " 'done') AS ranges_done,"
     " pg_catalog.count(*) FILTER (WHERE r.state " EQ " 'failed') AS ranges_failed,"
     " pg_catalog.count(*) FILTER (WHERE r.state " EQ " 'leased' AND r.lease_until " GT " " CLOCK
     ") AS workers,"
     " pg_catalog.count(*) FILTER (WHERE r.state " EQ " 'leased' AND r.lease_until " LE " " CLOCK
     ") AS leases_over,"
     " COALESCE(pg_catalog.sum(r.rows_seen) FILTER (WHERE r.pass " EQ " 1"
     " AND r.retry_of IS NULL), 0)::int8 AS rows,"
     " COALESCE(pg_catalog.sum(r.rows_changed), 0)::int8 AS changed,"
     " COALESCE(pg_catalog.sum(r.batches), 0)::int8 AS batches,"
     " COALESCE(pg_catalog.sum(r.ms), 0)::int8 AS ms,"
     " pg_catalog.max(r.last_error) AS last_error,"
     " (pg_catalog.avg(r.batch_rows) FILTER (WHERE r.state " EQ " 'leased'))::int8"
     " AS last_batch_rows,"
     " (pg_catalog.avg(r.batch_ms) FILTER (WHERE r.state " EQ " 'leased'))::int8 AS last_batch_ms"
     " FROM %R r WHERE r.backfill " EQ " b.id) r"
     " WHERE $1::int8 IS NULL OR b.id " EQ " $1::int8 ORDER BY b.id"},
    {BATCH_WORKERS, "workers",
     "SELECT r.owner, r.id AS range, r.relation, r.rows_seen AS rows, r.batch_rows, r.batch_ms,"
     " r.lease_until::text AS lease_until, r.lease_until " GT " " CLOCK " AS live"
     " FROM %R r WHERE r.backfill " EQ " $1::int8 AND r.state " EQ " 'leased'"
     " ORDER BY r.owner, r.id"},
    {BATCH_DESIRE, "desire",
     "WITH set AS (UPDATE %B SET desired_state = $2, held = NULL, held_since = NULL"
     " WHERE id " EQ " $1::int8 AND desired_state OPERATOR(pg_catalog.<>) $2 RETURNING id)"
     " INSERT INTO %V (backfill, what) SELECT id, $2 FROM set"},
    {BATCH_TUNE, "tune",
     "WITH set AS (UPDATE %B SET batch_rows = $2::int4, target_ms = $3::int4, pause_ms = $4::int4,"
     " workers = $5::int4, lease_ms = $6::int4, error_budget = $7::int8, throttle = $8,"
     " vacuum_every = $9::float8 WHERE id " EQ " $1::int8 RETURNING id)"
     " INSERT INTO %V (backfill, what, detail) SELECT id, 'tuned', $10 FROM set"},
    // Several processes may hold or go on for reasons of their own; a reason is told once.
    {BATCH_HOLD, "hold",
     "WITH held AS (UPDATE %B SET held = $2, held_since = CASE WHEN $2 IS NOT NULL THEN " CLOCK
     " END WHERE id " EQ " $1::int8 AND held IS DISTINCT FROM $2 RETURNING id)"
     " INSERT INTO %V (backfill, what, detail)"
     " SELECT id, CASE WHEN $2 IS NULL THEN 'goes on' ELSE 'held' END, $2 FROM held"},
    {BATCH_EVENT_ADD, "event_add",
     "INSERT INTO %V (backfill, what, detail) VALUES ($1::int8, $2, $3)"},
    {BATCH_EVENTS, "events",
     "SELECT at::text AS at, who, what, detail FROM %V WHERE backfill " EQ " $1::int8"
     " ORDER BY id DESC LIMIT $2::int8"},
    {BATCH_ERRORS, "errors",
     "SELECT relation, key, sqlstate, message, attempts, at::text AS at FROM %E"
     " WHERE backfill " EQ " $1::int8 AND resolved_at IS NULL ORDER BY id LIMIT $2::int8"},
    // With $2 the code is open, which '?' before it stands for: whatever comes next is taken for
    // right, such as a mended script's.
    {BATCH_RETRY, "retry",
     "WITH open AS (UPDATE %B SET outcome = NULL, failure = NULL, finished = NULL,"
     " desired_state = 'run', code = CASE WHEN $2::bool THEN '?' OPERATOR(pg_catalog.||) "
     "pg_catalog.ltrim(code, '?') ELSE code END"
     " WHERE id " EQ " $1::int8 RETURNING id),"
     " again AS (UPDATE %R r SET state = 'pending', attempts = 0 FROM open"
     " WHERE r.backfill " EQ " open.id AND r.state " EQ " 'failed')"
     " INSERT INTO %V (backfill, what) SELECT id, 'retried' FROM open"},
    {BATCH_ADOPT, "adopt",
     "WITH old AS (SELECT code FROM %B WHERE id " EQ " $1::int8),"
     " adopted AS (UPDATE %B SET code = $2, spec = $3, file = $4, script = $5, context = $6,"
     " plan = NULL WHERE id " EQ " $1::int8 AND code OPERATOR(pg_catalog.<>) $2 RETURNING id)"
     " INSERT INTO %V (backfill, what, detail) SELECT adopted.id, 'goes on with other code', $2"
     " FROM adopted, old WHERE pg_catalog.ltrim(old.code, '?') OPERATOR(pg_catalog.<>) $2"},
    {BATCH_RETRY_KEYS, "retry_keys",
     "INSERT INTO %R (backfill, pass, relation, relid, lo, hi, inclusive, retry_of, rows_estimate)"
     " SELECT e.backfill, b.pass, e.relation, e.relid, e.key, e.key, true, e.id, 0"
     " FROM %E e JOIN %B b ON b.id " EQ " e.backfill"
     " WHERE e.backfill " EQ " $1::int8 AND e.resolved_at IS NULL AND NOT EXISTS (SELECT FROM %R r"
     " WHERE r.retry_of " EQ " e.id AND r.state OPERATOR(pg_catalog.<>) 'done') ORDER BY e.id"},
    {BATCH_REMAINING, "remaining", "UPDATE %B SET remaining = $2::int8 WHERE id " EQ " $1::int8"},
    {BATCH_FINALIZE, "finalize",
     "WITH set AS (UPDATE %B SET outcome = 'finalized', finalized = " CLOCK ", remaining = 0"
     " WHERE id " EQ " $1::int8 RETURNING id)"
     " INSERT INTO %V (backfill, what) SELECT id, 'finalized' FROM set"},
    {BATCH_VACUUM, "vacuum",
     "UPDATE %B SET vacuumed_rows = $3::int8 WHERE id " EQ " $1::int8"
     " AND vacuumed_rows " EQ " $2::int8 RETURNING id"},
    {BATCH_SQL_COUNT, NULL, NULL},
};
