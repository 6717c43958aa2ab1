#include "batch_private.h"

#include "clock.h"
#include "interrupt.h"

#include <stdlib.h>
#include <string.h>

// How small and how large batches may become by themselves.
enum { ROWS_AT_LEAST = 100, ROWS_AT_MOST = 100000 };
// How long an idle worker waits before it looks again for a range. What it asked for comes within
// the time of a batch, so it looks often at first.
enum { LOOK_SOON_MS = 25, SOON_MS = 1000, LOOK_AGAIN_MS = 250, SLICE_MS = 100 };

struct batch_worker *batch_worker_new(const struct batch_job *job, struct batch_control *control,
                                      const char *owner, const struct batch_mapper *mapper)
{
    struct batch_worker *worker = calloc(1, sizeof *worker);
    if (!worker) {
        return NULL;
    }
    worker->job = job;
    worker->control = control;
    worker->mapper = mapper;
    worker->owner = strdup(owner);
    worker->compares = job->is_compared;
    // Until the table says otherwise: enough for the first claim.
    worker->tuning = (struct batch_tuning){.batch_rows = 0, .target_ms = 300, .lease_ms = 60000};
    if (!worker->owner) {
        free(worker);
        return NULL;
    }
    return worker;
}

void batch_worker_free(struct batch_worker *worker)
{
    if (worker) {
        batch_watch_end(worker);
        conn_close(worker->conn);
        batch_range_clear(&worker->range);
        free(worker->rejected);
        free(worker->rejected_key);
        free(worker->changed_in);
        free(worker->owner);
        free(worker);
    }
}

const struct batch_status *batch_worker_status(const struct batch_worker *worker)
{
    return &worker->status;
}

bool batch_told_to_stop(const struct batch_worker *worker)
{
    return atomic_load(&worker->control->stop) || interrupt_count() > 0;
}

bool batch_sleep(const struct batch_worker *worker, int64_t ms)
{
    int64_t end = clock_now_ms() + ms;
    for (int64_t left = ms; left > 0; left = end - clock_now_ms()) {
        if (batch_told_to_stop(worker)) {
            return false;
        }
        clock_sleep_ms(left < SLICE_MS ? left : SLICE_MS);
    }
    return !batch_told_to_stop(worker);
}

static int64_t rows_clamp(const struct batch_worker *worker, double rows)
{
    int64_t least = worker->tuning.batch_rows, most = worker->tuning.batch_rows;
    least = least < ROWS_AT_LEAST ? least : ROWS_AT_LEAST;
    most = most > ROWS_AT_MOST ? most : ROWS_AT_MOST;
    return rows < (double)least ? least : rows > (double)most ? most : (int64_t)rows;
}

// The size follows the time a batch took, by at most half of itself, and halves when sessions wait.
static void size_adapt(struct batch_worker *worker)
{
    if (worker->rows <= 0) {
        return;
    }
    double ms_per_row = (double)(worker->ms > 0 ? worker->ms : 1) / (double)worker->rows;
    worker->ms_per_row =
        worker->ms_per_row > 0 ? (worker->ms_per_row + ms_per_row) / 2 : ms_per_row;
    double size = (double)worker->size;
    double wanted = (double)worker->tuning.target_ms / worker->ms_per_row;
    wanted = wanted < size / 2 ? size / 2 : wanted > size * 1.5 ? size * 1.5 : wanted;
    if (worker->waiters > 0) {
        wanted = size / 2;
    }
    int64_t before = worker->size;
    worker->size = rows_clamp(worker, wanted);
    // The end of the next batch was looked up for the old size: too far now.
    if (worker->range.upper && worker->size * 4 < before * 3) {
        free(worker->range.upper);
        worker->range.upper = NULL;
    }
}

// After a batch that went well.
static void search_go_on(struct batch_worker *worker)
{
    worker->suspect -= worker->rows;
    if (worker->suspect <= 0) { // the bad row was gone, or not bad any more
        worker->suspect = 0;
        worker->size = worker->size_before;
        free(worker->range.upper);
        worker->range.upper = NULL;
    } else {
        worker->size = (worker->suspect + 1) / 2;
    }
}

// Between two batches, with the range of the next one in hand: so others see that somebody works. A
// pause that the lease would hardly outlast is taken without a range.
static void pause_take(struct batch_worker *worker)
{
    int64_t pause = worker->pause_ms;
    worker->pause_ms = 0;
    if (pause > worker->tuning.lease_ms / 2) {
        batch_release(worker, NULL);
    }
    batch_sleep(worker, pause);
}

static bool step_done(struct batch_worker *worker, struct fault *fault)
{
    worker->tries = 0;
    batch_watch_end(worker);
    worker->conflicts = 0;
    worker->compares = worker->job->is_compared;
    atomic_store(&worker->status.trouble, BATCH_TROUBLE_NONE);
    if (worker->suspect > 0) {
        search_go_on(worker);
    } else {
        size_adapt(worker);
    }
    if (worker->range.is_done) {
        batch_range_clear(&worker->range);
    } else if (worker->wants_split && !batch_split(worker, fault)) {
        return false;
    }
    int64_t slow = atomic_load(&worker->control->slow_percent);
    worker->pause_ms = worker->tuning.pause_ms + (slow > 100 ? worker->ms * (slow - 100) / 100 : 0);
    return true;
}

