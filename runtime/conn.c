#include "conn_private.h"

#include "clock.h"
#include "interrupt.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

// How many statements may be on their way. Neither side's memory grows with the work, and over a
// slow link the pipe stays full.
enum { PENDING_AT_MOST = 4096, PENDING_RESUME = 2048, CANCEL_AGAIN_MS = 1000 };

static void pending_free(struct pending *pending)
{
    free(pending->sql);
    free(pending->expect);
    free(pending);
}

void conn_pending_push(struct conn *conn, struct pending *pending)
{
    if (conn->tail) {
        conn->tail->next = pending;
    } else {
        conn->head = pending;
    }
    conn->tail = pending;
    conn->pending_count++;
}

static void pending_pop(struct conn *conn)
{
    struct pending *head = conn->head;
    conn->head = head->next;
    if (!conn->head) {
        conn->tail = NULL;
    }
    conn->pending_count--;
    pending_free(head);
}

static void pending_forget(struct conn *conn)
{
    while (conn->head) {
        pending_pop(conn);
    }
    conn->unsynced = false;
}

// The first failure counts: what followed it did not happen.
static void failure_note(struct conn *conn, struct fault *fault)
{
    if (conn->failure.kind == FAULT_NONE) {
        fault_move(&conn->failure, fault);
    }
    fault_clear(fault);
}

static void kept_push(struct conn *conn, PGresult *result, long seq)
{
    struct kept *kept = calloc(1, sizeof *kept);
    if (!kept) {
        struct fault fault;
        fault_init(&fault);
        fault_set(&fault, FAULT_MEMORY, "not enough memory");
        failure_note(conn, &fault); // somebody waits for this result
        PQclear(result);
        return;
    }
    kept->result = (struct result){.handle = result, .seq = seq};
    if (conn->kept_tail) {
        conn->kept_tail->next = kept;
    } else {
        conn->kept_head = kept;
    }
    conn->kept_tail = kept;
}

bool conn_take(struct conn *conn, struct result *out)
{
    struct kept *kept = conn->kept_head;
    if (!kept) {
        return false;
    }
    conn->kept_head = kept->next;
    if (!conn->kept_head) {
        conn->kept_tail = NULL;
    }
    *out = kept->result;
    free(kept);
    return true;
}

static void failure_lost(struct conn *conn)
{
    struct fault fault;
    fault_init(&fault);
    conn_fault_lost(conn, conn->head, &fault);
    failure_note(conn, &fault);
    pending_forget(conn);
}

static void failure_from_result(struct conn *conn, const PGresult *result)
{
    struct fault fault;
    fault_init(&fault);
    conn_fault_from_result(conn, result, conn->head, &fault);
    failure_note(conn, &fault);
}

// COMMIT of a failed transaction answers with the tag ROLLBACK, and no error.
static void tag_check(struct conn *conn, PGresult *result)
{
    const struct pending *head = conn->head;
    const char *tag = PQcmdStatus(result);
    if (!head->expect || strcmp(head->expect, tag) == 0) {
        return;
    }
    struct fault fault;
    fault_init(&fault);
    fault_set(&fault, FAULT_SERVER, "%s was answered with %s: the transaction was rolled back",
              head->expect, *tag ? tag : "nothing");
    fault.seq = head->seq;
    fault_text(&fault.statement, "%s", head->sql);
    failure_note(conn, &fault);
}

static void result_receive(struct conn *conn, PGresult *result)
{
    struct pending *head = conn->head;
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_PIPELINE_SYNC) {
        PQclear(result);
        pending_pop(conn);
        return;
    }
    head->answered = true;
    bool failed = status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE;
    if (head->prepared) {
        conn_prepared_settle(conn, status == PGRES_COMMAND_OK);
    }
    bool isolated = (head->flags & CONN_ISOLATED) && PQstatus(conn->pg) != CONNECTION_BAD;
    if (failed && !isolated) {
        failure_from_result(conn, result);
    } else if (!failed && status != PGRES_PIPELINE_ABORTED) {
        tag_check(conn, result);
    }
    if ((head->flags & (CONN_KEEP | CONN_ISOLATED)) && status != PGRES_PIPELINE_ABORTED &&
        (!failed || isolated)) {
        kept_push(conn, result, head->seq);
    } else {
        PQclear(result);
    }
}

// Takes in every result that has arrived.
static void results_receive(struct conn *conn)
{
    while (conn->head && !PQisBusy(conn->pg)) {
        PGresult *result = PQgetResult(conn->pg);
        if (result) {
            result_receive(conn, result);
        } else if (conn->head->answered && conn->head->is_sync) {
            conn->head->answered = false; // a deferred constraint failed; the Sync itself comes yet
        } else if (conn->head->answered) {
            pending_pop(conn); // NULL ends the results of a statement
        } else if (PQstatus(conn->pg) == CONNECTION_BAD) {
            failure_lost(conn);
        } else {
            return;
        }
    }
}

