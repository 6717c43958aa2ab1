#pragma once
// Transactions: begin with their settings, commit that is believed only by its tag, savepoints, the
// delay before another try after a lock timeout, and who held us up meanwhile.
#include "conn.h"

struct txn_settings {
    const char *lock_timeout;      // as PostgreSQL takes it: "5s"; "0" for none
    const char *statement_timeout; // likewise
    const char *search_path;       // the user's
    const char *role;              // "none": the session's own
    bool is_prepared;              // sent by a prepared statement: not behind a pooler
};

/// Queues BEGIN and its settings: no round trip.
/// @param[out] seq  number of the second of these two statements; may be NULL
bool txn_begin(struct conn *conn, const struct txn_settings *settings, long *seq,
               struct fault *fault);

/// Queues COMMIT; conn_take() shows its result, and a tag other than COMMIT is a failure.
/// @param[out] seq  number of the COMMIT
bool txn_commit(struct conn *conn, long *seq, struct fault *fault);

/// Rolls back and waits. A lost connection has rolled back by itself, and is no failure here.
bool txn_rollback(struct conn *conn, struct fault *fault);

/// Sets the settings for statements outside a transaction; txn_outside_end() restores luamig's own.
/// @param role  of luamig's own statements, or "none"
bool txn_outside_begin(struct conn *conn, const struct txn_settings *settings, struct fault *fault);
bool txn_outside_end(struct conn *conn, const char *role, struct fault *fault);

/// How long to wait before try number `attempt` (from 1): full jitter, so that runners that met do
/// not meet again; doubles up to 10 s.
int64_t txn_retry_delay_ms(int attempt);

/// Watches a connection while it waits: a second connection asks the server who blocks it. That is
/// the only moment to ask: once the lock timeout has struck, pg_blocking_pids() is empty.
struct txn_watch;
/// @param after_ms  how long a wait must last before it is looked at: well below lock_timeout
struct txn_watch *txn_watch_new(struct conn *conn, int after_ms);
void txn_watch_free(struct txn_watch *watch);
/// The last blockers seen, a result the watch owns; NULL when none was seen since the last call of
/// txn_watch_reset().
const struct result *txn_watch_blockers(const struct txn_watch *watch);
void txn_watch_reset(struct txn_watch *watch);
