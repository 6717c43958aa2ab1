#include "batch_sql_private.h"

#include "template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A lease that ends: milliseconds from now, by the server's clock.
#define LEASE CLOCK " " PLUS " pg_catalog.make_interval(secs => b.lease_ms / 1000.0::float8)"

const struct batch_sql_template batch_sql_of_workers[] = {
    {BATCH_PRESENT, "present",
     "SELECT pg_catalog.to_regclass('%V') IS NOT NULL AS present,"
     " pg_catalog.to_regnamespace('%S') IS NOT NULL AS has_schema"},
    {BATCH_CREATE_LOCK, "create_lock",
     "SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('%K', 0))"},
    {BATCH_CREATE_SCHEMA, "create_schema", "CREATE SCHEMA IF NOT EXISTS %S"},
    {BATCH_CREATE_BACKFILL, "create_backfill",
     "CREATE TABLE IF NOT EXISTS %B ("
     "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
     "name text NOT NULL UNIQUE, "
     "revision text, direction text, run text, "   // the revision it belongs to; one application of
                                                   // it
     "kind text NOT NULL, "                        // set, map or sql
     "relation text NOT NULL, "                    // as the script wrote it
     "code text NOT NULL, "                        // sha256 of everything that decides what is done
     "spec text NOT NULL, plan text, "             // JSON; the plan holds the SQL of a batch
     "file text, script text, context text, "      // of the revision
     "desired_state text NOT NULL DEFAULT 'run', " // written by operators only: run, paused,
                                                   // cancelled
     "outcome text, failure text, "                // done, failed or finalized
     "batch_rows integer NOT NULL, target_ms integer NOT NULL, pause_ms integer NOT NULL, "
     "workers integer NOT NULL, lease_ms integer NOT NULL, error_budget bigint NOT NULL, "
     "throttle text NOT NULL, vacuum_every float8 NOT NULL, "
     "pass integer NOT NULL DEFAULT 0, " // 0: no ranges yet; above 1: a sweep for what was left
                                         // over
     "rows_estimate bigint, remaining bigint, vacuumed_rows bigint NOT NULL DEFAULT 0, "
     "held text, held_since timestamptz, "
     "created timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(), "
     "started timestamptz, finished timestamptz, finalized timestamptz)"},
    {BATCH_CREATE_RANGE, "create_range",
     "CREATE TABLE IF NOT EXISTS %R ("
     "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
     "backfill bigint NOT NULL REFERENCES %B ON DELETE CASCADE, "
     "pass integer NOT NULL, "
     "relation text NOT NULL, relid oid, "                 // the leaf, as SQL and as OID
     "lo text[] NOT NULL, hi text[] NOT NULL, "            // the keys above lo, up to hi …
     "inclusive boolean NOT NULL DEFAULT false, "          // … and lo itself
     "cursor text[], "                                     // the last key that is done
     "state text NOT NULL DEFAULT 'pending', "             // pending, leased, done or failed
     "owner text, token bigint, lease_until timestamptz, " // of the worker that has it
     "attempts integer NOT NULL DEFAULT 0, "               // how often it was taken
     "split_wanted boolean NOT NULL DEFAULT false, "       // an idle worker asks for a part
     "retry_of bigint, "                                   // the error whose row this range is
     "rows_estimate bigint NOT NULL, "
     "rows_seen bigint NOT NULL DEFAULT 0, rows_changed bigint NOT NULL DEFAULT 0, "
     "batches bigint NOT NULL DEFAULT 0, ms bigint NOT NULL DEFAULT 0, "
     "batch_rows bigint, batch_ms bigint, " // of the last batch
     "last_error text, started timestamptz, finished timestamptz) WITH (fillfactor = 50)"},
    {BATCH_CREATE_RANGE_KEY, "create_range_key",
     "CREATE INDEX IF NOT EXISTS %N ON %R (backfill, id) WHERE state OPERATOR(pg_catalog.<>) "
     "'done'"},
    {BATCH_CREATE_ERROR, "create_error",
     "CREATE TABLE IF NOT EXISTS %E ("
     "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
     "backfill bigint NOT NULL REFERENCES %B ON DELETE CASCADE, "
     "relation text NOT NULL, relid oid, key text[] NOT NULL, "
     "sqlstate text, message text NOT NULL, "
     "attempts integer NOT NULL DEFAULT 1, "
     "at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(), "
     "resolved_at timestamptz, "
     "UNIQUE (backfill, relation, key))"},
    {BATCH_CREATE_EVENT, "create_event",
     "CREATE TABLE IF NOT EXISTS %V ("
     "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
     "backfill bigint NOT NULL REFERENCES %B ON DELETE CASCADE, "
     "at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(), "
     "who text NOT NULL DEFAULT session_user, "
     "what text NOT NULL, detail text)"},

    // One row always: the range columns are NULL when none was to be had. A range whose lease is
    // over is taken from its worker; its own ranges a worker gets back at once, after it had to
    // connect again.
    {BATCH_CLAIM, "claim",
     "WITH open AS MATERIALIZED (SELECT r.id FROM %R r"
     " WHERE r.backfill " EQ " $1::int8 AND (r.state " EQ " 'pending' OR (r.state " EQ " 'leased'"
     " AND (r.owner " EQ " $2 OR r.lease_until " LT " " CLOCK ")))"
     " AND EXISTS (SELECT FROM %B b WHERE b.id " EQ " $1::int8 AND b.outcome IS NULL"
     " AND b.desired_state " EQ " 'run' AND b.code " EQ " $4)"
     " ORDER BY r.id LIMIT 1 FOR UPDATE SKIP LOCKED),"
     " taken AS (UPDATE %R r SET state = 'leased', owner = $2, token = $3::int8,"
     " attempts = r.attempts " PLUS " 1, lease_until = " LEASE ","
     " split_wanted = false, started = COALESCE(r.started, " CLOCK ")"
     " FROM open, %B b WHERE r.id " EQ " open.id AND b.id " EQ " $1::int8"
     " RETURNING r.id, r.relation, r.relid, COALESCE(r.cursor, r.lo) AS lower,"
     " r.cursor IS NULL AND r.inclusive AS inclusive, r.hi, r.retry_of)"
     " SELECT b.desired_state, COALESCE(b.outcome, '') AS outcome, b.code " EQ " $4 AS same_code,"
     " b.batch_rows, b.target_ms, b.pause_ms, b.lease_ms, b.error_budget,"
     " (SELECT pg_catalog.count(*) FROM %R r WHERE r.backfill " EQ " $1::int8"
     " AND r.state OPERATOR(pg_catalog.<>) 'done'"
     " AND r.state OPERATOR(pg_catalog.<>) 'failed') AS open,"
     " t.id, t.relation, t.relid, t.lower, t.inclusive, t.hi, t.retry_of"
     " FROM %B b LEFT JOIN taken t ON true WHERE b.id " EQ " $1::int8"},

    // Cursor, counters and lease in one UPDATE; what operators want comes back with it. When the
    // range is no longer ours, the cast of a text that is no number raises that text: nothing of
    // the batch is committed, and the client needs no round trip to find out. What was changed is
    // counted by the server: updates of the table in this transaction (luamig.updated is the count
    // at its beginning).
    {BATCH_CHECKPOINT, "checkpoint",
     "WITH moved AS (UPDATE %R r SET cursor = $3::text[],"
     " state = CASE WHEN $4::bool THEN 'done' ELSE 'leased' END,"
     " owner = CASE WHEN $4::bool THEN NULL ELSE r.owner END,"
     " finished = CASE WHEN $4::bool THEN " CLOCK " END,"
     " lease_until = " LEASE ", split_wanted = r.split_wanted AND NOT $4::bool,"
     " rows_seen = r.rows_seen " PLUS " COALESCE($5::int8, s.updated),"
     " rows_changed = r.rows_changed " PLUS " $6::int8 " PLUS " s.updated,"
     " batches = r.batches " PLUS " 1, ms = r.ms " PLUS
     " s.ms, batch_ms = s.ms, batch_rows = COALESCE($5::int8, s.updated),"
     " last_error = NULL"
     " FROM %B b, (SELECT (pg_catalog.date_part('epoch', " CLOCK " " MINUS
     " pg_catalog.now()) " TIMES " 1000)::int8 AS ms,"
     " COALESCE(pg_catalog.pg_stat_get_xact_tuples_updated($7::oid) " MINUS
     " pg_catalog.current_setting('luamig.updated')::int8, 0) AS updated) s"
     " WHERE b.id " EQ " r.backfill AND r.id " EQ " $1::int8 AND r.token " EQ " $2::int8"
     " AND r.state " EQ " 'leased'"
     " RETURNING b.desired_state, COALESCE(b.outcome, '') AS outcome, b.batch_rows, b.target_ms,"
     " b.pause_ms, r.split_wanted, s.ms)"
     " SELECT (CASE WHEN (SELECT pg_catalog.count(*) FROM moved) " EQ " 1 THEN '1'"
     " ELSE 'the range belongs to another worker now' END)::int4 AS ours,"
     " moved.*, CASE WHEN $8::bool THEN (SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks l"
     " WHERE NOT l.granted AND (l.relation " EQ " $7::oid OR l.transactionid " EQ
     " pg_catalog.pg_current_xact_id_if_assigned()::xid)) ELSE 0 END AS waiters"
     " FROM (SELECT) one LEFT JOIN moved ON true"},
    {BATCH_COUNT, "count",
     "UPDATE %R SET rows_changed = rows_changed " PLUS " $2::int8 WHERE id " EQ " $1::int8"},
    {BATCH_RELEASE, "release",
     "UPDATE %R SET state = 'pending', owner = NULL, last_error = COALESCE($3, last_error)"
     " WHERE id " EQ " $1::int8 AND token " EQ " $2::int8 AND state " EQ " 'leased'"},
    {BATCH_FAIL_RANGE, "fail_range",
     "UPDATE %R SET state = 'failed', owner = NULL, last_error = $3"
     " WHERE id " EQ " $1::int8 AND token " EQ " $2::int8 AND state " EQ " 'leased'"},
    {BATCH_FAIL, "fail",
     "WITH failed AS (UPDATE %B SET outcome = 'failed', failure = $2, finished = " CLOCK
     " WHERE id " EQ " $1::int8 AND outcome IS NULL RETURNING id)"
     " INSERT INTO %V (backfill, what, detail) SELECT id, 'failed', $2 FROM failed"},
    {BATCH_ASK, "ask",
     "UPDATE %R SET split_wanted = true WHERE id " EQ " (SELECT r.id FROM %R r"
     " WHERE r.backfill " EQ " $1::int8 AND r.state " EQ " 'leased' AND NOT r.split_wanted"
     " AND r.owner OPERATOR(pg_catalog.<>) $2 AND r.lease_until " GT " " CLOCK
     " ORDER BY r.rows_seen " MINUS " r.rows_estimate, r.id LIMIT 1 FOR UPDATE SKIP LOCKED)"},
    {BATCH_SPLIT, "split",
     "WITH cut AS (UPDATE %R r SET hi = $3::text[], split_wanted = false,"
     " rows_estimate = (r.rows_seen " PLUS " r.rows_estimate) / 2"
     " WHERE id " EQ " $1::int8 AND token " EQ " $2::int8 AND state " EQ " 'leased'"
     " RETURNING r.backfill, r.pass, r.relation, r.relid, r.rows_seen, r.rows_estimate)"
     " INSERT INTO %R (backfill, pass, relation, relid, lo, hi, rows_estimate)"
     " SELECT backfill, pass, relation, relid, $3::text[], $4::text[],"
     " GREATEST(rows_estimate " MINUS " rows_seen, 0) FROM cut"},
    {BATCH_REFUSE, "refuse",
     "UPDATE %R SET split_wanted = false WHERE id " EQ " $1::int8 AND token " EQ " $2::int8"},
    // Errors are counted by one worker at a time, so that the budget holds.
    {BATCH_ERROR_LOCK, "error_lock", "SELECT FROM %B WHERE id " EQ " $1::int8 FOR NO KEY UPDATE"},
    {BATCH_ERROR_ADD, "error_add",
     "INSERT INTO %E AS e (backfill, relation, relid, key, sqlstate, message)"
     " SELECT r.backfill, r.relation, r.relid, u.key::text[], u.sqlstate, u.message FROM %R r,"
     " ROWS FROM (pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]),"
     " pg_catalog.unnest($4::text[])) AS u (key, sqlstate, message)"
     " WHERE r.id " EQ " $1::int8"
     " ON CONFLICT (backfill, relation, key) DO UPDATE SET sqlstate = excluded.sqlstate,"
     " message = excluded.message, at = excluded.at, resolved_at = NULL,"
     " attempts = e.attempts " PLUS " 1"},
    {BATCH_ERROR_COUNT, "error_count",
     "SELECT (CASE WHEN (SELECT pg_catalog.count(*) FROM %E e WHERE e.backfill " EQ " b.id"
     " AND e.resolved_at IS NULL) " LE " b.error_budget THEN '1'"
     " ELSE 'more rows failed than on_error allows' END)::int4 AS within"
     " FROM %B b WHERE b.id " EQ " $1::int8"},
    // A pooler would give the setting to the next user of its connection.
    {BATCH_SESSION_ROLE, "session_role",
     "SELECT pg_catalog.set_config('role', CASE WHEN pg_catalog.pg_backend_pid() " EQ
     " $1::pg_catalog.int4 THEN $2 ELSE pg_catalog.current_setting('role') END, false)"},
    {BATCH_RESOLVE, "resolve",
     "UPDATE %E e SET resolved_at = " CLOCK " FROM %R r WHERE r.id " EQ " $1::int8"
     " AND e.id " EQ " r.retry_of AND e.resolved_at IS NULL"},
    {BATCH_FINISH, "finish",
     "WITH failed AS (SELECT pg_catalog.count(*) AS count, pg_catalog.min(r.last_error) AS why"
     " FROM %R r WHERE r.backfill " EQ " $1::int8 AND r.state " EQ " 'failed'),"
     " ended AS (UPDATE %B b SET finished = " CLOCK ", held = NULL, held_since = NULL,"
     " outcome = CASE WHEN failed.count " EQ " 0 THEN 'done' ELSE 'failed' END,"
     " failure = failed.why FROM failed"
     " WHERE b.id " EQ " $1::int8 AND b.outcome IS NULL AND b.pass " GT " 0"
     " AND NOT EXISTS (SELECT FROM %R r WHERE r.backfill " EQ " $1::int8"
     " AND r.state OPERATOR(pg_catalog.<>) 'done' AND r.state OPERATOR(pg_catalog.<>) 'failed')"
     " RETURNING b.id, b.outcome, b.failure)"
     " INSERT INTO %V (backfill, what, detail) SELECT id, outcome, failure FROM ended"},
    {BATCH_SQL_COUNT, NULL, NULL},
};

