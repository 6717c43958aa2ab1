#include "txn.h"

#include "clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DELAY_BASE_MS = 200, DELAY_AT_MOST_MS = 10000 };

static bool settings_send(struct conn *conn, const struct txn_settings *settings, bool local,
                          long *seq, struct fault *fault)
{
    // transaction_timeout is of PostgreSQL 17; a role's own limits are not meant for migrations.
    bool has_transaction_timeout = conn_server_version(conn) >= 170000;
    const char *scope = local ? "t" : "f";
    const char *params[] = {scope, settings->lock_timeout, settings->statement_timeout,
                            settings->search_path, settings->role};
    struct statement stmt = {
        .sql = has_transaction_timeout
                   ? "SELECT pg_catalog.set_config('lock_timeout', $2, $1),"
                     " pg_catalog.set_config('statement_timeout', $3, $1),"
                     " pg_catalog.set_config('idle_in_transaction_session_timeout', '0', $1),"
                     " pg_catalog.set_config('transaction_timeout', '0', $1),"
                     " pg_catalog.set_config('search_path', $4, $1),"
                     " pg_catalog.set_config('role', $5, $1)"
                   : "SELECT pg_catalog.set_config('lock_timeout', $2, $1),"
                     " pg_catalog.set_config('statement_timeout', $3, $1),"
                     " pg_catalog.set_config('idle_in_transaction_session_timeout', '0', $1),"
                     " pg_catalog.set_config('search_path', $4, $1),"
                     " pg_catalog.set_config('role', $5, $1)",
        .params = params,
        .param_count = 5,
        .flags = settings->is_prepared ? CONN_PREPARED : 0,
    };
    return conn_send(conn, &stmt, seq, fault);
}

bool txn_begin(struct conn *conn, const struct txn_settings *settings, long *seq,
               struct fault *fault)
{
    struct statement begin = {.sql = "BEGIN", .expect = "BEGIN"};
    return conn_send(conn, &begin, NULL, fault) && settings_send(conn, settings, true, seq, fault);
}

bool txn_commit(struct conn *conn, long *seq, struct fault *fault)
{
    struct statement commit = {.sql = "COMMIT", .expect = "COMMIT", .flags = CONN_KEEP};
    return conn_send(conn, &commit, seq, fault);
}

bool txn_rollback(struct conn *conn, struct fault *fault)
{
    struct fault ignored;
    fault_init(&ignored);
    conn_sync(conn, &ignored); // whatever failed is known already
    fault_clear(&ignored);
    if (!conn_alive(conn) || conn_transaction(conn) == 'I') {
        return true;
    }
    struct statement rollback = {.sql = "ROLLBACK"};
    if (conn_exec(conn, &rollback, NULL, fault) || !conn_alive(conn)) {
        return true;
    }
    // A signal that came just now stops the first statement after it, and that only.
    return fault->kind == FAULT_INTERRUPTED &&
           (conn_exec(conn, &rollback, NULL, fault) || !conn_alive(conn));
}

bool txn_outside_begin(struct conn *conn, const struct txn_settings *settings, struct fault *fault)
{
    return settings_send(conn, settings, false, NULL, fault) && conn_sync(conn, fault);
}

bool txn_outside_end(struct conn *conn, const char *role, struct fault *fault)
{
    struct txn_settings own = {
        .lock_timeout = "0", .statement_timeout = "0", .search_path = "", .role = role};
    return settings_send(conn, &own, false, NULL, fault) && conn_sync(conn, fault);
}

int64_t txn_retry_delay_ms(int attempt)
{
    int64_t limit = DELAY_BASE_MS;
    for (int i = 1; i < attempt && limit < DELAY_AT_MOST_MS; i++) {
        limit *= 2;
    }
    return 1 + clock_jitter_ms(limit < DELAY_AT_MOST_MS ? limit : DELAY_AT_MOST_MS);
}

struct txn_watch {
    struct conn_watch hook;
    struct conn *conn;  // borrowed: the one that waits
    struct conn *asker; // owned: opened at the first wait
    struct result blockers;
    bool hopeless; // no second connection was to be had
};

static void sample(void *data, int64_t waited_ms)
{
    (void)waited_ms;
    struct txn_watch *watch = data;
    struct fault fault;
    fault_init(&fault);
    if (!watch->asker && !watch->hopeless && !conn_twin(watch->conn, &watch->asker, &fault)) {
        watch->hopeless = true;
    }
    if (!watch->asker) {
        fault_clear(&fault);
        return;
    }
    char pid[16];
    snprintf(pid, sizeof pid, "%d", conn_pid(watch->conn));
    const char *params[] = {pid};
    struct statement stmt = {
        .sql = "SELECT a.pid, a.usename AS role, a.application_name, a.state,"
               " pg_catalog.round(pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()"
               " OPERATOR(pg_catalog.-) COALESCE(a.xact_start, a.query_start)))"
               "::pg_catalog.int8 AS seconds,"
               " pg_catalog.left(a.query, 200) AS query"
               " FROM pg_catalog.pg_stat_activity a WHERE a.pid OPERATOR(pg_catalog.=)"
               " ANY (pg_catalog.pg_blocking_pids($1::pg_catalog.int4)) ORDER BY a.pid",
        .params = params,
        .param_count = 1,
    };
    struct result seen;
    if (conn_exec(watch->asker, &stmt, &seen, &fault)) {
        if (result_rows(&seen) > 0) {
            result_clear(&watch->blockers);
            watch->blockers = seen;
        } else {
            result_clear(&seen);
        }
    }
    fault_clear(&fault);
}

struct txn_watch *txn_watch_new(struct conn *conn, int after_ms)
{
    struct txn_watch *watch = calloc(1, sizeof *watch);
    if (watch) {
        watch->conn = conn;
        watch->hook = (struct conn_watch){.after_ms = after_ms, .tick = sample, .data = watch};
        conn_watch(conn, &watch->hook);
    }
    return watch;
}

void txn_watch_free(struct txn_watch *watch)
{
    if (watch) {
        conn_close(watch->asker);
        result_clear(&watch->blockers);
        free(watch);
    }
}

const struct result *txn_watch_blockers(const struct txn_watch *watch)
{
    return watch->blockers.handle ? &watch->blockers : NULL;
}

void txn_watch_reset(struct txn_watch *watch)
{
    result_clear(&watch->blockers);
}
