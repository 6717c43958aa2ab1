// What a batch that failed calls for: the same again, smaller, after a while; a new connection; the
// search for a row that cannot be done; or the end.
#include "batch_private.h"

#include "array_text.h"
#include "clock.h"
#include "txn.h"

#include <stdlib.h>
#include <string.h>

enum { TRIES = 10, CONFLICTS = 3, RECONNECT_MS = 5 * 60 * 1000, WATCH_AFTER_MS = 50 };

enum failure {
    FAILURE_FENCED,     // another worker has the range
    FAILURE_CONNECTION, // connect and look where the cursor is
    FAILURE_PASSING,    // a lock, a deadlock, a timeout, no room
    FAILURE_CONFLICT,   // rows were changed between reading and writing
    FAILURE_ROW,        // a row cannot be done
    FAILURE_BUDGET,     // more rows failed than allowed
    FAILURE_FINAL,      // no worker could go on
    FAILURE_OWN,        // this one cannot: no memory, a signal
};

static bool state_is_one_of(const char *state, const char *const *list)
{
    for (; *list; list++) {
        if (strncmp(state, *list, strlen(*list)) == 0) {
            return true;
        }
    }
    return false;
}

static enum failure failure_of_state(const char *state)
{
    // 25006: a standby, after a failover. 57014: a timeout, or an administrator's cancel.
    static const char *const connection[] = {"08", "57P", "25006", NULL};
    static const char *const passing[] = {"40001", "40P01", "55P03", "57014", "53", "25P0", NULL};
    // Values, constraints, what triggers and functions raise, rows too long for an index.
    static const char *const row[] = {"22", "23", "21", "44", "54", "P0", "38", "39", "2F", NULL};
    if (state_is_one_of(state, connection)) {
        return FAILURE_CONNECTION;
    } else if (state_is_one_of(state, passing)) {
        return FAILURE_PASSING;
    }
    return state_is_one_of(state, row) ? FAILURE_ROW : FAILURE_FINAL;
}

// luamig's own checks raise texts as the failing cast of a text to a number (22P02).
static bool is_raised(const struct fault *fault, const char *text)
{
    return strcmp(fault->sqlstate, "22P02") == 0 && fault->message &&
           strstr(fault->message, text) != NULL;
}

static enum failure failure_of(const struct batch_worker *worker, const struct fault *fault)
{
    if (fault->kind == FAULT_CONNECTION) {
        return FAILURE_CONNECTION;
    } else if (worker->has_conflict) {
        return FAILURE_CONFLICT;
    } else if (fault->kind == FAULT_MEMORY || fault->kind == FAULT_INTERRUPTED) {
        return FAILURE_OWN;
    } else if (fault->kind != FAULT_SERVER) {
        return FAILURE_FINAL;
    } else if (fault->seq == worker->sent.checkpoint &&
               is_raised(fault, "belongs to another worker")) {
        return FAILURE_FENCED;
    } else if (is_raised(fault, "more rows failed than on_error allows")) {
        return FAILURE_BUDGET;
    }
    return failure_of_state(fault->sqlstate);
}

static void results_forget(struct batch_worker *worker)
{
    struct result result;
    while (worker->conn && conn_take(worker->conn, &result)) {
        result_clear(&result);
    }
}

static void upper_forget(struct batch_worker *worker)
{
    free(worker->range.upper);
    worker->range.upper = NULL;
}

static void halve(struct batch_worker *worker)
{
    worker->size = worker->size > 1 ? worker->size / 2 : 1;
    upper_forget(worker);
}

void batch_watch_end(struct batch_worker *worker)
{
    if (worker->watch) {
        conn_watch(worker->conn, NULL);
        txn_watch_free(worker->watch);
        worker->watch = NULL;
    }
}

// The first lock that is not had may be bad luck; from the second on somebody looks who has it.
static void watch_begin(struct batch_worker *worker, const struct fault *fault)
{
    bool is_lock = strcmp(fault->sqlstate, "55P03") == 0;
    if (is_lock && !worker->watch && worker->conn && conn_alive(worker->conn)) {
        worker->watch = txn_watch_new(worker->conn, WATCH_AFTER_MS);
    }
}