void conn_poll(PGconn *pg, bool want_write, int timeout_ms)
{
    struct pollfd fds[2] = {
        {.fd = PQsocket(pg), .events = (short)(POLLIN | (want_write ? POLLOUT : 0))},
        {.fd = interrupt_fd(), .events = POLLIN},
    };
    // The pipe stays readable after the first signal; it must not make the wait a busy loop.
    nfds_t count = interrupt_count() == 0 && fds[1].fd >= 0 ? 2 : 1;
    poll(fds, count, timeout_ms);
}

// A cancel that reaches the server between two statements is lost, so it is sent again.
void conn_interrupt_answer(struct conn *conn)
{
    if (conn->is_patient || interrupt_count() == conn->interrupts_seen ||
        (conn->cancel_sent && clock_now_ms() < conn->cancel_again_ms)) {
        return;
    }
    PGcancel *cancel = PQgetCancel(conn->pg);
    char text[256];
    if (cancel && PQcancel(cancel, text, sizeof text)) {
        conn->cancel_sent = true;
        conn->cancel_again_ms = clock_now_ms() + CANCEL_AGAIN_MS;
    }
    PQfreeCancel(cancel);
}

static bool output_flush(struct conn *conn)
{
    int unsent = PQflush(conn->pg);
    if (unsent < 0) {
        // The server may have said why before it went away.
        PQconsumeInput(conn->pg);
    }
    return unsent > 0;
}

// Sends and receives; waits up to `timeout_ms` for something to happen.
static void exchange(struct conn *conn, int timeout_ms)
{
    bool more = output_flush(conn);
    results_receive(conn);
    if (!conn->head) {
        return;
    }
    if (timeout_ms != 0) {
        conn_poll(conn->pg, more, timeout_ms);
    }
    if (!PQconsumeInput(conn->pg) && PQstatus(conn->pg) == CONNECTION_BAD) {
        results_receive(conn);
        if (conn->head) {
            failure_lost(conn);
        }
        return;
    }
    results_receive(conn);
}

void conn_push(struct conn *conn)
{
    exchange(conn, 0);
}

static int wait_slice_ms(const struct conn *conn, int64_t next_tick_ms)
{
    if (!conn->watch) {
        return interrupt_count() ? 100 : 1000;
    }
    int64_t left = next_tick_ms - clock_now_ms();
    return left < 0 ? 0 : left > 1000 ? 1000 : (int)left;
}

static void wait_until(struct conn *conn, int pending_at_most)
{
    int64_t start = clock_now_ms();
    int64_t next_tick = conn->watch ? start + conn->watch->after_ms : 0;
    const struct pending *oldest = conn->head;
    if (conn->pending_count > pending_at_most) {
        conn->round_trips++;
    }
    while (conn->pending_count > pending_at_most) {
        conn_interrupt_answer(conn);
        exchange(conn, wait_slice_ms(conn, next_tick));
        if (conn->head != oldest) { // progress: what is waited for now is another statement
            oldest = conn->head;
            start = clock_now_ms();
            next_tick = conn->watch ? start + conn->watch->after_ms : 0;
        } else if (conn->watch && clock_now_ms() >= next_tick) {
            conn->watch->tick(conn->watch->data, clock_now_ms() - start);
            next_tick = clock_now_ms() + 1000;
        }
    }
}

static void sync_push(struct conn *conn)
{
    struct pending *sync = calloc(1, sizeof *sync);
    if (!sync || !PQpipelineSync(conn->pg)) {
        free(sync);
        failure_lost(conn);
        return;
    }
    sync->is_sync = true;
    conn_pending_push(conn, sync);
    conn->unsynced = false;
}

void conn_drain(struct conn *conn)
{
    if (conn->unsynced) {
        sync_push(conn);
    }
    wait_until(conn, 0);
    conn->cancel_sent = false;
}

static bool failure_deliver(struct conn *conn, struct fault *fault)
{
    conn_drain(conn);
    fault_move(fault, &conn->failure);
    if (fault->kind == FAULT_INTERRUPTED) {
        conn->interrupts_seen = interrupt_count();
    }
    return false;
}

// A signal that came between two statements stops here, once; the rollback after it goes through.
static bool interrupt_check(struct conn *conn, struct fault *fault)
{
    if (conn->is_patient || interrupt_count() == conn->interrupts_seen) {
        return true;
    }
    conn_drain(conn);
    conn->interrupts_seen = interrupt_count();
    fault_clear(&conn->failure);
    return fault_set(fault, FAULT_INTERRUPTED, "interrupted");
}

