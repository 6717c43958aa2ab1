// PostgreSQL under a supervisor: its command line, the wait until it is ready, its end.
#include "server_private.h"

#include "clock.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    START_MS = 60000,
    RECOVERY_MS = 30 * 60 * 1000, // of a project's server after a crash
    FAST_MS = 60000,              // a fast shutdown writes a checkpoint
    QUIT_MS = 6000,               // PostgreSQL kills its own children after 5 s
};

static const char *const throwaway_settings[] = {
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "shared_buffers=32MB",
    "max_connections=100",
    "max_locks_per_transaction=256", // revisions of a thousand tables in one transaction
    "max_prepared_transactions=10",
    "max_wal_size=4GB",
    "jit=off",
    "TimeZone=UTC",
    NULL,
};

static const char *const *settings_of(const struct supervisor *s)
{
    static const char *const none[] = {NULL};
    return s->mode == SERVER_THROWAWAY ? throwaway_settings : none;
}

static void add_setting(const char **argv, size_t *count, const char *setting)
{
    argv[(*count)++] = "-c";
    argv[(*count)++] = setting;
}

// Settings stand on the command line: a project's postgresql.conf is its user's.
static const char **arguments_make(const struct supervisor *s, const char *program)
{
    size_t room = 24 + 2 * sizeof throwaway_settings / sizeof *throwaway_settings, count = 0;
    for (char **each = s->settings; *each; each++) {
        room += 2;
    }
    const char **argv = calloc(room, sizeof *argv);
    if (!argv) {
        return NULL;
    }
    argv[count++] = program;
    argv[count++] = "-D";
    argv[count++] = s->data;
    argv[count++] = "-k";
    argv[count++] = s->run;
    add_setting(argv, &count, "listen_addresses=");
    add_setting(argv, &count, "port=5432");
    add_setting(argv, &count, "unix_socket_permissions=0700");
    // In the data directory: nothing of it outlives a kill -9, and /dev/shm may be tiny.
    add_setting(argv, &count, "dynamic_shared_memory_type=mmap");
    add_setting(argv, &count, "logging_collector=off");
    for (const char *const *each = settings_of(s); *each; each++) {
        add_setting(argv, &count, *each);
    }
    for (char **each = s->settings; *each; each++) {
        add_setting(argv, &count, *each);
    }
    return argv;
}

static bool start_fault(struct supervisor *s, const char *why, struct fault *fault)
{
    if (s->stopping) {
        return fault_set(fault, FAULT_INTERRUPTED, "interrupted");
    }
    char *tail = server_log_tail(s->log, s->log_start);
    fault_set(fault, FAULT_CONNECTION, "PostgreSQL (%s) %s", s->bindir, why);
    fault_text(&fault->detail, "%s", tail && *tail ? tail : "its log is empty");
    if (tail && strstr(tail, "cannot run") && s->stepped_down) {
        fault_text(&fault->hint, "it runs as the user %s, who must be able to reach and run it",
                   s->user.name);
    }
    free(tail);
    return false;
}

static bool ready_await(struct supervisor *s, struct fault *fault)
{
    int64_t end = clock_now_ms() + (s->mode == SERVER_PROJECT ? RECOVERY_MS : START_MS);
    struct server_postmaster postmaster;
    while (!(server_postmaster_read(s->data, &postmaster) && postmaster.pid == s->child &&
             postmaster.ready)) {
        if (s->child_ended || s->stopping) {
            return start_fault(s, "did not start", fault);
        } else if (clock_now_ms() > end) {
            return start_fault(s, "takes too long to start", fault);
        }
        server_wait(s, 3);
    }
    return true;
}

bool server_postgres_start(struct supervisor *s, struct fault *fault)
{
    struct stat info;
    char *program = server_path("%s/postgres", s->bindir);
    const char **argv = program ? arguments_make(s, program) : NULL;
    s->log_start = stat(s->log, &info) == 0 ? info.st_size : 0;
    int death_signal = s->mode == SERVER_PROJECT ? SIGINT : SIGQUIT;
    bool ok = argv && server_child_start(s, (char *const *)argv, death_signal, fault) &&
              ready_await(s, fault);
    free(argv);
    free(program);
    return ok;
}

void server_postgres_end(struct supervisor *s)
{
    static const struct {
        int number, patience_ms;
    } steps[] = {{SIGINT, FAST_MS}, {SIGQUIT, QUIT_MS}, {SIGKILL, QUIT_MS}};
    if (s->child <= 0) {
        return;
    }
    for (size_t i = s->mode == SERVER_PROJECT ? 0 : 1; !s->child_ended && i < 3; i++) {
        kill(s->child, steps[i].number);
        server_child_await(s, steps[i].patience_ms);
    }
    server_children_end(s);
    server_leftovers_remove(s->data);
}

bool server_is_too_old(struct supervisor *s, struct fault *fault)
{
    char text[16] = "";
    char *path = server_path("%s/PG_VERSION", s->data);
    bool known = server_file_read(path, 0, text, sizeof text);
    free(path);
    if (!known || atoi(text) >= SERVER_OLDEST_MAJOR) {
        return false;
    }
    fault_set(fault, FAULT_CONNECTION, "PostgreSQL %d in %s is too old: luamig needs %d or newer",
              atoi(text), s->bindir, SERVER_OLDEST_MAJOR);
    fault_text(&fault->hint, "name the folder of a newer one in LUAMIG_PGBIN");
    return true;
}