static const char *text_at(const struct result *rows, int column)
{
    const char *text = result_value(rows, 0, column, NULL);
    return text ? text : "?";
}

// Adds who blocked the batch to what is said of it.
static void blocker_name(struct batch_worker *worker, struct fault *fault)
{
    enum { PID, ROLE, APPLICATION, STATE, SECONDS, QUERY };
    const struct result *rows = worker->watch ? txn_watch_blockers(worker->watch) : NULL;
    char *said = fault->message;
    if (rows) {
        fault->message = NULL;
        fault_text(&fault->message, "%s; blocked by pid %s (%s, %s, %s for %s s): %s",
                   said ? said : "error", text_at(rows, PID), text_at(rows, ROLE),
                   text_at(rows, APPLICATION), text_at(rows, STATE), text_at(rows, SECONDS),
                   text_at(rows, QUERY));
        free(said);
    }
}

static void disconnect(struct batch_worker *worker)
{
    batch_watch_end(worker);
    conn_close(worker->conn);
    worker->conn = NULL;
}

// Whether a connection that was refused may be had later.
static bool is_connection_hopeful(const struct batch_worker *worker, const struct fault *fault)
{
    bool is_refusal =
        strncmp(fault->sqlstate, "28", 2) == 0 || strcmp(fault->sqlstate, "3D000") == 0;
    return fault->kind == FAULT_CONNECTION && !is_refusal &&
           (worker->was_connected || fault->sqlstate[0] != '\0');
}

bool batch_connect(struct batch_worker *worker, struct fault *fault)
{
    int64_t end = clock_now_ms() + RECONNECT_MS;
    for (int attempt = 1;; attempt++) {
        if (conn_open(&worker->job->conn, &worker->conn, fault)) {
            conn_patient(worker->conn, true);
            worker->was_connected = true;
            atomic_store(&worker->status.trouble, BATCH_TROUBLE_NONE);
            return true;
        }
        atomic_store(&worker->status.trouble, BATCH_TROUBLE_CONNECTION);
        if (!is_connection_hopeful(worker, fault) || clock_now_ms() > end ||
            !batch_sleep(worker, txn_retry_delay_ms(attempt))) {
            return false;
        }
        fault_clear(fault);
    }
}

// Nobody goes on: the run has failed, and the table says why.
static bool run_fail(struct batch_worker *worker, struct fault *fault)
{
    struct fault ignored;
    fault_init(&ignored);
    const char *params[] = {worker->job->backfill, fault->message ? fault->message : "error"};
    if (worker->conn && conn_alive(worker->conn)) {
        batch_exec(worker, BATCH_FAIL, params, 2, &ignored);
    }
    fault_clear(&ignored);
    batch_release(worker, params[1]);
    return false;
}

// Which row it was, before whatever the server says of it.
static void row_name(const struct batch_worker *worker, const char *key, struct fault *fault)
{
    const char *table = worker->range.relation;
    table = strncmp(table, "ONLY ", 5) == 0 ? table + 5 : table;
    char *said = fault->detail;
    fault->detail = NULL;
    fault_text(&fault->detail, "row %s of %s%s%s", key ? key : "?", table, said ? "\n" : "",
               said ? said : "");
    free(said);
}

static bool budget_fail(struct batch_worker *worker, struct fault *fault)
{
    fault_set(fault, worker->rejected_kind, "%s", worker->rejected ? worker->rejected : "bad row");
    row_name(worker, worker->rejected_key, fault);
    char *row = fault->detail;
    fault->detail = NULL;
    fault_text(&fault->detail, "%s; on_error allows %lld", row ? row : "",
               (long long)worker->tuning.error_budget);
    free(row);
    return run_fail(worker, fault);
}

static bool passing_recover(struct batch_worker *worker, struct fault *fault)
{
    atomic_store(&worker->status.trouble, BATCH_TROUBLE_RETRY);
    halve(worker);
    watch_begin(worker, fault);
    if (++worker->tries < TRIES) {
        int64_t delay = txn_retry_delay_ms(worker->tries), quarter = worker->tuning.lease_ms / 4;
        fault_clear(fault);
        batch_sleep(worker, delay < quarter ? delay : quarter);
        return true;
    }
    // This range fails; the others go on, and `retry` opens it again.
    blocker_name(worker, fault);
    batch_watch_end(worker);
    struct fault other;
    fault_init(&other);
    const char *params[] = {worker->range.id, worker->range.token,
                            fault->message ? fault->message : "error"};
    bool ok = worker->range.id == NULL || batch_exec(worker, BATCH_FAIL_RANGE, params, 3, &other);
    batch_range_clear(&worker->range);
    worker->tries = 0;
    if (ok) {
        fault_clear(fault);
    }
    fault_clear(&other);
    return ok;
}