// For what runs outside of a transaction, whose settings name the role.
static bool session_role_set(struct batch_worker *worker, struct fault *fault)
{
    struct batch_number pid;
    const char *params[] = {batch_number(&pid, conn_pid(worker->conn)), worker->job->role};
    return !worker->job->role ||
           (batch_send(worker, BATCH_SESSION_ROLE, params, 2, 0, NULL, fault) &&
            conn_sync(worker->conn, fault));
}

// Others go on meanwhile; what is given back here they may take.
static void vacuum(struct batch_worker *worker)
{
    struct fault ignored;
    fault_init(&ignored);
    struct statement stmt = {.sql = worker->job->vacuum};
    batch_release(worker, NULL);
    conn_patient(worker->conn, false); // a signal may cut it short
    if (session_role_set(worker, &ignored)) {
        conn_exec(worker->conn, &stmt, NULL, &ignored); // refused: the table's owner vacuums
    }
    conn_patient(worker->conn, true);
    fault_clear(&ignored);
}

// All ranges have owners: one of them may give a part of his away. Each is asked once, and one at a
// time, so that they do not all cut their ranges for the same idle worker.
static bool range_ask(struct batch_worker *worker, struct fault *fault)
{
    const char *params[] = {worker->job->backfill, worker->owner};
    int64_t now = clock_now_ms();
    worker->idle_since_ms = worker->idle_since_ms ? worker->idle_since_ms : now;
    if (now - worker->asked_ms >= LOOK_AGAIN_MS) {
        worker->asked_ms = now;
        if (!batch_exec(worker, BATCH_ASK, params, 2, fault)) {
            return false;
        }
    }
    batch_sleep(worker, now - worker->idle_since_ms < SOON_MS ? LOOK_SOON_MS : LOOK_AGAIN_MS);
    return true;
}

static bool range_get(struct batch_worker *worker, enum batch_claim *claim, struct fault *fault)
{
    if (!batch_claim(worker, claim, fault)) {
        return false;
    }
    worker->suspect = 0;
    if (*claim == CLAIM_WAIT) {
        return range_ask(worker, fault);
    }
    worker->idle_since_ms = 0;
    return true;
}

// One turn: a connection, a range, the pause, or the end of the batch and the batch.
static bool turn(struct batch_worker *worker, enum batch_claim *claim, struct fault *fault)
{
    *claim = CLAIM_TAKEN;
    if (!worker->conn && !batch_connect(worker, fault)) {
        return false;
    }
    if (atomic_exchange(&worker->control->vacuum, false)) {
        vacuum(worker);
    }
    if (!worker->range.id) {
        return range_get(worker, claim, fault);
    }
    if (worker->pause_ms > 0) {
        pause_take(worker);
        return true;
    }
    if (!worker->range.upper && !batch_probe(worker, fault)) {
        return false;
    }
    return batch_step(worker, fault) && step_done(worker, fault);
}

static void held_wait(struct batch_worker *worker)
{
    if (atomic_load(&worker->control->held)) {
        batch_release(worker, NULL);
        while (atomic_load(&worker->control->held) && batch_sleep(worker, LOOK_AGAIN_MS)) {
        }
    }
}

// Whether the worker goes on although the backfill does not run now.
static bool closed_wait(struct batch_worker *worker)
{
    batch_release(worker, NULL);
    return worker->closed == BATCH_END_PAUSED && worker->job->waits_while_paused &&
           batch_sleep(worker, 1000);
}

static enum batch_end leave(struct batch_worker *worker, enum batch_end end)
{
    struct fault ignored;
    fault_init(&ignored);
    batch_release(worker, NULL);
    struct batch_number changed;
    const char *params[] = {worker->changed_in, batch_number(&changed, worker->changed)};
    if (worker->changed > 0 && worker->conn && conn_alive(worker->conn)) {
        batch_exec(worker, BATCH_COUNT, params, 2, &ignored);
    }
    fault_clear(&ignored);
    return end;
}

enum batch_end batch_worker_run(struct batch_worker *worker, struct fault *fault)
{
    worker->closed = BATCH_END_DONE;
    for (;;) {
        enum batch_claim claim;
        held_wait(worker);
        if (batch_told_to_stop(worker)) {
            return leave(worker, BATCH_END_STOPPED);
        }
        if (!turn(worker, &claim, fault) && !batch_recover(worker, fault)) {
            bool stopped = batch_told_to_stop(worker) && fault->kind != FAULT_SERVER;
            return leave(worker, stopped ? BATCH_END_STOPPED : BATCH_END_FAILED);
        }
        if (claim == CLAIM_NONE) {
            return leave(worker, BATCH_END_DONE);
        }
        if (worker->closed != BATCH_END_DONE && !closed_wait(worker)) {
            enum batch_end end = worker->closed;
            return leave(worker, batch_told_to_stop(worker) ? BATCH_END_STOPPED : end);
        }
    }
}
