// Ranges: taking one, giving it back, giving a part of it away.
#include "batch_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

// So many batches a worker keeps of a range that it shares and that cannot be halved unseen. Of
// what is shorter it gives the half that it counted, down to so much of a batch.
enum { KEEP_BATCHES = 4, SHARED_PART = 4 };

void batch_range_clear(struct batch_range *range)
{
    free(range->id);
    free(range->token);
    free(range->relation);
    free(range->relid);
    free(range->lower);
    free(range->end);
    free(range->upper);
    memset(range, 0, sizeof *range);
}

// Random, not counted up: with synchronous_commit = off a crash may forget the last claims, and a
// number that was given twice would let two workers pass for the owner.
static bool token_new(char out[24])
{
    uint64_t random = 0;
    if (getrandom(&random, sizeof random, 0) != sizeof random) {
        return false;
    }
    snprintf(out, 24, "%llu", (unsigned long long)(random >> 1));
    return true;
}

static char *copy_at(const struct result *result, int column)
{
    const char *text = result_value(result, 0, column, NULL);
    return text ? strdup(text) : NULL;
}

static int64_t number_at(const struct result *result, int column)
{
    const char *text = result_value(result, 0, column, NULL);
    return text ? strtoll(text, NULL, 10) : 0;
}

enum claim_column {
    DESIRED,
    OUTCOME,
    SAME_CODE,
    BATCH_ROWS,
    TARGET_MS,
    PAUSE_MS,
    LEASE_MS,
    ERROR_BUDGET,
    OPEN,
    ID,
    RELATION,
    RELID,
    LOWER,
    INCLUSIVE,
    END,
    RETRY_OF,
};

static bool range_read(struct batch_worker *worker, const struct result *result, const char *token)
{
    struct batch_range *range = &worker->range;
    batch_range_clear(range);
    range->id = copy_at(result, ID);
    range->token = strdup(token);
    range->relation = copy_at(result, RELATION);
    range->relid = copy_at(result, RELID);
    range->lower = copy_at(result, LOWER);
    range->inclusive = *result_value(result, 0, INCLUSIVE, NULL) == 't';
    range->end = copy_at(result, END);
    range->is_retry = result_value(result, 0, RETRY_OF, NULL) != NULL;
    return range->id && range->token && range->relation && range->lower && range->end;
}

static void tuning_read(struct batch_worker *worker, const struct result *result)
{
    int64_t batch_rows = number_at(result, BATCH_ROWS);
    if (worker->tuning.batch_rows != batch_rows) {
        worker->size = batch_rows;
        worker->ms_per_row = 0;
    }
    worker->tuning = (struct batch_tuning){
        .batch_rows = batch_rows,
        .target_ms = number_at(result, TARGET_MS),
        .pause_ms = number_at(result, PAUSE_MS),
        .lease_ms = number_at(result, LEASE_MS),
        .error_budget = number_at(result, ERROR_BUDGET),
    };
}

enum batch_end batch_closed(const char *desired_state, const char *outcome)
{
    if (*outcome || strcmp(desired_state, "cancelled") == 0) {
        return BATCH_END_CLOSED;
    }
    return strcmp(desired_state, "paused") == 0 ? BATCH_END_PAUSED : BATCH_END_DONE;
}

static enum batch_claim verdict(struct batch_worker *worker, const struct result *result)
{
    if (strcmp(result_value(result, 0, SAME_CODE, NULL), "t") != 0) {
        worker->closed = BATCH_END_CHANGED;
        return CLAIM_CLOSED;
    }
    worker->closed = batch_closed(result_value(result, 0, DESIRED, NULL),
                                  result_value(result, 0, OUTCOME, NULL));
    if (worker->closed != BATCH_END_DONE) {
        return CLAIM_CLOSED;
    }
    if (result_value(result, 0, ID, NULL)) {
        return CLAIM_TAKEN;
    }
    return number_at(result, OPEN) > 0 ? CLAIM_WAIT : CLAIM_NONE;
}

