#pragma once
// What luamig keeps in the database: the version rows, the history, the journal of unfinished
// revisions, and the lock that lets one runner at a time work on them. This unit owns their SQL;
// who runs it (online, or prints it offline) is the caller's matter. Every name is qualified and
// every operator is pg_catalog's: the text means the same under any search_path.
#include "fault.h"

enum version_sql {
    VERSION_SESSION,          // $1 the backend's pid as libpq knows it, $2 role or "none"
    VERSION_CREATE_SCHEMA,    //
    VERSION_CREATE_VERSION,   //
    VERSION_CREATE_HISTORY,   //
    VERSION_CREATE_JOURNAL,   //
    VERSION_ROWS,             // version_num in order
    VERSION_APPLIED,          // the last history row of each revision
    VERSION_LOG,              // every history row; $1 at most so many, newest first
    VERSION_SCRIPT,           // $1 revision: stored text of its last upgrade
    VERSION_MOVE,             // $1 rows to remove, $2 rows to add (text[]): compare-and-set
    VERSION_PURGE,            // removes every row
    VERSION_RECORD,           // $1..$7: adds a history row; returns ms
    VERSION_FINISH,           // both at once, $8 the row that $9 takes the place of; no journal
    VERSION_HAPPENED,         // $1 run $2 revision $3 direction: was this step committed?
    VERSION_JOURNAL_READ,     // $1 revision $2 direction
    VERSION_JOURNAL_OPEN,     // every unfinished revision
    VERSION_JOURNAL_START,    // $1..$5: a segment that runs outside a transaction begins; when?
    VERSION_JOURNAL_WITHDRAW, // $1 revision $2 direction $3 segment: it was begun and not done
    VERSION_JOURNAL_WRITE,    // $1..$7: a segment is committed
    VERSION_JOURNAL_CLEAR,    // $1 revision $2 direction
    VERSION_JOURNAL_CLEAR_ALL,
    VERSION_LOCK,        // $1 the backend's pid as libpq knows it: pg_try_advisory_lock
    VERSION_LOCK_HOLDER, // who has it
    VERSION_SQL_COUNT,
};

struct version {
    char *sql[VERSION_SQL_COUNT];
    char *table; // "schema"."version", quoted
};

/// Builds the SQL for one version table. The schema "luamig" has tables history and journal; any
/// other place has them under the version table's name (alembic_version_history), so that nothing
/// of the application is met.
/// @param[out] version  valid only on true; the caller calls version_clear()
bool version_init(struct version *version, const char *schema, const char *table,
                  struct fault *fault);
void version_clear(struct version *version);

/// The name of a text, as lib_version takes it: "session", "create_schema", …
const char *version_sql_name(enum version_sql which);
