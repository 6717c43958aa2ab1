// Statements that are sent often: parsed by the server once a connection.
#include "conn_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct prepared *prepared_new(struct conn *conn, const char *sql)
{
    struct prepared *prepared = calloc(1, sizeof *prepared);
    char *text = strdup(sql);
    if (!prepared || !text) {
        free(prepared);
        free(text);
        return NULL;
    }
    prepared->sql = text;
    prepared->usable = true;
    snprintf(prepared->name, sizeof prepared->name, "luamig_%d", ++conn->prepared_count);
    return prepared;
}

static void prepared_free(struct prepared *prepared)
{
    free(prepared->sql);
    free(prepared);
}

static bool prepare_send(struct conn *conn, struct prepared *prepared)
{
    struct pending *pending = calloc(1, sizeof *pending);
    char *text = strdup(prepared->sql);
    if (!pending || !text || !PQsendPrepare(conn->pg, prepared->name, prepared->sql, 0, NULL)) {
        free(pending);
        free(text);
        return false;
    }
    pending->sql = text;
    pending->seq = ++conn->last_seq;
    pending->prepared = prepared;
    conn_pending_push(conn, pending);
    return true;
}

// One whose PREPARE was passed over stays in the list, for a pending may point to it, and is no
// longer found.
const struct prepared *conn_prepared(struct conn *conn, const char *sql)
{
    for (struct prepared *each = conn->prepared; each; each = each->next) {
        if (each->usable && strcmp(each->sql, sql) == 0) {
            return each;
        }
    }
    struct prepared *prepared = prepared_new(conn, sql);
    if (!prepared || !prepare_send(conn, prepared)) {
        if (prepared) {
            prepared_free(prepared);
        }
        return NULL;
    }
    prepared->next = conn->prepared;
    conn->prepared = prepared;
    return prepared;
}

void conn_prepared_settle(struct conn *conn, bool ok)
{
    conn->head->prepared->usable = ok && conn->head->prepared->usable;
}

void conn_prepared_guard(struct conn *conn, const char *sql)
{
    if (conn->prepared && (strcasestr(sql, "deallocate") || strcasestr(sql, "discard"))) {
        for (struct prepared *each = conn->prepared; each; each = each->next) {
            each->usable = false;
        }
    }
}

void conn_prepared_forget(struct conn *conn)
{
    while (conn->prepared) {
        struct prepared *next = conn->prepared->next;
        prepared_free(conn->prepared);
        conn->prepared = next;
    }
}
