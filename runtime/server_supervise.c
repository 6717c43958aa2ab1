// The supervisor: the process between luamig and PostgreSQL, in a session of its own so that Ctrl-C
// does not reach it. It ends with luamig (the pipe of a throwaway server), when its server is idle
// (that of a project) or when it is told to (SIGTERM), and cleans up whoever was killed meanwhile.
#include "server_private.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LIFELINE = 3, // as server.c passes them
    REPORT = 4,
    ARGUMENTS = 10,
};

// Outcome: texts, each with its NUL; the first says which.
static void report_texts(struct supervisor *s, const char *const texts[])
{
    for (; *texts && s->report >= 0; texts++) {
        ssize_t ignored = write(s->report, *texts, strlen(*texts) + 1);
        (void)ignored; // luamig may be gone
    }
    if (s->report >= 0) {
        close(s->report);
    }
    s->report = -1;
}

void server_report_ready(struct supervisor *s, int pid, const char *socket)
{
    char number[16];
    snprintf(number, sizeof number, "%d", pid);
    report_texts(s,
                 (const char *const[]){"ready", number, socket, s->created ? "created" : "", NULL});
}

static void report_fault(struct supervisor *s, const struct fault *fault)
{
    char kind[16];
    snprintf(kind, sizeof kind, "%d", (int)fault->kind);
    report_texts(s, (const char *const[]){"failed", kind, fault->message ? fault->message : "",
                                          fault->detail ? fault->detail : "",
                                          fault->hint ? fault->hint : "",
                                          fault->attempt ? fault->attempt : "", NULL});
}

// How roles other than postgres log in.
static bool auth_write(struct supervisor *s, struct fault *fault)
{
    if (!s->auth) {
        return true;
    }
    char *path = server_path("%s/pg_hba.conf", s->data);
    char *text = server_path("local all postgres trust\nlocal all all %s\n", s->auth);
    bool ok = path && text && server_file_write(path, text);
    free(path);
    free(text);
    return ok || fault_set(fault, FAULT_CONNECTION, "cannot write pg_hba.conf");
}

static bool throwaway_try(struct supervisor *s, bool distrust, struct fault *fault)
{
    server_tree_remove(AT_FDCWD, s->data);
    return server_data_make(s, distrust, fault) && !server_is_too_old(s, fault) &&
           auth_write(s, fault) && server_postgres_start(s, fault);
}

static bool throwaway_start(struct supervisor *s, struct fault *fault)
{
    if (!server_run_make(s, fault)) {
        return false;
    }
    s->data = server_path("%s/data", s->run);
    s->log = server_path("%s/log", s->run);
    if (!s->data || !s->log) {
        return fault_set(fault, FAULT_MEMORY, "not enough memory");
    }
    // A cleaner of temporary files may have been at the cached template: then it is made anew.
    return throwaway_try(s, false, fault) ||
           (!s->stopping && s->child > 0 && s->child_ended && s->child_status != 0 &&
            throwaway_try(s, true, fault));
}

static void serve(struct supervisor *s)
{
    int64_t last_use_ms = clock_now_ms();
    int tick_ms = s->idle_ms < 0 || s->idle_ms > 50000 ? 10000 : (int)(s->idle_ms / 5) + 1;
    while (!s->stopping && !s->child_ended) {
        server_wait(s, s->mode == SERVER_PROJECT ? tick_ms : -1);
        if (s->mode == SERVER_PROJECT && !s->stopping && server_is_idle(s, &last_use_ms)) {
            s->stopping = true;
        }
    }
}

static void clean_up(struct supervisor *s)
{
    server_postgres_end(s);
    if (s->run[0]) {
        server_tree_remove(AT_FDCWD, s->run);
    }
}

// A killed supervisor cannot clean up after itself: luamig sends another one.
static void prune(struct supervisor *s)
{
    int64_t end = clock_now_ms() + SERVER_LOCK_MS;
    while (s->home[0] && !server_run_remove(s->home) && clock_now_ms() < end) {
        server_wait(s, 10);
    }
    server_run_prune();
}

