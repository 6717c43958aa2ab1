// One batch: what is sent, in which order, and what its answers mean. Everything of a batch goes
// out in one round trip, in two when rows pass through a map function: BEGIN, settings, work,
// checkpoint, the end of the next batch, COMMIT.
#include "batch_private.h"

#include "clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// How often a batch looks for sessions that wait for it.
enum { LOOK_EVERY_MS = 200 };

static bool no_memory(struct fault *fault)
{
    return fault_set(fault, FAULT_MEMORY, "not enough memory");
}

static bool probe_send(struct batch_worker *worker, const char *lower, int64_t rows,
                       struct fault *fault)
{
    struct batch_number number;
    const char *params[] = {lower, worker->range.end, batch_number(&number, rows)};
    return batch_text_send(worker, worker->job->probe, params, 3, CONN_KEEP, &worker->sent.probe,
                           fault);
}

// upper and rows; without an upper key the rows go to the end of the range.
static bool probe_read(struct batch_worker *worker, const struct result *result,
                       struct fault *fault)
{
    struct batch_range *range = &worker->range;
    const char *upper = result_rows(result) > 0 ? result_value(result, 0, 0, NULL) : NULL;
    const char *rows = result_rows(result) > 0 ? result_value(result, 0, 1, NULL) : NULL;
    range->is_last = !upper;
    range->rows = rows ? strtoll(rows, NULL, 10) : 0;
    return batch_text_replace(&range->upper, upper ? upper : range->end) || no_memory(fault);
}

bool batch_probe(struct batch_worker *worker, struct fault *fault)
{
    struct result result = {0};
    bool ok = batch_begin(worker, fault) &&
              probe_send(worker, worker->range.lower, worker->size, fault) &&
              batch_commit(worker, fault) && conn_take(worker->conn, &result) &&
              probe_read(worker, &result, fault);
    result_clear(&result);
    if (!ok && fault->kind == FAULT_NONE) {
        no_memory(fault); // a result that could not be kept
    }
    return ok;
}

/// Where a batch ends and what is known of it before it is committed.
struct ending {
    const char *cursor;
    bool is_last;
    int64_t rows;
    const struct batch_output *output; // NULL without a map function
};

static bool errors_send(struct batch_worker *worker, const struct batch_output *output,
                        struct fault *fault)
{
    if (!output || output->rejected == 0) {
        return true;
    }
    worker->rejected_kind = output->first_kind;
    if (!batch_text_replace(&worker->rejected, output->first) ||
        !batch_text_replace(&worker->rejected_key, output->first_key)) {
        return no_memory(fault);
    }
    const char *backfill = worker->job->backfill;
    const char *errors[] = {worker->range.id, output->keys, output->sqlstates, output->messages};
    return batch_send(worker, BATCH_ERROR_LOCK, &backfill, 1, 0, NULL, fault) &&
           batch_send(worker, BATCH_ERROR_ADD, errors, 4, 0, NULL, fault) &&
           batch_send(worker, BATCH_ERROR_COUNT, &backfill, 1, 0, &worker->sent.error_count, fault);
}

static bool checkpoint_send(struct batch_worker *worker, const struct ending *ending,
                            struct fault *fault)
{
    struct batch_number rows, changed;
    int64_t now = clock_now_ms();
    bool look = now - worker->looked_ms >= LOOK_EVERY_MS;
    if (look) {
        worker->looked_ms = now;
    }
    const char *params[] = {
        worker->range.id,
        worker->range.token,
        ending->cursor,
        ending->is_last ? "t" : "f",
        batch_number(&rows, ending->rows),
        batch_number(&changed, worker->changed),
        worker->job->counts_updates ? worker->range.relid : NULL,
        look ? "t" : "f",
    };
    return batch_send(worker, BATCH_CHECKPOINT, params, 8, CONN_KEEP, &worker->sent.checkpoint,
                      fault);
}

