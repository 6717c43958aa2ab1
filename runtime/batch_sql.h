#pragma once
// What luamig keeps of batched migrations: one row a backfill, one a range of keys, one a row that
// was put aside, one an event. This unit owns their SQL. Every name is qualified and every operator
// is pg_catalog's: the text means the same under any search_path. Clocks are the server's.
#include "fault.h"

enum batch_sql_text {
    BATCH_PRESENT,          // are the tables there?
    BATCH_CREATE_LOCK,      // two that create at once wait for each other
    BATCH_CREATE_SCHEMA,    //
    BATCH_CREATE_BACKFILL,  //
    BATCH_CREATE_RANGE,     //
    BATCH_CREATE_RANGE_KEY, //
    BATCH_CREATE_ERROR,     //
    BATCH_CREATE_EVENT,     //

    // A worker's own; the comments name the parameters.
    BATCH_CLAIM,       // $1 backfill $2 owner $3 token $4 code: takes a range, when there is one
    BATCH_CHECKPOINT,  // $1 range $2 token $3 cursor $4 done? $5 rows $6 changed $7 table $8 look?
    BATCH_COUNT,       // $1 range $2 changed: of its last batch, when its tag counts
    BATCH_RELEASE,     // $1 range $2 token $3 error: others may have it
    BATCH_FAIL_RANGE,  // $1 range $2 token $3 error
    BATCH_FAIL,        // $1 backfill $2 why: nobody goes on
    BATCH_ASK,         // $1 backfill $2 owner: asks the owner of the longest range for a part of it
    BATCH_SPLIT,       // $1 range $2 token $3 where $4 its end: gives the part behind away
    BATCH_REFUSE,      // $1 range $2 token: it is too short for that
    BATCH_ERROR_LOCK,  // $1 backfill: one at a time counts errors
    BATCH_ERROR_ADD,   // $1 range $2 keys $3 sqlstates $4 messages
    BATCH_ERROR_COUNT, // $1 backfill: raises when there are more than the budget
    BATCH_RESOLVE,     // $1 range: what was put aside has been done
    BATCH_FINISH,      // $1 backfill: done, or failed, once no range is open

    BATCH_SESSION_ROLE, // $1 the backend's pid as libpq knows it $2 role: not behind a pooler

    // What commands and revisions ask.
    BATCH_REGISTER,   // $1… see the text
    BATCH_FORGET,     // $1 backfill
    BATCH_FIND,       // $1 name
    BATCH_LOCK,       // $1 backfill: while its ranges are made
    BATCH_RANGE_ADD,  // $1 backfill $2 pass $3 relation $4 table $5 lows $6 highs $7 first?
                      // $8 rows of each
    BATCH_PLANNED,    // $1 backfill $2 pass $3 rows $4 plan
    BATCH_PROGRESS,   // $1 backfill, or NULL for all
    BATCH_WORKERS,    // $1 backfill: who works, and where
    BATCH_DESIRE,     // $1 backfill $2 run, paused or cancelled
    BATCH_TUNE,       // $1 backfill $2… see the text
    BATCH_HOLD,       // $1 backfill $2 reason or NULL
    BATCH_EVENT_ADD,  // $1 backfill $2 what $3 detail
    BATCH_EVENTS,     // $1 backfill $2 at most so many
    BATCH_ERRORS,     // $1 backfill $2 at most so many
    BATCH_RETRY,      // $1 backfill $2 any code?: failed ranges are open again
    BATCH_ADOPT,      // $1 backfill $2 code $3 spec $4 file $5 script $6 context
    BATCH_RETRY_KEYS, // $1 backfill: and so are the rows put aside
    BATCH_REMAINING,  // $1 backfill $2 count
    BATCH_FINALIZE,   // $1 backfill
    BATCH_VACUUM,     // $1 backfill $2 rows at the last one $3 rows now: is it for us to do?
    BATCH_SQL_COUNT,
};

struct batch_sql {
    char *text[BATCH_SQL_COUNT];
};

/// Builds the SQL for the tables beside one version table: the schema "luamig" has backfill,
/// backfill_range, backfill_error and backfill_event; elsewhere they go under the version table's
/// name (alembic_version_backfill).
/// @param[out] sql  valid only on true; the caller calls batch_sql_clear()
bool batch_sql_init(struct batch_sql *sql, const char *schema, const char *table,
                    struct fault *fault);
void batch_sql_clear(struct batch_sql *sql);

/// The name of a text, as lib_batch takes it: "claim", "checkpoint", …
const char *batch_sql_name(enum batch_sql_text which);
