#include "pool.h"

#include "clock.h"
#include "interrupt.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum slot_state { SLOT_EMPTY, SLOT_RUNNING, SLOT_ENDED };

/// The place of a worker; reused once it has ended.
struct slot {
    struct pool *pool;
    pthread_t thread;
    enum slot_state state; // under the pool's lock
    bool is_leaving;       // one too many
    struct batch_control control;
    struct batch_worker *worker;
};

struct pool {
    const struct batch_job *job;
    const struct pool_hooks *hooks;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    struct slot slots[POOL_WORKERS_AT_MOST];
    int running;
    bool is_stopped, is_held;
    int slow_percent;
    char host[64];
    int64_t rows, batches; // of workers that have ended
    enum batch_end worst;  // of them
    struct fault fault;    // the first
};

struct pool *pool_new(const struct batch_job *job, const struct pool_hooks *hooks)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (!pool) {
        return NULL;
    }
    pool->job = job;
    pool->hooks = hooks;
    pool->slow_percent = 100;
    fault_init(&pool->fault);
    if (gethostname(pool->host, sizeof pool->host - 1) != 0) {
        memcpy(pool->host, "?", 2);
    }
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->ended, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&pool->lock, NULL);
    return pool;
}

static void owner_name(const struct pool *pool, long number, char *out, size_t size)
{
    unsigned nonce = 0;
    if (getrandom(&nonce, sizeof nonce, 0) != sizeof nonce) {
        nonce = (unsigned)clock_now_ms();
    }
    snprintf(out, size, "%s:%d:%ld:%08x", pool->host, (int)getpid(), number, nonce);
}

static enum batch_end work(struct slot *slot, struct fault *fault)
{
    struct pool *pool = slot->pool;
    struct batch_mapper mapper = {0};
    if (pool->hooks && !pool->hooks->open(pool->hooks->data, &mapper, fault)) {
        return BATCH_END_FAILED;
    }
    char owner[128];
    owner_name(pool, slot - pool->slots + 1, owner, sizeof owner);
    struct batch_worker *worker =
        batch_worker_new(pool->job, &slot->control, owner, pool->hooks ? &mapper : NULL);
    enum batch_end end = BATCH_END_FAILED;
    if (worker) {
        pthread_mutex_lock(&pool->lock);
        slot->worker = worker;
        pthread_mutex_unlock(&pool->lock);
        end = batch_worker_run(worker, fault);
    } else {
        fault_set(fault, FAULT_MEMORY, "not enough memory");
    }
    if (pool->hooks) {
        pool->hooks->close(pool->hooks->data, &mapper);
    }
    return end;
}

static void stop_all(struct pool *pool)
{
    pool->is_stopped = true;
    for (int i = 0; i < POOL_WORKERS_AT_MOST; i++) {
        atomic_store(&pool->slots[i].control.stop, true);
    }
}

static void *slot_main(void *data)
{
    struct slot *slot = data;
    struct pool *pool = slot->pool;
    struct fault fault;
    interrupt_leave(); // a signal may stop code of the main thread, within its handler
    fault_init(&fault);
    enum batch_end end = work(slot, &fault);
    pthread_mutex_lock(&pool->lock);
    struct batch_worker *worker = slot->worker;
    slot->worker = NULL;
    if (worker) {
        pool->rows += atomic_load(&batch_worker_status(worker)->rows);
        pool->batches += atomic_load(&batch_worker_status(worker)->batches);
    }
    if (end == BATCH_END_FAILED && pool->fault.kind == FAULT_NONE) {
        fault_move(&pool->fault, &fault);
        stop_all(pool);
    }
    if (end > pool->worst && !(slot->is_leaving && end == BATCH_END_STOPPED)) {
        pool->worst = end;
    }
    slot->state = SLOT_ENDED;
    pool->running--;
    pthread_cond_broadcast(&pool->ended);
    pthread_mutex_unlock(&pool->lock);
    fault_clear(&fault);
    batch_worker_free(worker);
    return NULL;
}

static void slot_reap(struct slot *slot)
{
    if (slot->state == SLOT_ENDED) {
        pthread_join(slot->thread, NULL);
        slot->state = SLOT_EMPTY;
    }
}

// Under the lock: the new thread waits for it before it ends.
static bool slot_start(struct pool *pool, struct fault *fault)
{
    for (int i = 0; i < POOL_WORKERS_AT_MOST; i++) {
        struct slot *slot = &pool->slots[i];
        slot_reap(slot);
        if (slot->state != SLOT_EMPTY) {
            continue;
        }
        slot->pool = pool;
        slot->is_leaving = false;
        atomic_store(&slot->control.stop, pool->is_stopped);
        atomic_store(&slot->control.held, pool->is_held);
        atomic_store(&slot->control.slow_percent, pool->slow_percent);
        atomic_store(&slot->control.vacuum, false);
        int error = pthread_create(&slot->thread, NULL, slot_main, slot);
        if (error != 0) {
            return fault_set(fault, FAULT_MEMORY, "cannot start a worker: %s", strerror(error));
        }
        slot->state = SLOT_RUNNING;
        pool->running++;
        return true;
    }
    return fault_set(fault, FAULT_USAGE, "at most %d workers", POOL_WORKERS_AT_MOST);
}

