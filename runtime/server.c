// luamig's side: starts supervisors, reads their report, lets go of servers.
#include "server_private.h"

#include "clock.h"
#include "interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    LIFELINE = 3, // descriptors of a supervisor
    REPORT = 4,
    ABOVE = 10, // out of their way
    REPORT_SIZE = 16384,
    ARGUMENTS = 10,
    END_MS = 30000,
};

extern char **environ;

/// The texts that a supervisor has reported, each with its NUL.
struct server_report {
    char text[REPORT_SIZE];
    size_t size;
};

static const char *report_text(const struct server_report *report, int number)
{
    size_t at = 0;
    for (int i = 0; i < number && at < report->size; i++) {
        at += strlen(report->text + at) + 1;
    }
    return at < report->size ? report->text + at : "";
}

static bool pipe_make(int ends[2])
{
    int low[2];
    if (pipe2(low, O_CLOEXEC) != 0) {
        return false;
    }
    ends[0] = fcntl(low[0], F_DUPFD_CLOEXEC, ABOVE);
    ends[1] = fcntl(low[1], F_DUPFD_CLOEXEC, ABOVE);
    close(low[0]);
    close(low[1]);
    return ends[0] >= 0 && ends[1] >= 0;
}

static void descriptor_close(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

// It gets nothing of ours but the two pipes: neither the terminal nor what stdout leads to.
static int supervisor_exec(char *const argv[], int lifeline, int report, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    if (lifeline >= 0) {
        posix_spawn_file_actions_adddup2(&actions, lifeline, LIFELINE);
    } else {
        posix_spawn_file_actions_addopen(&actions, LIFELINE, "/dev/null", O_RDONLY, 0);
    }
    posix_spawn_file_actions_adddup2(&actions, report, REPORT);
    posix_spawn_file_actions_addclosefrom_np(&actions, REPORT + 1);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    int status = posix_spawn(pid, "/proc/self/exe", &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return status;
}

static const char **arguments_make(const char *mode, const struct server_options *options,
                                   const struct server_user *user, char numbers[3][24])
{
    size_t count = 0, settings = 0;
    while (options->settings && options->settings[settings]) {
        settings++;
    }
    const char **argv = calloc(ARGUMENTS + settings + 1, sizeof *argv);
    if (!argv) {
        return NULL;
    }
    snprintf(numbers[0], sizeof numbers[0], "%u", (unsigned)user->uid);
    snprintf(numbers[1], sizeof numbers[1], "%u", (unsigned)user->gid);
    snprintf(numbers[2], sizeof numbers[2], "%lld",
             (long long)(options->idle_ms ? options->idle_ms : SERVER_IDLE_MS));
    const char *const fixed[ARGUMENTS] = {"luamig",
                                          "__supervise",
                                          mode,
                                          numbers[0],
                                          numbers[1],
                                          user->name,
                                          options->home ? options->home : "",
                                          options->bindir,
                                          numbers[2],
                                          options->auth ? options->auth : ""};
    for (; count < ARGUMENTS; count++) {
        argv[count] = fixed[count];
    }
    for (size_t i = 0; i < settings; i++) {
        argv[count++] = options->settings[i];
    }
    return argv;
}

/// Starts a supervisor.
/// @param[out] lifeline  our end of the pipe that keeps it alive; NULL when it needs none
/// @param[out] report    where its outcome can be read
static bool supervisor_start(const char *mode, const struct server_options *options,
                             const struct server_user *user, pid_t *pid, int *lifeline, int *report,
                             struct fault *fault)
{
    int life[2] = {-1, -1}, outcome[2] = {-1, -1}, status = 0;
    char numbers[3][24];
    const char **argv = arguments_make(mode, options, user, numbers);
    bool ok = argv && (!lifeline || pipe_make(life)) && pipe_make(outcome);
    if (ok) {
        status = supervisor_exec((char *const *)argv, life[0], outcome[1], pid);
        ok = status == 0;
    }
    if (!ok) {
        fault_set(fault, FAULT_CONNECTION, "cannot start luamig's server process: %s",
                  strerror(status ? status : errno));
        descriptor_close(&life[1]);
        descriptor_close(&outcome[0]);
    } else {
        *report = outcome[0];
        if (lifeline) {
            *lifeline = life[1];
        }
    }
    descriptor_close(&life[0]);
    descriptor_close(&outcome[1]);
    free(argv);
    return ok;
}

static bool report_fault(const struct server_report *report, struct fault *fault)
{
    if (strcmp(report_text(report, 0), "failed") != 0) {
        return fault_set(fault, FAULT_CONNECTION, "luamig's server process died");
    }
    fault_set(fault, (enum fault_kind)atoi(report_text(report, 1)), "%s", report_text(report, 2));
    char **const fields[] = {&fault->detail, &fault->hint, &fault->attempt};
    for (int i = 0; i < 3; i++) {
        if (*report_text(report, 3 + i)) {
            fault_text(fields[i], "%s", report_text(report, 3 + i));
        }
    }
    return false;
}

// Waits for the report; its end is the end of the pipe.
static bool report_read(int fd, struct server_report *report, struct fault *fault)
{
    unsigned seen = interrupt_count();
    struct pollfd fds[2] = {
        {.fd = fd, .events = POLLIN},
        {.fd = seen == 0 ? interrupt_fd() : -1, .events = POLLIN},
    };
    report->size = 0;
    for (;;) {
        poll(fds, 2, seen == 0 ? 1000 : 100);
        if (interrupt_count() != seen) {
            return fault_set(fault, FAULT_INTERRUPTED, "interrupted while PostgreSQL was starting");
        } else if (!fds[0].revents) {
            continue;
        }
        ssize_t count = read(fd, report->text + report->size, REPORT_SIZE - 1 - report->size);
        report->size += count > 0 ? (size_t)count : 0;
        if (count == 0 || report->size == REPORT_SIZE - 1) {
            break;
        }
    }
    report->text[report->size] = '\0';
    return strcmp(report_text(report, 0), "ready") == 0 || report_fault(report, fault);
}

static void pid_await(pid_t *pid)
{
    const struct timespec pause = {.tv_nsec = 2 * 1000 * 1000};
    int64_t end = clock_now_ms() + END_MS;
    while (*pid > 0 && waitpid(*pid, NULL, WNOHANG) == 0 && clock_now_ms() < end) {
        nanosleep(&pause, NULL);
    }
    *pid = -1;
}

bool server_supervisor_run(const char *mode, const struct server_options *options,
                           const struct server_user *user, struct server *server,
                           struct fault *fault)
{
    struct server_report *report = malloc(sizeof *report);
    bool is_throwaway = strcmp(mode, "throwaway") == 0;
    int outcome = -1;
    if (!report) {
        return fault_set(fault, FAULT_MEMORY, "not enough memory");
    }
    bool ok = supervisor_start(mode, options, user, &server->keeper,
                               is_throwaway ? &server->hold : NULL, &outcome, fault) &&
              report_read(outcome, report, fault);
    descriptor_close(&outcome);
    if (ok) {
        free(server->socket);
        server->pid = atoi(report_text(report, 1));
        server->socket = strdup(report_text(report, 2));
        server->created = strcmp(report_text(report, 3), "created") == 0;
        ok = server->socket || fault_set(fault, FAULT_MEMORY, "not enough memory");
    }
    if (!is_throwaway) {
        pid_await(&server->keeper); // it has forked, and ended at once
    }
    free(report);
    return ok;
}

// The supervisor was killed, or PostgreSQL has hung: another one clears the rest away.
static void rest_remove(const struct server *server)
{
    struct server rest = {.hold = -1, .keeper = -1};
    const struct server_options options = {.home = server->socket, .bindir = ""};
    const struct server_user user = {.uid = server->uid, .gid = server->gid, .name = "?"};
    struct fault fault;
    int report = -1;
    fault_init(&fault);
    if (supervisor_start("prune", &options, &user, &rest.keeper, NULL, &report, &fault)) {
        pid_await(&rest.keeper);
    }
    descriptor_close(&report);
    fault_clear(&fault);
}

void server_stop(struct server *server)
{
    bool is_throwaway = !server->home && server->hold >= 0;
    descriptor_close(&server->hold);
    pid_await(&server->keeper);
    if (is_throwaway && server->socket && access(server->socket, F_OK) == 0) {
        rest_remove(server);
    }
}

void server_free(struct server *server)
{
    if (!server) {
        return;
    }
    server_stop(server);
    free(server->home);
    free(server->bindir);
    free(server->socket);
    free(server->data);
    free(server->log);
    free(server);
}

void server_bequeath(const struct server *server)
{
    if (server->hold >= 0) {
        fcntl(server->hold, F_SETFD, 0);
    }
}

static bool throwaway_start(const struct server_options *options, struct server *server,
                            struct fault *fault)
{
    struct server_options mine = *options;
    struct server_user user;
    if (!options->bindir && !server_find(0, &server->bindir, fault)) {
        return false;
    }
    mine.home = options->in_memory ? server_run_memory() : NULL;
    mine.bindir = options->bindir ? options->bindir : server->bindir;
    server->bindir = server->bindir ? server->bindir : strdup(mine.bindir);
    if (!server_user_pick(NULL, &user, fault)) {
        return false;
    }
    server->uid = user.uid;
    server->gid = user.gid;
    if (!server_supervisor_run("throwaway", &mine, &user, server, fault)) {
        return false;
    }
    server->data = server_path("%s/data", server->socket);
    server->log = server_path("%s/log", server->socket);
    server->started = server->created = true;
    return true;
}

bool server_start(const struct server_options *options, struct server **out, struct fault *fault)
{
    struct server *server = calloc(1, sizeof *server);
    if (!server) {
        return fault_set(fault, FAULT_MEMORY, "not enough memory");
    }
    server->hold = server->keeper = -1;
    bool ok = options->home ? server_join(options, server, fault)
                            : throwaway_start(options, server, fault);
    if (!ok) {
        server_free(server);
        return false;
    }
    char *mark = server_path("%s/PG_VERSION", server->data ? server->data : "");
    char text[16] = "";
    server->major = server_file_read(mark, 0, text, sizeof text) ? atoi(text) : 0;
    free(mark);
    *out = server;
    return true;
}

char *server_url(const char *socket, const char *database)
{
    static const char digits[] = "0123456789ABCDEF";
    // Without an &, which a shell would take for its own; the port, because of PGPORT.
    const char *const parts[] = {"postgresql://postgres@:5432/", database, "?host=", socket};
    size_t room = 64 + 3 * (strlen(database) + strlen(socket));
    char *url = malloc(room), *at = url;
    for (size_t i = 0; url && i < sizeof parts / sizeof *parts; i++) {
        for (const char *c = parts[i]; *c; c++) {
            bool plain = i % 2 == 0 || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                         (*c >= '0' && *c <= '9') || strchr("/._-", *c);
            if (plain) {
                *at++ = *c;
            } else {
                *at++ = '%';
                *at++ = digits[(unsigned char)*c >> 4];
                *at++ = digits[(unsigned char)*c & 15];
            }
        }
    }
    if (url) {
        *at = '\0';
    }
    return url;
}
