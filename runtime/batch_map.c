// A batch whose rows pass through a map function. They are read at once and mapped in chunks: while
// the server writes one chunk, the function makes the next.
#include "batch_private.h"

#include "clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_ROWS = 4096 };

static bool no_memory(struct fault *fault)
{
    return fault_set(fault, FAULT_MEMORY, "not enough memory");
}

static bool rows_read(struct batch_worker *worker, struct result *rows, struct fault *fault)
{
    const char *params[] = {worker->range.lower, worker->range.upper};
    const char *suffix = worker->compares ? "" : " FOR NO KEY UPDATE";
    char *sql = NULL;
    if (asprintf(&sql, "%s%s", worker->job->read, suffix) < 0) {
        return no_memory(fault);
    }
    bool ok = batch_begin(worker, fault) &&
              batch_text_send(worker, sql, params, 2, CONN_KEEP, NULL, fault) &&
              (worker->compares ? batch_commit(worker, fault) : conn_sync(worker->conn, fault));
    free(sql);
    return ok && (conn_take(worker->conn, rows) || no_memory(fault));
}

static bool write_send(struct batch_worker *worker, const struct batch_write *write,
                       const char *lower, const char *upper, struct fault *fault)
{
    int count = write->param_count + 2;
    const char **params = malloc((size_t)count * sizeof *params);
    if (!params) {
        return no_memory(fault);
    }
    memcpy(params, write->params, (size_t)write->param_count * sizeof *params);
    params[count - 2] = lower;
    params[count - 1] = upper;
    bool ok = batch_text_send(worker, write->sql, params, count, worker->compares ? CONN_KEEP : 0,
                              NULL, fault);
    worker->to_write += write->row_count;
    free(params);
    return ok;
}

static bool chunk_send(struct batch_worker *worker, const struct batch_output *output,
                       const char *lower, struct fault *fault)
{
    bool ok = true;
    for (int i = 0; ok && i < output->write_count; i++) {
        ok = write_send(worker, &output->writes[i], lower, output->upper, fault);
    }
    ok = ok && batch_errors_send(worker, output, fault);
    conn_push(worker->conn);
    return ok;
}

// Maps and sends all rows, or as many as the time allows: then `ending` is where it came to.
static bool rows_send(struct batch_worker *worker, const struct result *rows,
                      struct batch_ending *ending, char **cursor, struct fault *fault)
{
    int total = result_rows(rows);
    bool ok = batch_text_replace(cursor, worker->range.lower) || no_memory(fault);
    struct batch_limits limits = {
        .end_ms = clock_now_ms() + 2 * worker->tuning.target_ms,
        .row_ms = worker->tuning.lease_ms / 4,
        .is_compared = worker->compares,
    };
    bool is_cut = false;
    while (ok && !is_cut && limits.first < total) {
        struct batch_output output = {0};
        int left = total - limits.first;
        limits.count = left < CHUNK_ROWS ? left : CHUNK_ROWS;
        ok = worker->mapper->map(worker->mapper->data, rows, &limits, &output, fault) &&
             chunk_send(worker, &output, *cursor, fault) &&
             (batch_text_replace(cursor, output.upper) || no_memory(fault));
        is_cut = output.is_late;
        limits.first += output.row_count;
        worker->range.inclusive = false; // the next chunk begins above the cursor
    }
    if (ok && is_cut) {
        *ending = (struct batch_ending){.cursor = *cursor, .is_cut = true, .rows = limits.first};
    }
    return ok;
}

// Whether all rows were still what had been read: with a round trip of its own, because letting the
// server count what it returns costs it a tenth of the work.
static bool rows_compare(struct batch_worker *worker, struct fault *fault)
{
    if (!conn_sync(worker->conn, fault)) {
        return false;
    }
    struct result result;
    int64_t written = 0;
    while (conn_take(worker->conn, &result)) {
        written += batch_tag_count(&result);
        result_clear(&result);
    }
    worker->has_conflict = written != worker->to_write;
    return !worker->has_conflict ||
           fault_set(fault, FAULT_OPERATION, "rows have changed since they were read");
}

bool batch_map_step(struct batch_worker *worker, struct fault *fault)
{
    struct batch_range *range = &worker->range;
    bool inclusive = range->inclusive;
    struct result rows = {0};
    char *cursor = NULL, *upper = strdup(range->upper);
    struct batch_ending ending = {.cursor = upper, .is_last = range->is_last, .rows = range->rows};
    bool ok = upper != NULL || no_memory(fault);
    ok = ok && (range->rows == 0 || rows_read(worker, &rows, fault));
    if (ok && range->rows == ROWS_UNKNOWN) {
        ending.rows = result_rows(&rows);
    }
    if (ok && (worker->compares || range->rows == 0)) { // locked rows are held by an open one
        ok = batch_begin(worker, fault);
    }
    ok = ok && (!rows.handle || rows_send(worker, &rows, &ending, &cursor, fault)) &&
         (!worker->compares || worker->to_write == 0 || rows_compare(worker, fault)) &&
         batch_ending_commit(worker, &ending, fault);
    if (!ok) {
        range->inclusive = inclusive;
    }
    result_clear(&rows);
    free(cursor);
    free(upper);
    return ok;
}