// A search for a bad row halves what is left of the suspects; else the size is the adapted one.
static int64_t next_size(const struct batch_worker *worker, int64_t rows)
{
    int64_t suspects = worker->suspect - rows;
    return suspects > 0 ? (suspects + 1) / 2 : worker->size;
}

static bool resolve_send(struct batch_worker *worker, const struct ending *ending,
                         struct fault *fault)
{
    bool is_rejected = ending->output && ending->output->rejected > 0;
    const char *id = worker->range.id;
    return !ending->is_last || !worker->range.is_retry || is_rejected ||
           batch_send(worker, BATCH_RESOLVE, &id, 1, 0, NULL, fault);
}

static bool ending_send(struct batch_worker *worker, const struct ending *ending,
                        struct fault *fault)
{
    bool inclusive = worker->range.inclusive;
    bool ok = errors_send(worker, ending->output, fault) &&
              checkpoint_send(worker, ending, fault) && resolve_send(worker, ending, fault);
    worker->range.inclusive = false; // the next batch begins above the cursor
    ok = ok && (ending->is_last ||
                probe_send(worker, ending->cursor, next_size(worker, ending->rows), fault));
    worker->range.inclusive = inclusive;
    return ok;
}

static int64_t number_at(const struct result *result, int column)
{
    const char *text = result_value(result, 0, column, NULL);
    return text ? strtoll(text, NULL, 10) : 0;
}

// The last number of "UPDATE 3", "INSERT 0 3", "SELECT 3".
static int64_t tag_count(const char *tag)
{
    const char *space = strrchr(tag, ' ');
    return space ? strtoll(space + 1, NULL, 10) : 0;
}

static void checkpoint_read(struct batch_worker *worker, const struct result *result)
{
    enum { DESIRED = 1, OUTCOME, BATCH_ROWS, TARGET_MS, PAUSE_MS, SPLIT_WANTED, MS, WAITERS };
    worker->closed = batch_closed(result_value(result, 0, DESIRED, NULL),
                                  result_value(result, 0, OUTCOME, NULL));
    int64_t batch_rows = number_at(result, BATCH_ROWS);
    if (batch_rows != worker->tuning.batch_rows) { // tuned: begin anew from there
        worker->tuning.batch_rows = batch_rows;
        worker->size = batch_rows;
        worker->ms_per_row = 0;
    }
    worker->tuning.target_ms = number_at(result, TARGET_MS);
    worker->tuning.pause_ms = number_at(result, PAUSE_MS);
    worker->wants_split = *result_value(result, 0, SPLIT_WANTED, NULL) == 't';
    worker->waiters = number_at(result, WAITERS);
}

// The kept results of a batch whose COMMIT was answered.
static bool results_read(struct batch_worker *worker, struct fault *fault)
{
    struct result result;
    bool ok = true;
    free(worker->range.upper);
    worker->range.upper = NULL;
    worker->changed = 0;
    while (conn_take(worker->conn, &result)) {
        if (result.seq == worker->sent.work && !worker->job->counts_updates) {
            worker->changed = tag_count(result_tag(&result));
            ok = batch_text_replace(&worker->changed_in, worker->range.id) && ok;
        } else if (result.seq == worker->sent.checkpoint) {
            checkpoint_read(worker, &result);
        } else if (result.seq == worker->sent.probe) {
            ok = probe_read(worker, &result, fault) && ok;
        }
        result_clear(&result);
    }
    return ok;
}

static bool ending_commit(struct batch_worker *worker, const struct ending *ending,
                          struct fault *fault)
{
    if (!ending_send(worker, ending, fault) || !batch_commit(worker, fault)) {
        return false;
    }
    struct batch_range *range = &worker->range;
    if (!batch_text_replace(&range->lower, ending->cursor)) {
        return no_memory(fault);
    }
    range->inclusive = false;
    range->is_done = ending->is_last;
    worker->rows = ending->rows;
    return results_read(worker, fault);
}

