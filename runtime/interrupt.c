#include "interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

// Read by any thread. Atomics without a lock may be written in a handler.
static atomic_uint signal_count;
static atomic_int signal_last;
static int wake_pipe[2] = {-1, -1};
static void (*_Atomic to_call)(void);

static void on_signal(int number)
{
    static const char hard[] =
        "\nluamig: stopped at once; the server rolls back what was not committed\n";
    int saved = errno;
    signal_last = number;
    if (atomic_fetch_add(&signal_count, 1) > 0) {
        ssize_t ignored = write(STDERR_FILENO, hard, sizeof hard - 1);
        (void)ignored;
        _exit(128 + number);
    }
    ssize_t ignored = write(wake_pipe[1], "", 1);
    (void)ignored;
    void (*function)(void) = to_call;
    if (function) {
        function();
    }
    errno = saved;
}

void interrupt_install(void)
{
    if (wake_pipe[0] >= 0 || pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) != 0) {
        return;
    }
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    // A reader that goes away (luamig history | head) shows as EPIPE on the write.
    signal(SIGPIPE, SIG_IGN);
}

unsigned interrupt_count(void)
{
    return signal_count;
}

int interrupt_signal(void)
{
    return signal_last;
}

int interrupt_fd(void)
{
    return wake_pipe[0];
}

void interrupt_leave(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

void interrupt_call(void (*function)(void))
{
    to_call = function;
}