bool batch_claim(struct batch_worker *worker, enum batch_claim *out, struct fault *fault)
{
    char token[24];
    if (!token_new(token)) {
        return fault_set(fault, FAULT_MEMORY, "no random number was to be had");
    }
    const char *params[] = {worker->job->backfill, worker->owner, token, worker->job->code};
    struct result result = {0};
    bool ok = batch_begin(worker, fault) &&
              batch_send(worker, BATCH_CLAIM, params, 4, CONN_KEEP, NULL, fault) &&
              batch_commit(worker, fault);
    if (ok && (!conn_take(worker->conn, &result) || result_rows(&result) == 0)) {
        ok = fault_set(fault, FAULT_OPERATION, "the backfill has been removed");
    }
    if (ok) {
        *out = verdict(worker, &result);
        tuning_read(worker, &result);
        ok = *out != CLAIM_TAKEN || range_read(worker, &result, token) ||
             fault_set(fault, FAULT_MEMORY, "not enough memory");
    }
    result_clear(&result);
    return ok;
}

void batch_release(struct batch_worker *worker, const char *error)
{
    struct fault ignored;
    fault_init(&ignored);
    const char *params[] = {worker->range.id, worker->range.token, error};
    if (worker->range.id && worker->conn && conn_alive(worker->conn)) {
        batch_exec(worker, BATCH_RELEASE, params, 3, &ignored);
    }
    fault_clear(&ignored);
    batch_range_clear(&worker->range);
}

// Finds the end of so many rows behind the cursor, as if they were the next batch.
static bool look_ahead(struct batch_worker *worker, int64_t rows, struct fault *fault)
{
    int64_t size = worker->size;
    worker->size = rows;
    bool ok = batch_probe(worker, fault);
    worker->size = size;
    return ok;
}

static bool middle_compute(struct batch_worker *worker, char **out, struct fault *fault)
{
    const char *params[] = {worker->range.lower, worker->range.end};
    struct statement stmt = {.sql = worker->job->middle, .params = params, .param_count = 2};
    struct result result = {0};
    bool ok = conn_exec(worker->conn, &stmt, &result, fault);
    const char *half = ok ? result_value(&result, 0, 0, NULL) : NULL;
    if (half) {
        free(*out);
        *out = strdup(half);
    }
    result_clear(&result);
    return ok;
}

// The key that is to be the end of what we keep: half way where keys can be halved, else so many
// batches on; near the end of the range the middle of the rows that are left. NULL: too few are.
static bool middle_find(struct batch_worker *worker, char **out, struct fault *fault)
{
    struct batch_range *range = &worker->range;
    if (!look_ahead(worker, worker->size * KEEP_BATCHES, fault)) {
        return false;
    }
    bool is_near_end = range->is_last;
    if (is_near_end) {
        int64_t rows = range->rows;
        if (rows < 2 || rows < worker->size / SHARED_PART) {
            return true;
        }
        if (!look_ahead(worker, rows / 2, fault)) {
            return false;
        }
    }
    if (range->is_last) { // rows have gone meanwhile
        return true;
    }
    *out = range->upper;
    range->upper = NULL;
    return is_near_end || !worker->job->middle || middle_compute(worker, out, fault);
}

bool batch_split(struct batch_worker *worker, struct fault *fault)
{
    struct batch_range *range = &worker->range;
    char *middle = NULL;
    bool ok = middle_find(worker, &middle, fault);
    if (ok && middle) {
        const char *params[] = {range->id, range->token, middle, range->end};
        ok = batch_exec(worker, BATCH_SPLIT, params, 4, fault);
        if (ok) {
            free(range->end);
            range->end = middle;
            middle = NULL;
        }
    } else if (ok) {
        const char *params[] = {range->id, range->token};
        ok = batch_exec(worker, BATCH_REFUSE, params, 2, fault);
    }
    free(middle);
    free(range->upper); // it may lie behind the new end
    range->upper = NULL;
    worker->wants_split = false;
    return ok;
}
