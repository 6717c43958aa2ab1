// Results and notices: what came back, as plain values and faults.
#include "conn_private.h"

#include "interrupt.h"

#include <stdlib.h>
#include <string.h>

enum { NOTICES_AT_MOST = 1000 };

void result_clear(struct result *result)
{
    PQclear(result->handle);
    result->handle = NULL;
}

int result_rows(const struct result *result)
{
    return PQntuples(result->handle);
}

int result_columns(const struct result *result)
{
    return PQnfields(result->handle);
}

const char *result_name(const struct result *result, int column)
{
    return PQfname(result->handle, column);
}

unsigned result_type(const struct result *result, int column)
{
    return PQftype(result->handle, column);
}

const char *result_value(const struct result *result, int row, int column, size_t *size)
{
    if (PQgetisnull(result->handle, row, column)) {
        return NULL;
    }
    if (size) {
        *size = (size_t)PQgetlength(result->handle, row, column);
    }
    return PQgetvalue(result->handle, row, column);
}

const char *result_tag(const struct result *result)
{
    return PQcmdStatus(result->handle);
}

const char *result_sqlstate(const struct result *result)
{
    const char *state = PQresultErrorField(result->handle, PG_DIAG_SQLSTATE);
    return state ? state : "";
}

static void field_copy(char **text, const PGresult *result, int code)
{
    const char *value = PQresultErrorField(result, code);
    if (value && *value) {
        fault_text(text, "%s", value);
    }
}

static bool is_interrupt(const struct conn *conn, const char *sqlstate)
{
    return conn->cancel_sent && strcmp(sqlstate, "57014") == 0;
}

void conn_fault_from_result(struct conn *conn, const PGresult *result, const struct pending *about,
                            struct fault *fault)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (!state) { // libpq's own: the connection broke
        conn_fault_lost(conn, about, fault);
        return;
    }
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    bool lost = PQstatus(conn->pg) == CONNECTION_BAD || strncmp(state, "57P0", 4) == 0;
    if (is_interrupt(conn, state)) {
        fault_set(fault, FAULT_INTERRUPTED, "interrupted");
    } else {
        fault_set(fault, lost ? FAULT_CONNECTION : FAULT_SERVER, "%s", message ? message : "error");
    }
    memcpy(fault->sqlstate, state, 5);
    field_copy(&fault->detail, result, PG_DIAG_MESSAGE_DETAIL);
    field_copy(&fault->hint, result, PG_DIAG_MESSAGE_HINT);
    field_copy(&fault->context, result, PG_DIAG_CONTEXT);
    field_copy(&fault->constraint, result, PG_DIAG_CONSTRAINT_NAME);
    // An error inside a function or DO block has the inner query and a position in that.
    const char *inner = PQresultErrorField(result, PG_DIAG_INTERNAL_QUERY);
    const char *position =
        PQresultErrorField(result, inner ? PG_DIAG_INTERNAL_POSITION : PG_DIAG_STATEMENT_POSITION);
    if (inner) {
        fault_text(&fault->statement, "%s", inner);
    } else if (about && about->sql) {
        fault_text(&fault->statement, "%s", about->sql);
    }
    fault->position = position ? atoi(position) : 0;
    fault->seq = about ? about->seq : 0;
}

bool conn_fault_lost(struct conn *conn, const struct pending *about, struct fault *fault)
{
    fault_set(fault, FAULT_CONNECTION, "the connection to the server was lost");
    const char *text = PQerrorMessage(conn->pg);
    size_t size = text ? strcspn(text, "\n") : 0;
    if (size > 0) {
        fault_text(&fault->detail, "%.*s", (int)size, text);
    }
    if (about && about->sql) {
        fault_text(&fault->statement, "%s", about->sql);
    }
    fault->seq = about ? about->seq : 0;
    return false;
}

void conn_notice_receive(void *data, const PGresult *result)
{
    struct conn *conn = data;
    int count = 0;
    for (struct notice *each = conn->notice_head; each; each = each->next) {
        count++;
    }
    struct notice *notice = count < NOTICES_AT_MOST ? calloc(1, sizeof *notice) : NULL;
    if (!notice) {
        return;
    }
    field_copy(&notice->severity, result, PG_DIAG_SEVERITY_NONLOCALIZED);
    field_copy(&notice->message, result, PG_DIAG_MESSAGE_PRIMARY);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (state) {
        memcpy(notice->sqlstate, state, 5);
    }
    notice->seq = conn->head ? conn->head->seq : 0;
    if (conn->notice_tail) {
        conn->notice_tail->next = notice;
    } else {
        conn->notice_head = notice;
    }
    conn->notice_tail = notice;
}

struct notice *conn_notices(struct conn *conn)
{
    struct notice *list = conn->notice_head;
    conn->notice_head = conn->notice_tail = NULL;
    return list;
}

void notice_clear(struct notice *list)
{
    while (list) {
        struct notice *next = list->next;
        free(list->severity);
        free(list->message);
        free(list);
        list = next;
    }
}