static int staying(const struct pool *pool)
{
    int count = 0;
    for (int i = 0; i < POOL_WORKERS_AT_MOST; i++) {
        count += pool->slots[i].state == SLOT_RUNNING && !pool->slots[i].is_leaving;
    }
    return count;
}

bool pool_resize(struct pool *pool, int workers, struct fault *fault)
{
    pthread_mutex_lock(&pool->lock);
    int count = staying(pool);
    bool ok = true;
    for (; ok && count < workers && !pool->is_stopped; count++) {
        ok = slot_start(pool, fault);
    }
    for (int i = POOL_WORKERS_AT_MOST - 1; i >= 0 && count > workers; i--) {
        struct slot *slot = &pool->slots[i];
        if (slot->state == SLOT_RUNNING && !slot->is_leaving) {
            slot->is_leaving = true;
            atomic_store(&slot->control.stop, true);
            count--;
        }
    }
    pthread_mutex_unlock(&pool->lock);
    return ok;
}

bool pool_wait(struct pool *pool, int64_t ms)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += ms / 1000;
    end.tv_nsec += (long)(ms % 1000) * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&pool->lock);
    while (pool->running > 0 &&
           pthread_cond_timedwait(&pool->ended, &pool->lock, &end) != ETIMEDOUT) {
    }
    bool runs = pool->running > 0;
    pthread_mutex_unlock(&pool->lock);
    return runs;
}

void pool_hold(struct pool *pool, bool is_held)
{
    pthread_mutex_lock(&pool->lock);
    pool->is_held = is_held;
    for (int i = 0; i < POOL_WORKERS_AT_MOST; i++) {
        atomic_store(&pool->slots[i].control.held, is_held);
    }
    pthread_mutex_unlock(&pool->lock);
}

void pool_slow(struct pool *pool, int percent)
{
    pthread_mutex_lock(&pool->lock);
    pool->slow_percent = percent;
    for (int i = 0; i < POOL_WORKERS_AT_MOST; i++) {
        atomic_store(&pool->slots[i].control.slow_percent, percent);
    }
    pthread_mutex_unlock(&pool->lock);
}

void pool_vacuum(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    for (int i = 0; i < POOL_WORKERS_AT_MOST; i++) {
        if (pool->slots[i].state == SLOT_RUNNING) {
            atomic_store(&pool->slots[i].control.vacuum, true);
            break;
        }
    }
    pthread_mutex_unlock(&pool->lock);
}

void pool_stop(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    stop_all(pool);
    pthread_mutex_unlock(&pool->lock);
}

struct pool_status pool_status(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    struct pool_status out = {
        .workers = pool->running, .rows = pool->rows, .batches = pool->batches};
    for (int i = 0; i < POOL_WORKERS_AT_MOST; i++) {
        if (!pool->slots[i].worker) {
            continue;
        }
        const struct batch_status *status = batch_worker_status(pool->slots[i].worker);
        int64_t ms = atomic_load(&status->batch_ms);
        out.rows += atomic_load(&status->rows);
        out.batches += atomic_load(&status->batches);
        out.batch_ms = ms > out.batch_ms ? ms : out.batch_ms;
        out.connecting += atomic_load(&status->trouble) == BATCH_TROUBLE_CONNECTION;
        out.retrying += atomic_load(&status->trouble) == BATCH_TROUBLE_RETRY;
    }
    pthread_mutex_unlock(&pool->lock);
    return out;
}

enum batch_end pool_end(struct pool *pool, struct fault *fault)
{
    pthread_mutex_lock(&pool->lock);
    enum batch_end end = pool->worst;
    if (pool->fault.kind != FAULT_NONE) {
        end = BATCH_END_FAILED;
        fault_move(fault, &pool->fault);
    }
    pthread_mutex_unlock(&pool->lock);
    return end;
}

void pool_free(struct pool *pool)
{
    if (!pool) {
        return;
    }
    pool_stop(pool);
    while (pool_wait(pool, 1000)) {
    }
    for (int i = 0; i < POOL_WORKERS_AT_MOST; i++) {
        slot_reap(&pool->slots[i]);
    }
    fault_clear(&pool->fault);
    pthread_cond_destroy(&pool->ended);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}
