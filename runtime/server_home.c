// A project's server as luamig finds it: joined, started when it is not there, ended, erased.
#include "server_private.h"

#include "clock.h"
#include "interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { START_WAIT_MS = 10 * 60 * 1000, SHUT_DOWN_MS = 70000, JOIN_TRIES = 5 };

static bool lock_await(int fd, int operation, int64_t wait_ms, struct fault *fault)
{
    int64_t end = clock_now_ms() + wait_ms;
    unsigned seen = interrupt_count();
    while (flock(fd, operation | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return fault_set(fault, FAULT_CONFIG, "cannot lock: %s", strerror(errno));
        } else if (clock_now_ms() > end) {
            return fault_set(fault, FAULT_CONNECTION,
                             "another luamig is busy with the embedded server");
        } else if (!clock_sleep_ms(10) || interrupt_count() != seen) {
            return fault_set(fault, FAULT_INTERRUPTED,
                             "interrupted while waiting for the embedded server");
        }
    }
    return true;
}

static int lock_open(const char *home, const char *name, struct fault *fault)
{
    char *path = server_path("%s/%s", home, name);
    int fd = server_lock_open(path);
    free(path);
    if (fd < 0) {
        fault_set(fault, FAULT_CONFIG, "%s cannot be used: %s", home, strerror(errno));
        if (errno == EACCES) {
            fault_text(&fault->hint, "it belongs to another user");
        }
    }
    return fd;
}

// The folder, which git leaves alone.
static bool home_make(const char *home, struct fault *fault)
{
    if (mkdir(home, 0700) != 0) {
        return errno == EEXIST ||
               fault_set(fault, FAULT_CONFIG, "cannot make %s: %s", home, strerror(errno));
    }
    chmod(home, 0700); // whatever the umask
    char *path = server_path("%s/.gitignore", home);
    server_file_write(path, "*\n");
    free(path);
    return true;
}

// A folder that root has made belongs to the user that the server will run as.
static bool home_give(const char *home, const struct server_user *user, struct fault *fault)
{
    struct stat info;
    if (geteuid() != 0 || stat(home, &info) != 0 || info.st_uid == user->uid ||
        chown(home, user->uid, user->gid) == 0) {
        return true;
    }
    return fault_set(fault, FAULT_CONFIG, "cannot give %s to the user %s: %s", home, user->name,
                     strerror(errno));
}

static int major_of_data(const char *home)
{
    char text[16] = "";
    char *path = server_path("%s/pg/PG_VERSION", home);
    bool known = server_file_read(path, 0, text, sizeof text);
    free(path);
    return known ? atoi(text) : 0;
}

static bool joined(struct server *server, const struct server_postmaster *postmaster)
{
    free(server->socket);
    server->pid = postmaster->pid;
    server->socket = strdup(postmaster->socket);
    server->data = server_path("%s/pg", server->home);
    server->log = server_path("%s/pg.log", server->home);
    return server->socket && server->data && server->log;
}

// Under start.lock: one luamig at a time looks, and starts.
static bool join_or_start(const struct server_options *options, const struct server_user *user,
                          struct server *server, struct fault *fault)
{
    struct server_options mine = *options;
    struct server_postmaster postmaster;
    if (server_usable(server->home, &postmaster)) {
        return joined(server, &postmaster) || fault_set(fault, FAULT_MEMORY, "not enough memory");
    }
    if (!options->bindir && !server->bindir &&
        !server_find(major_of_data(server->home), &server->bindir, fault)) {
        return false;
    }
    mine.bindir = options->bindir ? options->bindir : server->bindir;
    if (!server_supervisor_run("project", &mine, user, server, fault)) {
        return false;
    }
    server->started = true;
    if (!server_usable(server->home, &postmaster)) {
        return fault_set(fault, FAULT_INTERRUPTED, "PostgreSQL was ended after its start");
    }
    return joined(server, &postmaster) || fault_set(fault, FAULT_MEMORY, "not enough memory");
}

// Another luamig may tell the supervisor to end while it starts: then it is interrupted, not we.
static bool join_in_the_end(const struct server_options *options, const struct server_user *user,
                            struct server *server, struct fault *fault)
{
    unsigned seen = interrupt_count();
    for (int tries = 0; tries < JOIN_TRIES; tries++) {
        if (join_or_start(options, user, server, fault)) {
            return true;
        } else if (fault->kind != FAULT_INTERRUPTED || interrupt_count() != seen) {
            return false;
        }
    }
    return fault_set(fault, FAULT_CONNECTION, "the server of %s is ended whenever it starts",
                     server->home);
}

