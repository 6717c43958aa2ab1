// COPY … FROM STDIN: libpq allows it outside pipeline mode only.
#include "conn_private.h"

#include "interrupt.h"

#include <string.h>

// Waits until the server takes more, or does something else.
static void take_await(struct conn *conn)
{
    conn_interrupt_answer(conn);
    conn_poll(conn->pg, true, interrupt_count() ? 100 : 1000);
}

// Waits for the next result outside pipeline mode.
static PGresult *result_await(struct conn *conn)
{
    conn->round_trips++;
    while (PQflush(conn->pg) > 0) {
        take_await(conn);
        if (!PQconsumeInput(conn->pg)) {
            break;
        }
    }
    while (PQisBusy(conn->pg)) {
        conn_interrupt_answer(conn);
        conn_poll(conn->pg, false, interrupt_count() ? 100 : 1000);
        if (!PQconsumeInput(conn->pg)) {
            break;
        }
    }
    return PQgetResult(conn->pg);
}

static bool back_to_pipeline(struct conn *conn, struct fault *fault)
{
    conn->cancel_sent = false;
    if (PQenterPipelineMode(conn->pg)) {
        return true;
    }
    return fault->kind == FAULT_NONE ? conn_fault_lost(conn, NULL, fault) : false;
}

static void failure_take(struct conn *conn, const PGresult *result, const char *sql,
                         struct fault *fault)
{
    struct pending about = {.sql = (char *)sql};
    conn_fault_from_result(conn, result, &about, fault);
    if (fault->kind == FAULT_INTERRUPTED) {
        conn->interrupts_seen = interrupt_count();
    }
}

// Takes the results up to the end; the first failure fills the fault.
static bool results_finish(struct conn *conn, const char *sql, struct fault *fault)
{
    bool ok = true;
    PGresult *result;
    while ((result = result_await(conn)) != NULL) {
        ExecStatusType status = PQresultStatus(result);
        if (ok && status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
            failure_take(conn, result, sql, fault);
            ok = false;
        }
        PQclear(result);
        if (status == PGRES_COPY_IN) {
            PQputCopyEnd(conn->pg, "luamig: not expected here");
        }
    }
    return back_to_pipeline(conn, fault) && ok;
}

bool conn_copy_begin(struct conn *conn, const char *sql, struct fault *fault)
{
    if (!conn_sync(conn, fault)) {
        return false;
    }
    if (!PQexitPipelineMode(conn->pg) ||
        !PQsendQueryParams(conn->pg, sql, 0, NULL, NULL, NULL, NULL, 0)) {
        conn_fault_lost(conn, NULL, fault);
        PQenterPipelineMode(conn->pg);
        return false;
    }
    PGresult *result = result_await(conn);
    bool ok = PQresultStatus(result) == PGRES_COPY_IN;
    if (!ok) {
        failure_take(conn, result, sql, fault);
    }
    PQclear(result);
    if (!ok) {
        struct fault ignored;
        fault_init(&ignored);
        results_finish(conn, sql, &ignored);
        fault_clear(&ignored);
    }
    return ok;
}

bool conn_copy_put(struct conn *conn, const char *data, size_t size, struct fault *fault)
{
    for (;;) {
        int put = PQputCopyData(conn->pg, data, (int)size);
        if (put > 0) {
            return true;
        }
        if (put < 0) {
            return conn_fault_lost(conn, NULL, fault);
        }
        take_await(conn);
    }
}

bool conn_copy_end(struct conn *conn, const char *reason, struct fault *fault)
{
    int put;
    while ((put = PQputCopyEnd(conn->pg, reason)) == 0) {
        take_await(conn);
    }
    if (put < 0) {
        return conn_fault_lost(conn, NULL, fault);
    }
    return results_finish(conn, NULL, fault);
}