static struct pending *pending_new(struct conn *conn, const struct statement *stmt)
{
    struct pending *pending = calloc(1, sizeof *pending);
    if (!pending) {
        return NULL;
    }
    pending->flags = stmt->flags;
    pending->sql = strdup(stmt->sql);
    pending->expect = stmt->expect ? strdup(stmt->expect) : NULL;
    if (!pending->sql || (stmt->expect && !pending->expect)) {
        pending_free(pending);
        return NULL;
    }
    pending->seq = ++conn->last_seq;
    return pending;
}

static bool statement_push(struct conn *conn, const struct statement *stmt, struct fault *fault)
{
    const struct prepared *prepared = NULL;
    if (stmt->flags & CONN_PREPARED) {
        prepared = conn_prepared(conn, stmt->sql);
    } else {
        conn_prepared_guard(conn, stmt->sql);
    }
    struct pending *pending = pending_new(conn, stmt);
    if (!pending) {
        return fault_set(fault, FAULT_MEMORY, "not enough memory");
    }
    bool sent = prepared ? PQsendQueryPrepared(conn->pg, prepared->name, stmt->param_count,
                                               stmt->params, NULL, NULL, 0)
                         : PQsendQueryParams(conn->pg, stmt->sql, stmt->param_count, NULL,
                                             stmt->params, NULL, NULL, 0);
    if (!sent) {
        conn_fault_lost(conn, pending, fault);
        pending_free(pending);
        return false;
    }
    conn_pending_push(conn, pending);
    conn->unsynced = true;
    if (stmt->flags & CONN_ISOLATED) {
        sync_push(conn);
    }
    return true;
}

bool conn_send(struct conn *conn, const struct statement *stmt, long *seq, struct fault *fault)
{
    if (!interrupt_check(conn, fault)) {
        return false;
    }
    // The Sync of an isolated statement must not end the skipping after an earlier failure.
    if ((stmt->flags & CONN_ISOLATED) && conn->unsynced && !conn_sync(conn, fault)) {
        return false;
    }
    if (conn->pending_count >= PENDING_AT_MOST) {
        PQsendFlushRequest(conn->pg);
        wait_until(conn, PENDING_RESUME);
    } else if (conn->pending_count % 16 == 15) {
        exchange(conn, 0); // both directions flow while the script goes on
    }
    if (conn->failure.kind != FAULT_NONE) {
        return failure_deliver(conn, fault);
    }
    if (!statement_push(conn, stmt, fault)) {
        return false;
    }
    if (stmt->expect && strcmp(stmt->expect, "COMMIT") == 0) {
        output_flush(conn); // else a transaction keeps its locks for as long as the script computes
    }
    if (seq) {
        *seq = conn->last_seq;
    }
    return true;
}

bool conn_sync(struct conn *conn, struct fault *fault)
{
    conn_drain(conn);
    return conn->failure.kind == FAULT_NONE || failure_deliver(conn, fault);
}

bool conn_exec(struct conn *conn, const struct statement *stmt, struct result *out,
               struct fault *fault)
{
    struct statement kept = *stmt;
    long seq = 0;
    kept.flags |= CONN_KEEP;
    if (!conn_send(conn, &kept, &seq, fault) || !conn_sync(conn, fault)) {
        return false;
    }
    // Results of statements kept earlier stay for conn_take(); ours is the last.
    struct kept **link = &conn->kept_head, *previous = NULL;
    while (*link && (*link)->result.seq != seq) {
        previous = *link;
        link = &(*link)->next;
    }
    if (!*link) {
        return fault_set(fault, FAULT_MEMORY, "not enough memory");
    }
    struct kept *mine = *link;
    *link = mine->next;
    if (conn->kept_tail == mine) {
        conn->kept_tail = previous;
    }
    if (out) {
        *out = mine->result;
    } else {
        result_clear(&mine->result);
    }
    free(mine);
    return true;
}

void conn_watch(struct conn *conn, const struct conn_watch *watch)
{
    conn->watch = watch;
}

void conn_patient(struct conn *conn, bool is_patient)
{
    conn->is_patient = is_patient;
}

void conn_close(struct conn *conn)
{
    if (!conn) {
        return;
    }
    struct result result;
    while (conn_take(conn, &result)) {
        result_clear(&result);
    }
    pending_forget(conn);
    conn_prepared_forget(conn);
    notice_clear(conn_notices(conn));
    fault_clear(&conn->failure);
    PQfinish(conn->pg);
    free(conn);
}
