#pragma once
// The workers of one process: threads, each with a connection of its own. They come and go while
// the run lasts; the first failure ends them all. What a worker does is batch.c's; the machines and
// processes meet in the tables only.
#include "batch.h"

struct pool;

/// Makes the map function of a worker, in the worker's own thread.
struct pool_hooks {
    bool (*open)(void *data, struct batch_mapper *out, struct fault *fault);
    void (*close)(void *data, struct batch_mapper *mapper);
    void *data;
};

struct pool_status {
    int workers;      // that run now
    int connecting;   // of them without a connection
    int retrying;     // of them with a batch that failed for a passing reason
    int64_t rows;     // done in this process
    int64_t batches;  // likewise
    int64_t batch_ms; // the slowest of the last batches
};

enum { POOL_WORKERS_AT_MOST = 256 };

/// @param job    borrowed, with all its texts, until pool_free()
/// @param hooks  NULL when the job has no map function; borrowed
/// @return NULL without memory
struct pool *pool_new(const struct batch_job *job, const struct pool_hooks *hooks);

/// Starts workers, or lets the surplus leave after their batch, until there are so many.
bool pool_resize(struct pool *pool, int workers, struct fault *fault);

/// Waits until all workers have ended or the time is over.
/// @return true while a worker runs
bool pool_wait(struct pool *pool, int64_t ms);

void pool_hold(struct pool *pool, bool is_held); // give ranges back and wait
void pool_slow(struct pool *pool, int percent);  // see batch_control
void pool_vacuum(struct pool *pool);             // one worker vacuums
void pool_stop(struct pool *pool);               // finish the batch and leave
struct pool_status pool_status(struct pool *pool);

/// How the run ended, after pool_wait() said so: the worst of the workers' ends.
/// @param[out] fault  filled with BATCH_END_FAILED: the first failure
enum batch_end pool_end(struct pool *pool, struct fault *fault);

/// Stops and waits for the workers; NULL is fine.
void pool_free(struct pool *pool);
