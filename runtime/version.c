#include "version.h"

#include "template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A history row; `ms` and `started` are expressions. now() is the start of the transaction, which
// for an ordinary revision is its own.
#define RECORD(ms, started)                                                                        \
    "INSERT INTO %H (revision, direction, started, finished, ms, role, host, luamig, sha256,"      \
    " script, run) SELECT $1, $2, s.started, pg_catalog.clock_timestamp(), " ms ","                \
    " session_user, $3, $4, $5, $6, $7 FROM (SELECT " started " AS started) s RETURNING ms"
#define MS                                                                                         \
    "(pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)"           \
    " s.started) OPERATOR(pg_catalog.*) 1000)::pg_catalog.int8"

// A version row that is not there, or there already, fails the transaction: the cast of a text that
// is no number raises it as the message. Unlike a check in the client this needs no round trip.
#define NOT_MOVED "'the version rows are not the expected ones'"

// In the texts: %S schema, %V version table, %H history, %J journal (all quoted), %K the lock's
// key.
static const struct {
    const char *name, *text;
} templates[VERSION_SQL_COUNT] = {
    [VERSION_SESSION] = {"session",
                         // The role comes first: only as it may the login look into the schema.
                         // Behind a pooler the process is not the one that we were told of, and a
                         // session's setting would be left to its next user.
                         "SELECT pg_catalog.set_config('role', CASE WHEN"
                         " pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) $1::pg_catalog.int4"
                         " THEN $2 ELSE pg_catalog.current_setting('role') END, false)"
                         " AS role_now,"
                         " pg_catalog.current_setting('search_path') AS search_path,"
                         " pg_catalog.pg_backend_pid() AS pid,"
                         " pg_catalog.pg_is_in_recovery() AS standby,"
                         " session_user AS role,"
                         " pg_catalog.to_regnamespace('%S') IS NOT NULL AS has_schema,"
                         " pg_catalog.to_regclass('%V') IS NOT NULL AS has_version,"
                         " pg_catalog.to_regclass('%H') IS NOT NULL AS has_history,"
                         " pg_catalog.to_regclass('%J') IS NOT NULL AS has_journal,"
                         " pg_catalog.set_config('search_path', CASE WHEN"
                         " pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) $1::pg_catalog.int4"
                         " THEN '' ELSE pg_catalog.current_setting('search_path') END, false)"
                         " AS search_path_now"},
    [VERSION_CREATE_SCHEMA] = {"create_schema", "CREATE SCHEMA IF NOT EXISTS %S"},
    [VERSION_CREATE_VERSION] = {"create_version",
                                "CREATE TABLE IF NOT EXISTS %V (version_num text PRIMARY KEY)"},
    [VERSION_CREATE_HISTORY] = {"create_history",
                                "CREATE TABLE IF NOT EXISTS %H ("
                                "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
                                "revision text NOT NULL, "
                                "direction text NOT NULL, "
                                "started timestamptz NOT NULL, "
                                "finished timestamptz NOT NULL, "
                                "ms bigint NOT NULL, "
                                "role text NOT NULL, "
                                "host text, "
                                "luamig text NOT NULL, "
                                "sha256 text, "
                                "script text, "
                                "run text)"},
    [VERSION_CREATE_JOURNAL] = {"create_journal",
                                "CREATE TABLE IF NOT EXISTS %J ("
                                "revision text NOT NULL, "
                                "direction text NOT NULL, "
                                "segment integer NOT NULL, "
                                "statements integer NOT NULL, "
                                "sha256 text[] NOT NULL, "
                                "results text, "
                                "started timestamptz NOT NULL DEFAULT pg_catalog.now(), "
                                "finished timestamptz, "
                                "script text, "
                                "PRIMARY KEY (revision, direction, segment))"},
    [VERSION_ROWS] = {"rows", "SELECT version_num FROM %V ORDER BY version_num"},
    [VERSION_APPLIED] = {"applied", "SELECT DISTINCT ON (revision) revision, direction, sha256,"
                                    " finished::text AS finished, role"
                                    " FROM %H ORDER BY revision, id DESC"},
    [VERSION_LOG] = {"log", "SELECT id, revision, direction, started::text AS started,"
                            " finished::text AS finished, ms, role, host, luamig, sha256"
                            " FROM %H ORDER BY id DESC LIMIT $1::bigint"},
    [VERSION_SCRIPT] = {"script",
                        "SELECT script, sha256, finished::text AS finished, role"
                        " FROM %H WHERE revision OPERATOR(pg_catalog.=) $1 AND"
                        " direction OPERATOR(pg_catalog.=) 'upgrade' AND script IS NOT NULL"
                        " ORDER BY id DESC LIMIT 1"},
    [VERSION_MOVE] = {"move",
                      "WITH removed AS (DELETE FROM %V"
                      " WHERE version_num OPERATOR(pg_catalog.=) ANY ($1::text[]) RETURNING 1),"
                      " added AS (INSERT INTO %V (version_num)"
                      " SELECT pg_catalog.unnest($2::text[]) RETURNING 1)"
                      " SELECT (CASE WHEN (SELECT pg_catalog.count(*) FROM removed)"
                      " OPERATOR(pg_catalog.=) pg_catalog.cardinality($1::text[]) THEN '1'"
                      " ELSE " NOT_MOVED " END)::pg_catalog.int4 AS moved,"
                      " (SELECT pg_catalog.count(*) FROM added) AS added"},
    [VERSION_PURGE] = {"purge", "DELETE FROM %V"},
    [VERSION_RECORD] = {"record",
                        RECORD(MS, "COALESCE((SELECT pg_catalog.min(j.started) FROM %J j"
                                   " WHERE j.revision OPERATOR(pg_catalog.=) $1 AND"
                                   " j.direction OPERATOR(pg_catalog.=) $2), pg_catalog.now())")},
    [VERSION_FINISH] = {"finish",
                        "WITH moved AS (UPDATE %V SET version_num = $9"
                        " WHERE version_num OPERATOR(pg_catalog.=) $8 RETURNING 1) " RECORD(
                            "(CASE WHEN EXISTS (SELECT FROM moved) THEN (" MS ")::text"
                            " ELSE " NOT_MOVED " END)::pg_catalog.int8",
                            "pg_catalog.now()")},
    [VERSION_HAPPENED] = {"happened", "SELECT ms FROM %H WHERE run OPERATOR(pg_catalog.=) $1"
                                      " AND revision OPERATOR(pg_catalog.=) $2"
                                      " AND direction OPERATOR(pg_catalog.=) $3"},
    [VERSION_JOURNAL_READ] = {"journal_read",
                              "SELECT segment, statements, sha256, results,"
                              " finished IS NOT NULL AS finished, script"
                              " FROM %J WHERE revision OPERATOR(pg_catalog.=) $1 AND"
                              " direction OPERATOR(pg_catalog.=) $2 ORDER BY segment"},
    [VERSION_JOURNAL_OPEN] = {"journal_open",
                              "SELECT revision, direction, pg_catalog.count(finished) AS segments"
                              " FROM %J GROUP BY revision, direction ORDER BY revision, direction"},
    [VERSION_JOURNAL_START] = {"journal_start",
                               "INSERT INTO %J (revision, direction, segment, statements, sha256,"
                               " script) VALUES ($1, $2, $3, 1, $4, $5)"
                               " ON CONFLICT (revision, direction, segment)"
                               " DO UPDATE SET sha256 = excluded.sha256"
                               " RETURNING started::text AS started"},
    [VERSION_JOURNAL_WITHDRAW] = {"journal_withdraw",
                                  "DELETE FROM %J WHERE revision OPERATOR(pg_catalog.=) $1 AND"
                                  " direction OPERATOR(pg_catalog.=) $2 AND"
                                  " segment OPERATOR(pg_catalog.=) $3::pg_catalog.int4 AND"
                                  " finished IS NULL"},
    [VERSION_JOURNAL_WRITE] = {"journal_write",
                               "INSERT INTO %J (revision, direction, segment, statements, sha256,"
                               " results, script, finished)"
                               " VALUES ($1, $2, $3, $4, $5, $6, $7, pg_catalog.clock_timestamp())"
                               " ON CONFLICT (revision, direction, segment) DO UPDATE SET"
                               " statements = excluded.statements, sha256 = excluded.sha256,"
                               " results = excluded.results, finished = excluded.finished"},
    [VERSION_JOURNAL_CLEAR] = {"journal_clear",
                               "DELETE FROM %J WHERE revision OPERATOR(pg_catalog.=) $1 AND"
                               " direction OPERATOR(pg_catalog.=) $2"},
    [VERSION_JOURNAL_CLEAR_ALL] = {"journal_clear_all", "DELETE FROM %J"},
    // Obtained by polling: a session that waits in pg_advisory_lock() holds a snapshot, and CREATE
    // INDEX CONCURRENTLY of the holder would wait for that: a deadlock.
    // Behind a pooler it would stay with a connection of the pool, and be nobody's.
    [VERSION_LOCK] = {"lock",
                      "SELECT CASE WHEN"
                      " pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) $1::pg_catalog.int4"
                      " THEN pg_catalog.pg_try_advisory_lock("
                      "pg_catalog.hashtextextended('%K', 0)) ELSE false END AS had"},
    [VERSION_LOCK_HOLDER] =
        {"lock_holder",
         "SELECT a.pid, a.usename AS role, a.application_name, a.client_addr::text AS host,"
         // Between the parts of a pipeline a session is "active" though it waits for its client.
         " a.backend_start::text AS since, CASE WHEN a.wait_event OPERATOR(pg_catalog.=)"
         " 'ClientRead' THEN 'waiting' ELSE a.state END AS state"
         " FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON"
         " a.pid OPERATOR(pg_catalog.=) l.pid"
         " WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.granted"
         " AND l.database OPERATOR(pg_catalog.=) (SELECT d.oid FROM pg_catalog.pg_database d"
         " WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())"
         " AND l.objsubid OPERATOR(pg_catalog.=) 1"
         " AND ((l.classid::pg_catalog.int8 OPERATOR(pg_catalog.<<) 32)"
         " OPERATOR(pg_catalog.|) l.objid::pg_catalog.int8)"
         " OPERATOR(pg_catalog.=) pg_catalog.hashtextextended('%K', 0)"},
};