static bool work_step(struct batch_worker *worker, struct fault *fault)
{
    const char *params[] = {worker->range.lower, worker->range.upper};
    char *cursor = strdup(worker->range.upper);
    struct ending ending = {
        .cursor = cursor, .is_last = worker->range.is_last, .rows = worker->range.rows};
    bool ok =
        cursor ? batch_begin(worker, fault) &&
                     (ending.rows == 0 || batch_text_send(worker, worker->job->work, params, 2,
                                                          CONN_KEEP, &worker->sent.work, fault)) &&
                     ending_commit(worker, &ending, fault)
               : no_memory(fault);
    free(cursor);
    return ok;
}

bool batch_reject(struct batch_worker *worker, const struct batch_output *output,
                  struct fault *fault)
{
    memset(&worker->sent, 0, sizeof worker->sent);
    char *cursor = strdup(worker->range.upper);
    struct ending ending = {.cursor = cursor,
                            .is_last = worker->range.is_last,
                            .rows = worker->range.rows,
                            .output = output};
    bool ok = cursor ? batch_begin(worker, fault) && ending_commit(worker, &ending, fault)
                     : no_memory(fault);
    free(cursor);
    return ok;
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

static bool write_send(struct batch_worker *worker, const struct batch_write *write, long *seq,
                       struct fault *fault)
{
    int count = write->param_count + 2;
    const char **params = malloc((size_t)count * sizeof *params);
    if (!params) {
        return no_memory(fault);
    }
    memcpy(params, write->params, (size_t)write->param_count * sizeof *params);
    params[count - 2] = worker->range.lower;
    params[count - 1] = worker->range.upper;
    bool ok = batch_text_send(worker, write->sql, params, count, 0, seq, fault);
    free(params);
    return ok;
}

static bool output_commit(struct batch_worker *worker, const struct batch_output *output,
                          struct fault *fault)
{
    bool is_cut = output->upper != NULL;
    char *cursor = strdup(is_cut ? output->upper : worker->range.upper);
    struct ending ending = {
        .cursor = cursor,
        .is_last = worker->range.is_last && !is_cut,
        .rows = is_cut ? output->row_count : worker->range.rows,
        .output = output,
    };
    bool is_open = conn_transaction(worker->conn) != 'I'; // locked rows are held by it
    bool ok = cursor ? is_open || batch_begin(worker, fault) : no_memory(fault);
    for (int i = 0; ok && i < output->write_count; i++) {
        ok = write_send(worker, &output->writes[i], &worker->sent.last_write, fault);
        if (i == 0) {
            worker->sent.first_write = worker->sent.last_write;
        }
    }
    ok = ok && ending_commit(worker, &ending, fault);
    free(cursor);
    return ok;
}

static bool map_step(struct batch_worker *worker, struct fault *fault)
{
    struct result rows = {0};
    struct batch_output output = {0};
    if (worker->range.rows == 0) {
        return output_commit(worker, &output, fault);
    }
    bool ok = rows_read(worker, &rows, fault);
    if (ok && result_rows(&rows) > 0) {
        struct batch_limits limits = {
            .batch_ms = 2 * worker->tuning.target_ms,
            .row_ms = worker->tuning.lease_ms / 4,
            .is_compared = worker->compares,
        };
        ok = worker->mapper->map(worker->mapper->data, &rows, &limits, &output, fault);
    }
    ok = ok && output_commit(worker, &output, fault);
    result_clear(&rows);
    return ok;
}

bool batch_step(struct batch_worker *worker, struct fault *fault)
{
    memset(&worker->sent, 0, sizeof worker->sent);
    int64_t start = clock_now_ms();
    if (!(worker->job->work ? work_step : map_step)(worker, fault)) {
        return false;
    }
    worker->ms = clock_now_ms() - start;
    atomic_fetch_add(&worker->status.rows, worker->rows);
    atomic_fetch_add(&worker->status.batches, 1);
    atomic_store(&worker->status.batch_rows, worker->rows);
    atomic_store(&worker->status.batch_ms, worker->ms);
    return true;
}