// The one row between lower and upper cannot be done: it is put aside, and the cursor passes it.
static char *array_of(const char *text)
{
    struct array_text array = {0};
    array_text_add(&array, text, strlen(text));
    const char *end = array_text_end(&array);
    if (!end) {
        array_text_clear(&array);
    }
    return array.text;
}

static bool row_reject(struct batch_worker *worker, struct fault *fault)
{
    char *key = array_of(worker->range.upper);
    char *state = array_of(fault->sqlstate);
    char *message = array_of(fault->message ? fault->message : "error");
    struct batch_output output = {.keys = key,
                                  .sqlstates = state,
                                  .messages = message,
                                  .rejected = 1,
                                  .row_count = 1,
                                  .first = fault->message,
                                  .first_key = worker->range.upper,
                                  .first_kind = fault->kind};
    struct fault other;
    fault_init(&other);
    bool ok = key && state && message && batch_reject(worker, &output, &other);
    free(key);
    free(state);
    free(message);
    if (ok) {
        fault_clear(fault);
        return true;
    }
    if (failure_of(worker, &other) == FAILURE_BUDGET) {
        fault_clear(&other);
        return false; // the row's own failure says more
    }
    fault_move(fault, &other);
    return batch_recover(worker, fault);
}

static bool row_recover(struct batch_worker *worker, struct fault *fault)
{
    int64_t rows = worker->range.rows;
    if (rows == ROWS_UNKNOWN) { // counted first
        upper_forget(worker);
        fault_clear(fault);
        return true;
    }
    if (rows > 1) {
        if (worker->suspect == 0) {
            worker->size_before = worker->size;
        }
        worker->suspect = rows;
        worker->size = (rows + 1) / 2;
        upper_forget(worker);
        fault_clear(fault);
        return true;
    }
    char *key = strdup(worker->range.upper);
    bool ok = worker->tuning.error_budget > 0 && row_reject(worker, fault);
    if (ok) {
        worker->suspect = 0;
        worker->size = worker->size_before > 0 ? worker->size_before : worker->tuning.batch_rows;
    } else if (fault->kind == FAULT_SERVER) {
        row_name(worker, key, fault);
        run_fail(worker, fault);
    }
    free(key);
    return ok;
}

static bool conflict_recover(struct batch_worker *worker, struct fault *fault)
{
    fault_clear(fault);
    worker->has_conflict = false;
    halve(worker);
    if (++worker->conflicts >= CONFLICTS) {
        worker->compares = false; // this batch locks its rows
    }
    return true;
}

bool batch_recover(struct batch_worker *worker, struct fault *fault)
{
    enum failure failure = failure_of(worker, fault);
    struct fault ignored;
    fault_init(&ignored);
    if (worker->conn) {
        txn_rollback(worker->conn, &ignored);
        fault_clear(&ignored);
        results_forget(worker);
    }
    switch (failure) {
    case FAILURE_FENCED:
        fault_clear(fault);
        batch_range_clear(&worker->range);
        return true;
    case FAILURE_CONNECTION:
        fault_clear(fault);
        disconnect(worker);
        batch_range_clear(&worker->range); // the table knows the cursor
        return true;
    case FAILURE_PASSING:
        return passing_recover(worker, fault);
    case FAILURE_CONFLICT:
        return conflict_recover(worker, fault);
    case FAILURE_ROW:
        if (worker->range.upper) {
            return row_recover(worker, fault);
        }
        return run_fail(worker, fault);
    case FAILURE_BUDGET:
        return budget_fail(worker, fault);
    case FAILURE_FINAL:
        return run_fail(worker, fault);
    case FAILURE_OWN:
        batch_release(worker, NULL);
        return false;
    }
    return false;
}
