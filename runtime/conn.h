#pragma once
// One connection to PostgreSQL, always in pipeline mode: statements are queued with conn_send() and
// nothing waits until conn_sync(), conn_exec() or a COPY. This unit (conn*.c) is the only caller of
// libpq; it turns results into faults and knows nothing of Lua, revisions or transactions.
#include "fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;

struct conn_options {
    const char *url;              // URL or keyword string; NULL: PG* variables and the service file
    const char *application_name; // shown in pg_stat_activity unless the URL names another
    int connect_timeout_ms;       // for all hosts together; 0: 30 s, or what the URL says
};

/// What conn_send() does with a statement besides sending it.
enum conn_flags {
    CONN_KEEP = 1,     // hand its result to conn_take()
    CONN_ISOLATED = 2, // its failure does not fail those behind it; the result tells (implies KEEP)
    CONN_PREPARED = 4, // sent often: the server parses it once
};

/// One SQL statement; everything is borrowed for the call.
struct statement {
    const char *sql;           // one statement, UTF-8
    const char *const *params; // text values; NULL entries are SQL NULL
    int param_count;
    const char *expect; // command tag that is required ("COMMIT"); NULL: any
    unsigned flags;     // enum conn_flags
};

/// A result that the caller owns; clear it with result_clear().
struct result {
    void *handle; // PGresult
    long seq;     // of its statement
};

/// A notice or warning of the server; owned by the list it is in.
struct notice {
    char *severity; // WARNING, NOTICE …
    char *message;
    char sqlstate[6];
    long seq; // of the statement that was being run
    struct notice *next;
};

/// Called while the server lets us wait: after `after_ms`, then about once a second.
struct conn_watch {
    int after_ms;
    void (*tick)(void *data, int64_t waited_ms);
    void *data;
};

/// A connection that is being made: the server works on it while the caller does something else.
struct conn_start;

/// Begins to connect. Only the look-up of a host's name waits.
/// @param[out] out    valid only on true; the caller calls conn_finish() or conn_abandon()
/// @param[out] fault  as of conn_open()
bool conn_start(const struct conn_options *options, struct conn_start **out, struct fault *fault);

/// Waits for what conn_start() began, and frees it, whatever comes out.
/// @param connect_timeout_ms  from now on; 0 as in conn_options
bool conn_finish(struct conn_start *start, int connect_timeout_ms, struct conn **out,
                 struct fault *fault);
void conn_abandon(struct conn_start *start); // NULL is allowed

/// Connects, in UTF-8, and enters pipeline mode.
/// @param[out] out    valid only on true; the caller calls conn_close()
/// @param[out] fault  FAULT_CONNECTION, FAULT_CONFIG (a URL that libpq would misread) or
///                    FAULT_INTERRUPTED; its texts never hold a password
bool conn_open(const struct conn_options *options, struct conn **out, struct fault *fault);

/// Opens a second connection to the same server and database, as the same user.
bool conn_twin(const struct conn *conn, struct conn **out, struct fault *fault);

/// What a URL or keyword string says; nothing of the environment.
struct conn_settings {
    void *handle; // PQconninfoOption
};

/// Reads a URL or keyword string without connecting.
/// @param[out] out    valid only on true; the caller calls conn_settings_clear()
/// @param[out] fault  FAULT_CONFIG; its texts never hold a password
bool conn_settings_read(const char *url, struct conn_settings *out, struct fault *fault);
void conn_settings_clear(struct conn_settings *settings);

/// The setting number `i` from 0; `value` is NULL when the URL does not say it.
/// @return false behind the last one
bool conn_settings_get(const struct conn_settings *settings, int i, const char **keyword,
                       const char **value);

/// Closes; NULL is fine.
void conn_close(struct conn *conn);

/// Queues a statement. Results that have come meanwhile are taken in, so a failure of an earlier
/// statement is reported here.
/// @param[out] seq  number of the statement on this connection, from 1; may be NULL
/// @param[out] fault  of the earlier statement that failed: fault->seq names it
bool conn_send(struct conn *conn, const struct statement *stmt, long *seq, struct fault *fault);

/// Sends as much of what is queued as the server takes now, without waiting for it.
void conn_push(struct conn *conn);

/// Waits until every queued statement has been answered.
bool conn_sync(struct conn *conn, struct fault *fault);

/// Runs one statement and waits for its result; the connection survives a server error.
/// @param[out] out  valid only on true; the caller calls result_clear(); may be NULL
bool conn_exec(struct conn *conn, const struct statement *stmt, struct result *out,
               struct fault *fault);

/// Takes the oldest finished result of a CONN_KEEP statement, without waiting.
/// @return false when there is none
bool conn_take(struct conn *conn, struct result *out);

/// Starts COPY … FROM STDIN; conn_copy_put() and conn_copy_end() follow.
bool conn_copy_begin(struct conn *conn, const char *sql, struct fault *fault);
bool conn_copy_put(struct conn *conn, const char *data, size_t size, struct fault *fault);
/// Ends the COPY; with a `reason` it fails on purpose and nothing is stored.
bool conn_copy_end(struct conn *conn, const char *reason, struct fault *fault);

/// Takes the notices that have come; the caller calls notice_clear().
struct notice *conn_notices(struct conn *conn);
void notice_clear(struct notice *list);

/// Sets who is called while waiting; NULL for nobody. Borrowed.
void conn_watch(struct conn *conn, const struct conn_watch *watch);

/// A patient connection does not answer signals: its owner looks for them between two statements.
void conn_patient(struct conn *conn, bool is_patient);

/// 'I' idle, 'T' in a transaction, 'E' in a failed transaction, '?' no connection.
char conn_transaction(const struct conn *conn);
bool conn_alive(const struct conn *conn);
int conn_pid(const struct conn *conn);            // of the backend
int conn_server_version(const struct conn *conn); // 150020
int conn_library_version(void);                   // libpq's own, 150020
const char *conn_host(const struct conn *conn);
const char *conn_port(const struct conn *conn);
const char *conn_user(const struct conn *conn);
const char *conn_database(const struct conn *conn);
long conn_round_trips(const struct conn *conn); // how often it waited for the server

void result_clear(struct result *result);
int result_rows(const struct result *result);
int result_columns(const struct result *result);
const char *result_name(const struct result *result, int column);
unsigned result_type(const struct result *result, int column); // OID
/// @param[out] size  in bytes; may be NULL
/// @return NULL for SQL NULL; borrowed from the result
const char *result_value(const struct result *result, int row, int column, size_t *size);
const char *result_tag(const struct result *result);      // "UPDATE 3"
const char *result_sqlstate(const struct result *result); // "" unless an isolated statement failed
