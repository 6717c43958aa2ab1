// The supervisor's part for a project's server: its folder, its locks, its data.
#include "server_private.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOG_SIZE = 1024 * 1024 };

// The project's folder may be below one that only root can enter: then the way in is the open file.
static bool base_find(struct supervisor *s, struct fault *fault)
{
    if (access(s->home, R_OK | W_OK | X_OK) == 0) {
        close(s->home_fd);
        s->home_fd = -1;
        s->base = strdup(s->home);
    } else {
        s->base = server_path("/proc/self/fd/%d", s->home_fd);
    }
    s->data = server_path("%s/pg", s->base ? s->base : "");
    s->log = server_path("%s/pg.log", s->base ? s->base : "");
    if (!s->base || !s->data || !s->log) {
        return fault_set(fault, FAULT_MEMORY, "not enough memory");
    }
    if (access(s->base, R_OK | W_OK | X_OK) != 0) {
        fault_set(fault, FAULT_CONFIG, "%s cannot be used: %s", s->home, strerror(errno));
        fault_text(&fault->hint, "it belongs to another user%s",
                   s->stepped_down ? " than root's" : "");
        return false;
    }
    return true;
}

static int lock_in_base(const struct supervisor *s, const char *name)
{
    char *path = server_path("%s/%s", s->base, name);
    int fd = server_lock_open(path);
    free(path);
    return fd;
}

static void lock_sign(const struct supervisor *s)
{
    char text[64];
    int size = snprintf(text, sizeof text, "%d %llu\n", getpid(), server_process_birth(getpid()));
    if (ftruncate(s->home_lock, 0) != 0 || pwrite(s->home_lock, text, (size_t)size, 0) != size) {
        errno = 0; // then only `luamig db stop` cannot find us
    }
}

// Takes server.lock. Its last holder may be ending; or be another luamig's server, ready to be
// used.
static bool home_lock(struct supervisor *s, bool *usable, struct fault *fault)
{
    struct server_postmaster postmaster;
    int64_t end = clock_now_ms() + SERVER_LOCK_MS;
    s->home_lock = lock_in_base(s, "server.lock");
    s->use_lock = lock_in_base(s, "use.lock");
    if (s->home_lock < 0 || s->use_lock < 0) {
        return fault_set(fault, FAULT_CONFIG, "cannot make a file in %s: %s", s->home,
                         strerror(errno));
    }
    while (flock(s->home_lock, LOCK_EX | LOCK_NB) != 0) {
        if (server_usable(s->base, &postmaster)) {
            *usable = true;
            server_report_ready(s, postmaster.pid, postmaster.socket);
            return true;
        }
        server_wait(s, 20);
        if (clock_now_ms() > end || s->stopping) {
            fault_set(fault, FAULT_CONNECTION,
                      "the server of %s is held by a process that cannot "
                      "be reached",
                      s->home);
            fault_text(&fault->hint, "does it run in another container, or is it still ending?");
            return false;
        }
    }
    lock_sign(s);
    return true;
}

static bool project_initdb(struct supervisor *s, struct fault *fault)
{
    char *unfinished = server_path("%s.new", s->data);
    bool ok = unfinished && server_tree_remove(AT_FDCWD, unfinished) &&
              server_initdb(s, unfinished, fault);
    if (ok && rename(unfinished, s->data) != 0) {
        ok = fault_set(fault, FAULT_CONFIG, "%s/pg is no data directory of PostgreSQL: %s", s->home,
                       strerror(errno));
    }
    int folder = ok ? open(s->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (folder >= 0) {
        fsync(folder);
        close(folder);
    }
    s->created = ok;
    free(unfinished);
    return ok;
}

static bool project_data_make(struct supervisor *s, struct fault *fault)
{
    struct server_postmaster postmaster;
    char *mark = server_path("%s/PG_VERSION", s->data);
    bool there = mark && access(mark, F_OK) == 0;
    free(mark);
    if (!there) {
        return project_initdb(s, fault);
    }
    if (server_postmaster_read(s->data, &postmaster) &&
        server_postmaster_runs(s->data, postmaster.pid)) {
        fault_set(fault, FAULT_CONFIG,
                  "%s/pg is in use by PostgreSQL process %d, which luamig did "
                  "not start",
                  s->home, postmaster.pid);
        fault_text(&fault->attempt, "pg_ctl -D %s/pg stop", s->home);
        return false;
    }
    server_leftovers_remove(s->data);
    return true;
}

static void log_rotate(const struct supervisor *s)
{
    struct stat info;
    char *old = server_path("%s.1", s->log);
    if (old && stat(s->log, &info) == 0 && info.st_size > LOG_SIZE) {
        rename(s->log, old);
    }
    free(old);
}

bool server_project_start(struct supervisor *s, bool *usable, struct fault *fault)
{
    if (!base_find(s, fault) || !home_lock(s, usable, fault)) {
        return false;
    } else if (*usable) {
        return true;
    }
    log_rotate(s);
    return project_data_make(s, fault) && !server_is_too_old(s, fault) &&
           server_run_make(s, fault) && server_postgres_start(s, fault);
}
