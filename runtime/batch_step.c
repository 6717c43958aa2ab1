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

// From so many rows for each integer on, the end of a batch is not looked up.
static const double DENSE = 0.5;

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

// Where nearly every integer is a key, the end of a batch is computed: the keys are unique, so that
// there are at most as many rows as integers.
static bool is_dense(const struct batch_worker *worker)
{
    return worker->job->stride && worker->density >= DENSE && worker->suspect == 0;
}

static void density_set(struct batch_worker *worker, double width, int64_t rows)
{
    if (width > 0 && rows != ROWS_UNKNOWN) {
        worker->density = (double)rows / width;
    }
}

static bool stride_send(struct batch_worker *worker, const char *lower, int64_t rows,
                        struct fault *fault)
{
    struct batch_number number;
    int64_t width = (int64_t)((double)rows / worker->density) + 1;
    const char *params[] = {lower, worker->range.end, batch_number(&number, width)};
    return batch_text_send(worker, worker->job->stride, params, 3, CONN_KEEP, &worker->sent.probe,
                           fault);
}

// upper, rows and width; without an upper key the rows go to the end of the range.
static bool probe_read(struct batch_worker *worker, const struct result *result,
                       struct fault *fault)
{
    struct batch_range *range = &worker->range;
    const char *upper = NULL, *rows = "0", *width = NULL;
    if (result_rows(result) > 0) {
        upper = result_value(result, 0, 0, NULL);
        rows = result_value(result, 0, 1, NULL);
        width = result_columns(result) > 2 ? result_value(result, 0, 2, NULL) : NULL;
    }
    range->is_last = !upper;
    range->rows = rows ? strtoll(rows, NULL, 10) : ROWS_UNKNOWN;
    range->width = width ? strtod(width, NULL) : 0;
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

bool batch_errors_send(struct batch_worker *worker, const struct batch_output *output,
                       struct fault *fault)
{
    if (output->rejected == 0) {
        return true;
    }
    if (!worker->has_rejected) { // the first of the batch is the one to tell of
        worker->has_rejected = true;
        worker->rejected_kind = output->first_kind;
        if (!batch_text_replace(&worker->rejected, output->first) ||
            !batch_text_replace(&worker->rejected_key, output->first_key)) {
            return no_memory(fault);
        }
    }
    const char *backfill = worker->job->backfill;
    const char *errors[] = {worker->range.id, output->keys, output->sqlstates, output->messages};
    return batch_send(worker, BATCH_ERROR_LOCK, &backfill, 1, 0, NULL, fault) &&
           batch_send(worker, BATCH_ERROR_ADD, errors, 4, 0, NULL, fault) &&
           batch_send(worker, BATCH_ERROR_COUNT, &backfill, 1, 0, NULL, fault);
}

static bool checkpoint_send(struct batch_worker *worker, const struct batch_ending *ending,
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
        ending->rows == ROWS_UNKNOWN ? NULL : batch_number(&rows, ending->rows),
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
    int64_t suspects = worker->suspect > 0 ? worker->suspect - rows : 0;
    return suspects > 0 ? (suspects + 1) / 2 : worker->size;
}

static bool resolve_send(struct batch_worker *worker, const struct batch_ending *ending,
                         struct fault *fault)
{
    const char *id = worker->range.id;
    return !ending->is_last || !worker->range.is_retry || worker->has_rejected ||
           batch_send(worker, BATCH_RESOLVE, &id, 1, 0, NULL, fault);
}

static bool ending_send(struct batch_worker *worker, const struct batch_ending *ending,
                        struct fault *fault)
{
    bool inclusive = worker->range.inclusive;
    bool ok = checkpoint_send(worker, ending, fault) && resolve_send(worker, ending, fault);
    worker->range.inclusive = false; // the next batch begins above the cursor
    ok = ok &&
         (ending->is_last || (is_dense(worker) ? stride_send : probe_send)(
                                 worker, ending->cursor, next_size(worker, ending->rows), fault));
    worker->range.inclusive = inclusive;
    return ok;
}

static int64_t number_at(const struct result *result, int column)
{
    const char *text = result_value(result, 0, column, NULL);
    return text ? strtoll(text, NULL, 10) : 0;
}

int64_t batch_tag_count(const struct result *result)
{
    const char *space = strrchr(result_tag(result), ' ');
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
            worker->changed = batch_tag_count(&result);
            ok = batch_text_replace(&worker->changed_in, worker->range.id) && ok;
        } else if (result.seq == worker->sent.work && worker->rows == ROWS_UNKNOWN) {
            worker->rows = batch_tag_count(&result);
        } else if (result.seq == worker->sent.checkpoint) {
            checkpoint_read(worker, &result);
        } else if (result.seq == worker->sent.probe) {
            ok = probe_read(worker, &result, fault) && ok;
        }
        result_clear(&result);
    }
    return ok;
}

bool batch_ending_commit(struct batch_worker *worker, const struct batch_ending *ending,
                         struct fault *fault)
{
    struct batch_range *range = &worker->range;
    double width = ending->is_cut ? 0 : range->width;
    density_set(worker, width, ending->rows);
    if (!ending_send(worker, ending, fault) || !batch_commit(worker, fault)) {
        return false;
    }
    if (!batch_text_replace(&range->lower, ending->cursor)) {
        return no_memory(fault);
    }
    range->inclusive = false;
    range->is_done = ending->is_last;
    worker->rows = ending->rows;
    if (!results_read(worker, fault)) {
        return false;
    }
    density_set(worker, width, worker->rows);
    return true;
}

static bool work_step(struct batch_worker *worker, struct fault *fault)
{
    const char *params[] = {worker->range.lower, worker->range.upper};
    char *cursor = strdup(worker->range.upper);
    struct batch_ending ending = {
        .cursor = cursor, .is_last = worker->range.is_last, .rows = worker->range.rows};
    bool ok =
        cursor ? batch_begin(worker, fault) &&
                     (ending.rows == 0 || batch_text_send(worker, worker->job->work, params, 2,
                                                          CONN_KEEP, &worker->sent.work, fault)) &&
                     batch_ending_commit(worker, &ending, fault)
               : no_memory(fault);
    free(cursor);
    return ok;
}

bool batch_reject(struct batch_worker *worker, const struct batch_output *output,
                  struct fault *fault)
{
    memset(&worker->sent, 0, sizeof worker->sent);
    worker->has_rejected = false;
    char *cursor = strdup(worker->range.upper);
    struct batch_ending ending = {
        .cursor = cursor, .is_last = worker->range.is_last, .rows = worker->range.rows};
    bool ok = cursor ? batch_begin(worker, fault) && batch_errors_send(worker, output, fault) &&
                           batch_ending_commit(worker, &ending, fault)
                     : no_memory(fault);
    free(cursor);
    return ok;
}

bool batch_step(struct batch_worker *worker, struct fault *fault)
{
    memset(&worker->sent, 0, sizeof worker->sent);
    worker->has_rejected = worker->has_conflict = false;
    worker->to_write = 0;
    int64_t start = clock_now_ms();
    if (!(worker->job->work ? work_step : batch_map_step)(worker, fault)) {
        return false;
    }
    worker->ms = clock_now_ms() - start;
    atomic_fetch_add(&worker->status.rows, worker->rows);
    atomic_fetch_add(&worker->status.batches, 1);
    atomic_store(&worker->status.batch_rows, worker->rows);
    atomic_store(&worker->status.batch_ms, worker->ms);
    return true;
}