static bool run(struct supervisor *s, struct fault *fault)
{
    bool usable = false;
    if (s->mode == SERVER_PRUNE) {
        prune(s);
        return true;
    }
    bool ok = s->mode == SERVER_PROJECT ? server_project_start(s, &usable, fault)
                                        : throwaway_start(s, fault);
    if (usable) {
        return true;
    }
    if (ok) {
        server_report_ready(s, s->child, s->run);
        serve(s);
    }
    clean_up(s);
    return ok;
}

static bool arguments_read(struct supervisor *s, int argc, char **argv)
{
    static char *none[] = {NULL};
    static const char *const modes[] = {"throwaway", "project", "prune"};
    if (argc < ARGUMENTS) {
        return false;
    }
    for (s->mode = SERVER_THROWAWAY; strcmp(argv[2], modes[s->mode]) != 0; s->mode++) {
        if (s->mode == SERVER_PRUNE) {
            return false;
        }
    }
    s->lifeline = s->mode == SERVER_THROWAWAY ? LIFELINE : -1;
    s->user = (struct server_user){.uid = (uid_t)strtoul(argv[3], NULL, 10),
                                   .gid = (gid_t)strtoul(argv[4], NULL, 10)};
    snprintf(s->user.name, sizeof s->user.name, "%s", argv[5]);
    s->home = argv[6];
    s->bindir = argv[7];
    s->idle_ms = strtoll(argv[8], NULL, 10);
    s->auth = argv[9][0] ? argv[9] : NULL;
    s->settings = argc > ARGUMENTS ? argv + ARGUMENTS : none;
    return true;
}

static bool signals_prepare(struct supervisor *s)
{
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGQUIT);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    s->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    return s->signals >= 0;
}

// What only root can do for the user that it steps down to: a folder for the cache, and the way
// into the project's folder.
static void root_prepare(struct supervisor *s)
{
    char *cache = server_path("/var/cache/luamig/%u", (unsigned)s->user.uid);
    if (mkdir("/var/cache/luamig", 0755) == 0) {
        chmod("/var/cache/luamig", 0755); // whatever the umask
    }
    if (cache && mkdir(cache, 0700) == 0 && chown(cache, s->user.uid, s->user.gid) != 0) {
        rmdir(cache);
    }
    free(cache);
    if (s->home_fd >= 0 && fchown(s->home_fd, s->user.uid, s->user.gid) != 0) {
        errno = 0; // base_find() tells what follows from it
    }
}

static bool prepare(struct supervisor *s, struct fault *fault)
{
    umask(077);
    fcntl(LIFELINE, F_SETFD, FD_CLOEXEC);
    fcntl(REPORT, F_SETFD, FD_CLOEXEC);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (!signals_prepare(s)) {
        return fault_set(fault, FAULT_CONNECTION, "signalfd: %s", strerror(errno));
    }
    if (s->mode == SERVER_PROJECT) {
        s->home_fd = open(s->home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (s->home_fd < 0) {
            return fault_set(fault, FAULT_CONFIG, "%s cannot be opened: %s", s->home,
                             strerror(errno));
        }
    }
    s->stepped_down = geteuid() == 0;
    if (s->stepped_down) {
        root_prepare(s);
    }
    return server_user_become(&s->user, fault) &&
           (chdir("/") == 0 || fault_set(fault, FAULT_CONNECTION, "chdir /: %s", strerror(errno)));
}

int server_supervise(int argc, char **argv)
{
    struct supervisor s = {.lifeline = -1,
                           .report = REPORT,
                           .signals = -1,
                           .run_lock = -1,
                           .home_lock = -1,
                           .use_lock = -1,
                           .home_fd = -1};
    struct fault fault;
    fault_init(&fault);
    if (!arguments_read(&s, argc, argv)) {
        return 2;
    }
    if (s.mode == SERVER_PROJECT && fork() != 0) {
        _exit(0); // the server of a project is nobody's child
    }
    bool ok = prepare(&s, &fault) && run(&s, &fault);
    if (!ok) {
        report_fault(&s, &fault);
    }
    // Without the leak check of a sanitizer, which cannot work after stepping down.
    _exit(ok ? 0 : 1);
}