struct names {
    char *schema, *backfill, *range, *error, *event, *range_key, *lock;
};

static void names_clear(struct names *names)
{
    free(names->schema);
    free(names->backfill);
    free(names->range);
    free(names->error);
    free(names->event);
    free(names->range_key);
    free(names->lock);
}

static bool names_init(struct names *names, const char *schema, const char *table)
{
    bool own = strcmp(schema, "luamig") == 0 && strcmp(table, "version") == 0;
    char *base = NULL;
    if (asprintf(&base, "%s%sbackfill", own ? "" : table, own ? "" : "_") < 0) {
        return false;
    }
    char *index = NULL;
    if (asprintf(&index, "%s_range_open", base) < 0) {
        index = NULL;
    }
    names->schema = template_ident(schema);
    names->backfill = template_qualify(schema, base, "");
    names->range = template_qualify(schema, base, "_range");
    names->error = template_qualify(schema, base, "_error");
    names->event = template_qualify(schema, base, "_event");
    names->range_key = index ? template_ident(index) : NULL;
    if (asprintf(&names->lock, "luamig %s", names->backfill ? names->backfill : "") < 0) {
        names->lock = NULL;
    }
    free(base);
    free(index);
    return names->schema && names->backfill && names->range && names->error && names->event &&
           names->range_key && names->lock;
}

