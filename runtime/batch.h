#pragma once
// One worker of a batched migration: it takes a range of keys, walks through it batch by batch,
// each batch a transaction that also moves the cursor, and goes on until no range is open. It
// adapts the size of its batches, finds bad rows by halving, connects again when the connection is
// lost, and gives a range up as soon as its token is no longer the one in the table. Knows nothing
// of Lua, and not what a row means: the SQL of a batch comes as text.
#include "batch_sql.h"
#include "conn.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/// What all workers of one process share and none changes; everything is borrowed. In the SQL, the
/// byte \1 stands for the table of the range and \2 for the operator of its lower bound. Keys are
/// text[] in PostgreSQL's own form, and never looked into.
struct batch_job {
    struct conn_options conn;
    const struct batch_sql *sql;
    const char *backfill; // its id
    const char *code;     // a range is taken only while the backfill still has this code
    const char *work;     // $1 lower $2 upper; NULL when a map function does the work
    const char *read;     // the rows for it, likewise: the keys' columns come first
    const char *probe;    // $1 lower $2 end $3 rows -> upper (NULL: the end), rows up to it, and
                          // for integer keys how far it is
    const char *stride;   // the same for a distance: nothing is read, rows are NULL. For unique
                          // integers all of whose rows are worked on; else NULL
    const char *middle;   // $1 lower $2 end -> a key between them; NULL: found by the probe
    const char *vacuum;   // the table, between two batches; NULL: never
    const char *after, *from; // the two operators that \2 stands for
    bool counts_updates;      // the server counts what the work changed; else its tag does
    bool is_compared;         // rows for a map function are compared when written, not locked
    bool waits_while_paused;  // else a worker leaves then
    const char *search_path;  // NULL: the session's own
    const char *role;         // NULL: the session's own
    const char *synchronous_commit;
};

/// What the supervisor of one process tells its workers; they look between two batches.
struct batch_control {
    atomic_bool stop;        // finish the batch and leave
    atomic_bool held;        // give the range back and wait
    atomic_int slow_percent; // 100: full speed; 300: pause twice as long as a batch took
    atomic_bool vacuum;      // one worker shall vacuum the table now
};

enum batch_trouble { BATCH_TROUBLE_NONE, BATCH_TROUBLE_CONNECTION, BATCH_TROUBLE_RETRY };

/// What a worker shows of itself.
struct batch_status {
    atomic_llong rows, batches;
    atomic_llong batch_rows, batch_ms; // of the last batch
    atomic_int trouble;                // enum batch_trouble: what it is busy with instead
};

/// One statement that writes rows back. Its parameters are followed by the lower and upper key.
struct batch_write {
    const char *sql; // with \1 and \2
    const char *const *params;
    int param_count;
    int64_t row_count; // it is to write
};

/// What a map function made of the rows it got. Everything is borrowed until the next call.
struct batch_output {
    const struct batch_write *writes;
    int write_count;
    const char *upper; // the last key dealt with
    int row_count;     // rows dealt with; fewer than asked for when their values are large …
    bool is_late;      // … or the time was over
    int64_t rejected;  // of them put aside
    const char *keys, *sqlstates, *messages; // text[] each, of the rows put aside
    const char *first;                       // why the first of them
    const char *first_key;                   // and which
    enum fault_kind first_kind;              // FAULT_SCRIPT: its function failed
};

struct batch_limits {
    int first, count; // rows to map
    int64_t end_ms;   // on the clock: then the rest of the rows is left for the next batch
    int64_t row_ms;   // no row may take longer
    bool is_compared; // the statements pass over rows that are not what was read any more
};

/// The map function of one worker.
struct batch_mapper {
    bool (*map)(void *data, const struct result *rows, const struct batch_limits *limits,
                struct batch_output *out, struct fault *fault);
    void *data;
};

/// How a worker ended.
enum batch_end {
    BATCH_END_DONE,    // no range is open any more
    BATCH_END_STOPPED, // it was told to, or a signal came
    BATCH_END_PAUSED,  // an operator paused the backfill
    BATCH_END_CLOSED,  // cancelled, or failed elsewhere
    BATCH_END_CHANGED, // the code is another one now
    BATCH_END_FAILED,  // see the fault
};

struct batch_worker;

/// @param owner   names the worker in the tables: no other worker anywhere may have the same
/// @param mapper  NULL when the job has no map function; borrowed
/// @return NULL without memory; the caller calls batch_worker_free()
struct batch_worker *batch_worker_new(const struct batch_job *job, struct batch_control *control,
                                      const char *owner, const struct batch_mapper *mapper);
void batch_worker_free(struct batch_worker *worker);
const struct batch_status *batch_worker_status(const struct batch_worker *worker);

/// Works until there is nothing to do, or it is told to stop. The range it has then is given back.
/// @param[out] fault  filled only with BATCH_END_FAILED
enum batch_end batch_worker_run(struct batch_worker *worker, struct fault *fault);
