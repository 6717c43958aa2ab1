#pragma once
// Shared by batch*.c: the worker, and the steps that its loop is made of.
#include "batch.h"

enum { ROWS_UNKNOWN = -1 };

/// The part of the keys that the worker has now. Texts are owned.
struct batch_range {
    char *id; // NULL: none
    char *token;
    char *relation, *relid;
    char *lower, *end;
    bool inclusive; // lower itself belongs to it
    bool is_retry;  // of a row that was put aside
    char *upper;    // where the next batch ends, found beforehand; NULL: not known
    int64_t rows;   // up to there; ROWS_UNKNOWN when it was not looked at
    double width;   // of integer keys: how far it is; 0: not known
    bool is_last;   // upper is the end
    bool is_done;
};

struct batch_tuning {
    int64_t batch_rows, target_ms, pause_ms, lease_ms, error_budget;
};

/// Which statement is which, in the batch being sent; 0: not sent.
struct batch_sent {
    long work, checkpoint, probe;
};

struct txn_watch;

struct batch_worker {
    const struct batch_job *job;
    struct batch_control *control;
    const struct batch_mapper *mapper;
    struct batch_status status;
    char *owner;
    struct conn *conn; // NULL: not connected
    bool was_connected;
    struct batch_range range;
    struct batch_tuning tuning;
    bool wants_split;          // somebody asked for a part of the range
    enum batch_end closed;     // what the last checkpoint said of the backfill: DONE when it runs
    int64_t pause_ms;          // before the next batch
    int64_t size;              // rows of the next batch
    double ms_per_row;         // moving average
    double density;            // rows for each integer of the last batch; 0: not known
    int64_t suspect;           // rows among which a bad one must be; 0: none
    int64_t size_before;       // the size before the search for it
    int tries;                 // of the same batch that failed for a passing reason
    struct txn_watch *watch;   // who blocks us, once a batch has failed for a lock
    bool compares;             // this batch: rows are compared when written, not locked when read
    int64_t to_write;          // rows of this batch that the map function changed
    bool has_conflict;         // some of them were not what had been read any more
    int conflicts;             // batches in a row with one
    int64_t changed;           // by the last batch (its tag comes too late for its checkpoint) …
    char *changed_in;          // … of this range; owned
    int64_t looked_ms;         // when it last looked for sessions that wait
    int64_t idle_since_ms;     // when it found no range to take; 0: it has one
    int64_t asked_ms;          // when it last asked for a part of another's range
    int64_t rows, ms, waiters; // of the last batch
    bool has_rejected;         // rows of the batch at hand were put aside
    char *rejected;     // owned: why the first row that was put aside by it could not be done
    char *rejected_key; // owned: and which it is
    enum fault_kind rejected_kind;
    struct batch_sent sent;
};

// batch_send.c

/// Queues BEGIN and the settings of a transaction of ours.
bool batch_begin(struct batch_worker *worker, struct fault *fault);
/// Queues COMMIT and waits.
bool batch_commit(struct batch_worker *worker, struct fault *fault);
/// Queues one of luamig's own statements.
bool batch_send(struct batch_worker *worker, enum batch_sql_text which, const char *const *params,
                int count, unsigned flags, long *seq, struct fault *fault);
/// Queues a text of the job, for the table of the range.
bool batch_text_send(struct batch_worker *worker, const char *text, const char *const *params,
                     int count, unsigned flags, long *seq, struct fault *fault);
/// Runs one of luamig's own statements in a transaction of its own.
bool batch_exec(struct batch_worker *worker, enum batch_sql_text which, const char *const *params,
                int count, struct fault *fault);

/// A number as a parameter: the text lives in `number`.
struct batch_number {
    char text[24];
};
const char *batch_number(struct batch_number *number, int64_t value);
/// Replaces an owned text by a copy; false without memory.
bool batch_text_replace(char **text, const char *value);

// batch_step.c

/// Finds where the next batch ends.
bool batch_probe(struct batch_worker *worker, struct fault *fault);
/// One batch. On false nothing of it happened, or the connection was lost and nobody knows.
bool batch_step(struct batch_worker *worker, struct fault *fault);

/// Where a batch ends and what is known of it before it is committed.
struct batch_ending {
    const char *cursor;
    bool is_last;
    bool is_cut;  // it ends before the key that was looked up for it
    int64_t rows; // ROWS_UNKNOWN: as many as the work says
};

/// Queues the rows that are put aside; when they are too many the transaction fails.
bool batch_errors_send(struct batch_worker *worker, const struct batch_output *output,
                       struct fault *fault);
/// Queues checkpoint, the probe for the next batch and COMMIT, and waits.
bool batch_ending_commit(struct batch_worker *worker, const struct batch_ending *ending,
                         struct fault *fault);
/// The last number of "UPDATE 3", "INSERT 0 3", "SELECT 3".
int64_t batch_tag_count(const struct result *result);
/// Puts the rows between lower and upper aside instead of working on them.
bool batch_reject(struct batch_worker *worker, const struct batch_output *output,
                  struct fault *fault);

// batch_map.c

bool batch_map_step(struct batch_worker *worker, struct fault *fault);

// batch_claim.c

/// What the state of a backfill means for a worker; DONE: nothing, it goes on.
enum batch_end batch_closed(const char *desired_state, const char *outcome);

enum batch_claim { CLAIM_TAKEN, CLAIM_WAIT, CLAIM_NONE, CLAIM_CLOSED };
bool batch_claim(struct batch_worker *worker, enum batch_claim *out, struct fault *fault);
/// Gives the range back, for others or for later. No fault: the lease ends by itself too.
void batch_release(struct batch_worker *worker, const char *error);
void batch_range_clear(struct batch_range *range);
/// Gives a part of the range to whoever asked, or says no.
bool batch_split(struct batch_worker *worker, struct fault *fault);

// batch_fail.c

/// What a batch that failed calls for. True: go on (the range may be gone); false: the worker ends
/// with the fault.
bool batch_recover(struct batch_worker *worker, struct fault *fault);
/// Connects; tries for five minutes once it had been connected.
bool batch_connect(struct batch_worker *worker, struct fault *fault);

/// Ends the watch over what blocks the worker.
void batch_watch_end(struct batch_worker *worker);

// batch.c

/// Sleeps unless the worker is told to stop. False: it was.
bool batch_sleep(const struct batch_worker *worker, int64_t ms);
bool batch_told_to_stop(const struct batch_worker *worker);