static const char *name_of(const void *data, char code)
{
    const struct names *names = data;
    switch (code) {
    case 'S':
        return names->schema;
    case 'B':
        return names->backfill;
    case 'R':
        return names->range;
    case 'E':
        return names->error;
    case 'V':
        return names->event;
    case 'N':
        return names->range_key;
    case 'K':
        return names->lock;
    }
    return NULL;
}

static bool texts_expand(struct batch_sql *sql, const struct batch_sql_template *list,
                         const struct names *names)
{
    for (; list->name; list++) {
        sql->text[list->which] = template_expand(list->text, name_of, names);
        if (!sql->text[list->which]) {
            return false;
        }
    }
    return true;
}

bool batch_sql_init(struct batch_sql *sql, const char *schema, const char *table,
                    struct fault *fault)
{
    struct names names = {0};
    memset(sql, 0, sizeof *sql);
    bool ok = names_init(&names, schema, table) &&
              texts_expand(sql, batch_sql_of_workers, &names) &&
              texts_expand(sql, batch_sql_of_operators, &names);
    names_clear(&names);
    if (!ok) {
        batch_sql_clear(sql);
        return fault_set(fault, FAULT_MEMORY, "not enough memory");
    }
    return true;
}

void batch_sql_clear(struct batch_sql *sql)
{
    for (int i = 0; i < BATCH_SQL_COUNT; i++) {
        free(sql->text[i]);
        sql->text[i] = NULL;
    }
}

const char *batch_sql_name(enum batch_sql_text which)
{
    const struct batch_sql_template *lists[] = {batch_sql_of_workers, batch_sql_of_operators};
    for (int i = 0; i < 2; i++) {
        for (const struct batch_sql_template *each = lists[i]; each->name; each++) {
            if (each->which == which) {
                return each->name;
            }
        }
    }
    return NULL;
}
