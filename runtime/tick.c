#include "tick.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

// Its name is missing in glibc's headers before 2.38.
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static void (*_Atomic to_call)(void);

static void on_tick(int number)
{
    (void)number;
    int saved = errno;
    void (*function)(void) = to_call;
    if (function) {
        function();
    }
    errno = saved;
}

void tick_start(struct tick *tick, int every_ms, void (*function)(void))
{
    struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    to_call = function;
    sigaction(SIGRTMIN, &action, NULL);
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN};
    event.sigev_notify_thread_id = gettid();
    struct timespec each = {.tv_sec = every_ms / 1000, .tv_nsec = every_ms % 1000 * 1000000L};
    struct itimerspec times = {.it_interval = each, .it_value = each};
    tick->is_on = timer_create(CLOCK_MONOTONIC, &event, &tick->timer) == 0;
    if (tick->is_on) {
        timer_settime(tick->timer, 0, &times, NULL);
    }
}

void tick_stop(struct tick *tick)
{
    if (tick->is_on) {
        timer_delete(tick->timer);
        tick->is_on = false;
    }
}
