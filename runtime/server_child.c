// The processes that a supervisor starts: initdb and PostgreSQL. They die with it.
#include "server_private.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CANNOT_RUN = 127, QUIT_MS = 2000, GIVE_UP_MS = 8000 };

static void children_reap(struct supervisor *s)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == s->child) {
            s->child_ended = true;
            s->child_status = status;
        }
    }
    s->childless = pid < 0 && errno == ECHILD;
}

void server_wait(struct supervisor *s, int timeout_ms)
{
    struct pollfd fds[2] = {
        {.fd = s->signals, .events = POLLIN},
        {.fd = s->lifeline, .events = POLLIN},
    };
    struct signalfd_siginfo info;
    poll(fds, 2, timeout_ms);
    if (fds[1].revents) { // nothing is ever written to it: luamig has ended, or let go
        close(s->lifeline);
        s->lifeline = -1;
        s->stopping = true;
    }
    while (fds[0].revents && read(s->signals, &info, sizeof info) == sizeof info) {
        s->stopping = s->stopping || info.ssi_signo != SIGCHLD;
    }
    children_reap(s);
}

// PostgreSQL gets an environment of its own: PG* variables and locales of the user must not reach
// it, an LC_ALL that names a missing locale makes initdb fail.
static char **environment_make(void)
{
    static const char *const passed[] = {"PATH", "LD_LIBRARY_PATH", "LD_PRELOAD",
                                         "NSS_WRAPPER_PASSWD", "NSS_WRAPPER_GROUP"};
    enum { PASSED = sizeof passed / sizeof *passed, FIXED = 2 };
    char **environment = calloc(PASSED + FIXED + 1, sizeof *environment);
    size_t count = 0;
    for (size_t i = 0; environment && i < PASSED; i++) {
        const char *value = getenv(passed[i]);
        if (value) {
            environment[count++] = server_path("%s=%s", passed[i], value);
        }
    }
    if (environment) {
        environment[count++] = strdup("LC_ALL=C");
        environment[count++] = strdup("TZ=UTC");
    }
    return environment;
}

static void map_write(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t ignored = write(fd, text, strlen(text));
        (void)ignored;
        close(fd);
    }
}

// initdb refuses a user without a name (a container with a made-up uid): where the kernel lets us,
// it takes that of nobody in a user namespace of its own.
static void name_borrow(void)
{
    char map[64];
    const struct passwd *nobody = getpwuid(geteuid()) ? NULL : getpwnam("nobody");
    uid_t uid = geteuid();
    if (!nobody) {
        return;
    }
    snprintf(map, sizeof map, "%u %u 1", (unsigned)nobody->pw_uid, (unsigned)uid);
    if (unshare(CLONE_NEWUSER) == 0) {
        map_write("/proc/self/uid_map", map);
    }
}

static void keep_open(int fd)
{
    if (fd >= 0) {
        fcntl(fd, F_SETFD, 0);
    }
}

_Noreturn static void child_run(const struct supervisor *s, char *const argv[],
                                char *const environment[], int death_signal, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    setpgid(0, 0);
    name_borrow();
    prctl(PR_SET_PDEATHSIG, death_signal); // last: a change of credentials clears it
    if (getppid() != parent) {
        _exit(CANNOT_RUN);
    }
    int log = open(s->log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (log < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0) {
        _exit(CANNOT_RUN);
    }
    // The locks are free when the last process of the server has gone, whoever was killed.
    keep_open(s->run_lock);
    keep_open(s->home_lock);
    keep_open(s->home_fd);
    signal(SIGINT, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(argv[0], argv, environment);
    dprintf(STDERR_FILENO, "cannot run %s: %s\n", argv[0], strerror(errno));
    _exit(CANNOT_RUN);
}

bool server_child_start(struct supervisor *s, char *const argv[], int death_signal,
                        struct fault *fault)
{
    char **environment = environment_make();
    pid_t parent = getpid();
    s->child_ended = false;
    s->childless = false;
    s->child = environment ? fork() : -1;
    if (s->child == 0) {
        child_run(s, argv, environment, death_signal, parent);
    }
    for (char **each = environment; each && *each; each++) {
        free(*each);
    }
    free(environment);
    return s->child > 0 ||
           fault_set(fault, FAULT_CONNECTION, "cannot start %s: %s", argv[0], strerror(errno));
}

bool server_child_await(struct supervisor *s, int64_t timeout_ms)
{
    int64_t end = clock_now_ms() + timeout_ms;
    for (int64_t left = timeout_ms; !s->child_ended && left > 0; left = end - clock_now_ms()) {
        server_wait(s, left > 1000 ? 1000 : (int)left);
    }
    return s->child_ended;
}

// Backends whose postmaster was killed have become ours: a supervisor is a subreaper.
static void children_signal(int number)
{
    char path[64], pids[4096];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    if (!server_file_read(path, 0, pids, sizeof pids)) {
        return;
    }
    char *rest = pids;
    for (const char *pid; (pid = strsep(&rest, " "));) {
        if (atoi(pid) > 0) {
            kill(atoi(pid), number);
        }
    }
}

void server_children_end(struct supervisor *s)
{
    int64_t start = clock_now_ms();
    bool killed = false;
    children_reap(s);
    for (int64_t gone = 0; !s->childless && gone < GIVE_UP_MS; gone = clock_now_ms() - start) {
        if (gone >= QUIT_MS || !killed) {
            children_signal(gone >= QUIT_MS ? SIGKILL : SIGQUIT);
            killed = true;
        }
        server_wait(s, 100);
    }
}
