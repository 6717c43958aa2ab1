#include "clock.h"

#include "interrupt.h"

#include <errno.h>
#include <poll.h>
#include <sys/random.h>
#include <time.h>

int64_t clock_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool clock_sleep_ms(int64_t duration_ms)
{
    int64_t end = clock_now_ms() + duration_ms;
    struct pollfd wake = {.fd = interrupt_fd(), .events = POLLIN};
    unsigned seen = interrupt_count();
    for (int64_t left = duration_ms; left > 0; left = end - clock_now_ms()) {
        if (interrupt_count() != seen) {
            return false;
        }
        // A pipe that an earlier signal made readable would make this a busy loop.
        int count = seen == 0 && wake.fd >= 0 ? 1 : 0;
        int64_t slice = count || left < 100 ? left : 100;
        poll(&wake, (nfds_t)count, slice > 60000 ? 60000 : (int)slice);
    }
    return true;
}

int64_t clock_jitter_ms(int64_t limit_ms)
{
    uint64_t random = 0;
    if (limit_ms <= 0 || getrandom(&random, sizeof random, 0) != sizeof random) {
        return 0;
    }
    return (int64_t)(random % ((uint64_t)limit_ms + 1));
}
