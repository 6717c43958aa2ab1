// How a worker's statements are sent: with its settings, in transactions of their own, with the
// table of the range put in.
#include "batch_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Puts in the table of the range and the operator of its lower bound.
static char *text_expand(const struct batch_worker *worker, const char *text)
{
    const char *relation = worker->range.relation;
    const char *operator= worker->range.inclusive ? worker->job->from : worker->job->after;
    char *out = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&out, &size);
    if (!stream) {
        return NULL;
    }
    for (const char *c = text; *c; c++) {
        if (*c == '\1') {
            fputs(relation, stream);
        } else if (*c == '\2') {
            fputs(operator, stream);
        } else {
            fputc(*c, stream);
        }
    }
    if (fclose(stream) != 0) {
        free(out);
        return NULL;
    }
    return out;
}

bool batch_text_send(struct batch_worker *worker, const char *text, const char *const *params,
                     int count, unsigned flags, long *seq, struct fault *fault)
{
    char *sql = text_expand(worker, text);
    struct statement stmt = {.sql = sql, .params = params, .param_count = count, .flags = flags};
    bool ok = sql ? conn_send(worker->conn, &stmt, seq, fault)
                  : fault_set(fault, FAULT_MEMORY, "not enough memory");
    free(sql);
    return ok;
}

bool batch_text_replace(char **text, const char *value)
{
    char *copy = value ? strdup(value) : NULL;
    if (value && !copy) {
        return false;
    }
    free(*text);
    *text = copy;
    return true;
}

bool batch_send(struct batch_worker *worker, enum batch_sql_text which, const char *const *params,
                int count, unsigned flags, long *seq, struct fault *fault)
{
    struct statement stmt = {.sql = worker->job->sql->text[which],
                             .params = params,
                             .param_count = count,
                             .flags = flags};
    return conn_send(worker->conn, &stmt, seq, fault);
}

const char *batch_number(struct batch_number *number, int64_t value)
{
    snprintf(number->text, sizeof number->text, "%lld", (long long)value);
    return number->text;
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

// No session state, so that a transaction pooler is fine: the settings ride with every BEGIN. A
// batch waits briefly for a lock, because meanwhile others wait for the rows it has locked already.
static bool settings_send(struct batch_worker *worker, struct fault *fault)
{
    const struct batch_job *job = worker->job;
    const struct batch_tuning *tuning = &worker->tuning;
    struct batch_number lock, statement, idle;
    int64_t half_ms = tuning->lease_ms / 2;
    const char *params[7] = {
        batch_number(&lock, clamp(2 * tuning->target_ms, 100, half_ms)),
        batch_number(&statement, clamp(20 * tuning->target_ms, 1000, half_ms)),
        batch_number(&idle, half_ms),
        job->synchronous_commit,
        worker->range.relid,
    };
    int count = 5;
    char sql[1024] = "SELECT pg_catalog.set_config('lock_timeout', $1, true),"
                     " pg_catalog.set_config('statement_timeout', $2, true),"
                     " pg_catalog.set_config('idle_in_transaction_session_timeout', $3, true),"
                     " pg_catalog.set_config('synchronous_commit', $4, true),"
                     " pg_catalog.set_config('row_security', 'off', true)," // a hidden row must not
                                                                            // be passed over
                     " pg_catalog.set_config('luamig.updated', COALESCE("
                     "pg_catalog.pg_stat_get_xact_tuples_updated($5::oid)::text, '0'), true)";
    size_t used = strlen(sql);
    if (conn_server_version(worker->conn) >= 170000) {
        used += (size_t)snprintf(sql + used, sizeof sql - used,
                                 ", pg_catalog.set_config('transaction_timeout', $3, true)");
    }
    if (job->search_path) {
        params[count++] = job->search_path;
        used += (size_t)snprintf(sql + used, sizeof sql - used,
                                 ", pg_catalog.set_config('search_path', $%d, true)", count);
    }
    if (job->role) {
        params[count++] = job->role;
        snprintf(sql + used, sizeof sql - used, ", pg_catalog.set_config('role', $%d, true)",
                 count);
    }
    struct statement stmt = {.sql = sql, .params = params, .param_count = count};
    return conn_send(worker->conn, &stmt, NULL, fault);
}

bool batch_begin(struct batch_worker *worker, struct fault *fault)
{
    struct statement begin = {.sql = "BEGIN ISOLATION LEVEL READ COMMITTED", .expect = "BEGIN"};
    return conn_send(worker->conn, &begin, NULL, fault) && settings_send(worker, fault);
}

bool batch_commit(struct batch_worker *worker, struct fault *fault)
{
    struct statement commit = {.sql = "COMMIT", .expect = "COMMIT"};
    return conn_send(worker->conn, &commit, NULL, fault) && conn_sync(worker->conn, fault);
}

bool batch_exec(struct batch_worker *worker, enum batch_sql_text which, const char *const *params,
                int count, struct fault *fault)
{
    return batch_begin(worker, fault) && batch_send(worker, which, params, count, 0, NULL, fault) &&
           batch_commit(worker, fault);
}