struct names {
    char *schema, *version, *history, *journal, *key;
};

static void names_clear(struct names *names)
{
    free(names->schema);
    free(names->version);
    free(names->history);
    free(names->journal);
    free(names->key);
}

static bool names_init(struct names *names, const char *schema, const char *table)
{
    bool own = strcmp(schema, "luamig") == 0 && strcmp(table, "version") == 0;
    names->schema = template_ident(schema);
    names->version = template_qualify(schema, table, "");
    names->history =
        own ? template_qualify(schema, "history", "") : template_qualify(schema, table, "_history");
    names->journal =
        own ? template_qualify(schema, "journal", "") : template_qualify(schema, table, "_journal");
    if (asprintf(&names->key, "luamig %s", names->version ? names->version : "") < 0) {
        names->key = NULL;
    }
    return names->schema && names->version && names->history && names->journal && names->key;
}

static const char *name_of(const void *data, char code)
{
    const struct names *names = data;
    switch (code) {
    case 'S':
        return names->schema;
    case 'V':
        return names->version;
    case 'H':
        return names->history;
    case 'J':
        return names->journal;
    case 'K':
        return names->key;
    }
    return NULL;
}

bool version_init(struct version *version, const char *schema, const char *table,
                  struct fault *fault)
{
    struct names names = {0};
    memset(version, 0, sizeof *version);
    bool ok = names_init(&names, schema, table);
    for (int i = 0; ok && i < VERSION_SQL_COUNT; i++) {
        version->sql[i] = template_expand(templates[i].text, name_of, &names);
        ok = version->sql[i] != NULL;
    }
    version->table = ok ? strdup(names.version) : NULL;
    names_clear(&names);
    if (!ok || !version->table) {
        version_clear(version);
        return fault_set(fault, FAULT_MEMORY, "not enough memory");
    }
    return true;
}

void version_clear(struct version *version)
{
    for (int i = 0; i < VERSION_SQL_COUNT; i++) {
        free(version->sql[i]);
        version->sql[i] = NULL;
    }
    free(version->table);
    version->table = NULL;
}

const char *version_sql_name(enum version_sql which)
{
    return templates[which].name;
}