bool server_join(const struct server_options *options, struct server *server, struct fault *fault)
{
    struct server_user user;
    server->home = strdup(options->home);
    if (!server->home) {
        return fault_set(fault, FAULT_MEMORY, "not enough memory");
    }
    if (!server_user_pick(server->home, &user, fault) || !home_make(server->home, fault) ||
        !home_give(server->home, &user, fault)) {
        return false;
    }
    // While it is shared, the supervisor does not take the server for idle. One that has just
    // decided to end holds it until the end.
    server->hold = lock_open(server->home, "use.lock", fault);
    if (server->hold < 0 || !lock_await(server->hold, LOCK_SH, SHUT_DOWN_MS, fault)) {
        return false;
    }
    futimens(server->hold, NULL);
    int start = lock_open(server->home, "start.lock", fault);
    bool ok = start >= 0 && lock_await(start, LOCK_EX, START_WAIT_MS, fault) &&
              join_in_the_end(options, &user, server, fault);
    if (start >= 0) {
        close(start);
    }
    return ok;
}

bool server_inspect(const char *home, struct server_status *out, struct fault *fault)
{
    struct server_postmaster postmaster;
    char *lock = server_path("%s/server.lock", home);
    char *data = server_path("%s/pg", home);
    memset(out, 0, sizeof *out);
    bool ok = lock && data && (access(home, X_OK) == 0 || errno == ENOENT);
    if (ok) {
        out->exists = access(data, F_OK) == 0;
        out->running = server_lock_held(lock);
        out->ready = out->running && server_usable(home, &postmaster);
        out->major = major_of_data(home);
        out->size = server_tree_size(AT_FDCWD, data);
    } else {
        fault_set(fault, FAULT_CONFIG, "%s cannot be read: %s", home, strerror(errno));
    }
    if (out->ready) {
        out->pid = postmaster.pid;
        memcpy(out->socket, postmaster.socket, sizeof out->socket);
    }
    free(lock);
    free(data);
    return ok;
}

// The supervisor has signed server.lock: its pid, and what tells it from a later process.
static int supervisor_pid(const char *home)
{
    char text[64];
    int pid = 0;
    unsigned long long birth = 0;
    char *path = server_path("%s/server.lock", home);
    bool ok = server_file_read(path, 0, text, sizeof text) &&
              sscanf(text, "%d %llu", &pid, &birth) == 2 && server_process_birth(pid) == birth;
    free(path);
    return ok ? pid : 0;
}

static bool end_fault(const char *home, struct fault *fault)
{
    fault_set(fault, FAULT_CONNECTION, "the server of %s does not end", home);
    fault_text(&fault->hint, "does it run in another container? Its log is %s/pg.log", home);
    return false;
}

// Tells the supervisor, and waits. Without a living one PostgreSQL is ending already, or a new
// supervisor has the lock and is about to sign it; another pid than the one that was told means
// that somebody has started the server anew meanwhile.
static bool end_await(const char *home, const char *lock, struct fault *fault)
{
    int64_t end = clock_now_ms() + SHUT_DOWN_MS;
    unsigned seen = interrupt_count();
    for (int told = 0; server_lock_held(lock);) {
        int pid = supervisor_pid(home);
        if (told > 0 && pid > 0 && pid != told) {
            return true;
        } else if (told == 0 && pid > 0 && kill(pid, SIGTERM) == 0) {
            told = pid;
        } else if (told == 0 && pid > 0 && errno == EPERM) {
            return fault_set(fault, FAULT_CONFIG, "the server of %s belongs to another user", home);
        } else if (clock_now_ms() > end) {
            return end_fault(home, fault);
        }
        if (!clock_sleep_ms(5) || interrupt_count() != seen) {
            return fault_set(fault, FAULT_INTERRUPTED, "interrupted while the server was ending");
        }
    }
    return true;
}

bool server_shut_down(const char *home, bool *was_running, struct fault *fault)
{
    char *lock = server_path("%s/server.lock", home);
    bool running = lock && server_lock_held(lock);
    bool ok = !running || end_await(home, lock, fault);
    free(lock);
    if (ok) {
        *was_running = running;
    }
    return ok;
}

bool server_erase(const char *home, struct fault *fault)
{
    static const char *const names[] = {"pg", "pg.new", "pg.log", "pg.log.1"};
    bool was_running;
    int folder = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        return errno == ENOENT ||
               fault_set(fault, FAULT_CONFIG, "%s cannot be read: %s", home, strerror(errno));
    }
    int start = lock_open(home, "start.lock", fault);
    bool ok = start >= 0 && lock_await(start, LOCK_EX, START_WAIT_MS, fault) &&
              server_shut_down(home, &was_running, fault);
    for (size_t i = 0; ok && i < sizeof names / sizeof *names; i++) {
        if (!server_tree_remove(folder, names[i])) {
            ok = fault_set(fault, FAULT_CONFIG, "cannot delete %s/%s: %s", home, names[i],
                           strerror(errno));
        }
    }
    if (start >= 0) {
        close(start);
    }
    close(folder);
    return ok;
}
