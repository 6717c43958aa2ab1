#pragma once
// Shared by conn*.c, the only files that see libpq.
#include "conn.h"

#include <libpq-fe.h>

/// A statement, or a Sync (seq 0), whose answer has not come yet.
struct pending {
    long seq;
    unsigned flags;
    bool is_sync;
    bool answered;             // the result is here, its end is not
    struct prepared *prepared; // this is its PREPARE; NULL for a statement
    char *sql;                 // owned; NULL for a Sync
    char *expect;              // owned; NULL for any tag
    struct pending *next;
};

/// A statement that the server has parsed, or is about to.
struct prepared {
    char *sql; // owned
    char name[32];
    bool usable; // false: its PREPARE failed or was passed over
    struct prepared *next;
};

struct kept {
    struct result result;
    struct kept *next;
};

struct conn {
    PGconn *pg;
    struct pending *head, *tail; // in the order they were sent
    int pending_count;
    struct kept *kept_head, *kept_tail;
    struct notice *notice_head, *notice_tail;
    struct fault failure; // of the first statement that failed; not delivered yet
    const struct conn_watch *watch;
    struct prepared *prepared;
    int prepared_count; // ever: each gets a name of its own
    long last_seq;
    long round_trips;
    unsigned interrupts_seen; // signals that this connection has answered already
    bool cancel_sent;
    int64_t cancel_again_ms; // when to send it once more
    bool is_patient;         // signals are its owner's business
    bool unsynced;           // something was sent after the last Sync
};

/// The prepared statement of a text; sends its PREPARE when it is new.
/// @return NULL when there is no memory or the connection is lost; send it plainly then
const struct prepared *conn_prepared(struct conn *conn, const char *sql);

/// What the PREPARE at the head of the queue came to.
void conn_prepared_settle(struct conn *conn, bool ok);

/// Forgets all of them when this statement may make the server do so: DEALLOCATE, DISCARD.
void conn_prepared_guard(struct conn *conn, const char *sql);
void conn_prepared_forget(struct conn *conn);

/// Appends to what waits for an answer.
void conn_pending_push(struct conn *conn, struct pending *pending);

/// Fills a fault from a failed result.
void conn_fault_from_result(struct conn *conn, const PGresult *result, const struct pending *about,
                            struct fault *fault);

/// Fills a fault: the connection is lost.
bool conn_fault_lost(struct conn *conn, const struct pending *about, struct fault *fault);

/// Waits until the socket is readable (or writable, when there is something to write), a signal
/// comes or the time is over.
/// @param timeout_ms  -1 for no end
void conn_poll(PGconn *pg, bool want_write, int timeout_ms);

/// Cancels what the server is doing when a signal has come; its failure then says so.
void conn_interrupt_answer(struct conn *conn);

/// Waits until nothing is pending; the failure stays in conn->failure.
void conn_drain(struct conn *conn);

void conn_notice_receive(void *data, const PGresult *result);

/// Can libpq read this URL or keyword string as it is meant?
/// @param url  NULL is sound
bool conn_info_is_sound(const char *url, struct fault *fault);
