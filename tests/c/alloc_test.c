// Memory runs out at every point of a command: each allocation that Lua asks for is refused, once
// or for good, on a real server. Whatever happens, the command must end by itself, lose nothing
// (its own count here; LeakSanitizer in the asan preset), claim success only when it had it, and
// leave the database in a state that is whole and that the next run completes.
//
//   alloc_test                     every command, with a sample of the allocations
//   alloc_test COMMAND             one of them
//   alloc_test COMMAND MODE N [M]  one run: allocation N fails in MODE (once, twice, ever); or all
//                                  runs from N to M
#include "conn.h"
#include "host.h"
#include "interrupt.h"
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
enum { THINNING = 3 }; // every run takes that much longer
#else
enum { THINNING = 1 };
#endif

// LuaFileSystem loses the buffer of currentdir() when there is no memory for its string.
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:get_dir\n";
}

// The allocations that make the Lua state itself: it cannot collect garbage yet.
enum { STATE_ALLOCATIONS = 60 };

enum { TEXT_SIZE = 1 << 16, TIME_LIMIT_S = 60, LEAK_STATUS = 90 };

// ---- an allocator that fails ----

enum mode {
    MODE_NEVER, // counts only
    MODE_ONCE,  // Lua collects its garbage and asks again: nothing may go wrong
    MODE_TWICE, // that fails too: an error, and memory again behind it
    MODE_EVER,  // no more memory from here on, for reporting the error neither
};

static const char *const mode_names[] = {"never", "once", "twice", "ever"};

struct supply {
    enum mode mode;
    long at; // number of the first request that fails, from 1
    long count;
    long used; // bytes
};

static bool is_refused(struct supply *supply)
{
    long past = ++supply->count - supply->at;
    switch (supply->mode) {
    case MODE_NEVER:
        return false;
    case MODE_ONCE:
        return past == 0;
    case MODE_TWICE:
        return past == 0 || past == 1;
    case MODE_EVER:
        return past >= 0;
    }
    return false;
}

static void *supply_allocate(void *data, void *block, size_t before, size_t after)
{
    struct supply *supply = data;
    before = block ? before : 0; // without a block it tells the kind of object
    if (after > before && is_refused(supply)) {
        return NULL;
    }
    supply->used += (long)after - (long)before;
    if (after == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, after);
}

// ---- the commands ----

enum start { START_EMPTY, START_PARTLY, START_FULL, START_COUNT };

static const char *const start_names[] = {"start_empty", "start_partly", "start_full"};

struct command {
    const char *name;
    enum start start;
    const char *words[6];
    int samples;          // how many of its allocations are refused
    int status;           // of success
    const char *finished; // beginning of the state that success leaves; NULL: as it was
};

static const struct command commands[] = {
    {"upgrade", START_EMPTY, {"upgrade"}, 90, 0, "005;"},
    {"resume", START_PARTLY, {"upgrade"}, 80, 0, "005;"},
    {"failing", START_EMPTY, {"upgrade", "-x", "stop=005"}, 50, 1, "004;0;"},
    {"downgrade", START_FULL, {"downgrade", "base", "--yes"}, 60, 0, ";"},
    {"refused", START_FULL, {"downgrade", "base"}, 50, 10, NULL},
    {"stamp", START_FULL, {"stamp", "004"}, 40, 0, "004;0;001,003,004,004a,004b,004c,005;"},
    {"current", START_FULL, {"current"}, 90, 0, NULL},
    {"json", START_FULL, {"current", "--json"}, 30, 0, NULL},
    {"status", START_PARTLY, {"status"}, 40, 0, NULL},
    {"offline", START_EMPTY, {"upgrade", "002", "--sql"}, 40, 0, NULL},
    {"help", START_EMPTY, {"upgrade", "--help"}, 40, 0, NULL},
};

enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

// The states that a database may be in: version; parts of 004 in the journal; marks; tables; the
// index that is built concurrently.
static const char *const sound_states[] = {
    ";0;;;-",
    "001;0;001;t1;-",
    "002;0;001;t1,t2;-",
    "003;0;001,003;t1,t2,t3;-",
    "003;1;001,003,004;t1,t2,t3,t4;-",
    "003;2;001,003,004,004a;t1,t2,t3,t4;-",
    "003;2;001,003,004,004a;t1,t2,t3,t4;invalid",
    "003;2;001,003,004,004a;t1,t2,t3,t4;valid",
    "003;3;001,003,004,004a;t1,t2,t3,t4;valid",
    "003;4;001,003,004,004a,004b;t1,t2,t3,t4;valid",
    "004;0;001,003,004,004a,004b,004c;t1,t2,t3,t4;valid",
    "005;0;001,003,004,004a,004b,004c,005;t1,t2,t3,t4,t5;valid",
    NULL,
};

static const char state_function[] =
    "CREATE FUNCTION public.spec_state() RETURNS text LANGUAGE plpgsql AS $$"
    " DECLARE version text := ''; parts bigint := 0; marks text := '';"
    " BEGIN"
    "  IF to_regclass('luamig.journal') IS NOT NULL THEN"
    "   SELECT coalesce(string_agg(version_num, ',' ORDER BY 1), '') INTO version"
    "     FROM luamig.version;"
    "   SELECT count(*) INTO parts FROM luamig.journal WHERE finished IS NOT NULL;"
    "  END IF;"
    "  IF to_regclass('public.marks') IS NOT NULL THEN"
    "   SELECT string_agg(part, ',' ORDER BY part) INTO marks FROM public.marks;"
    "  END IF;"
    "  RETURN version || ';' || parts || ';' || coalesce(marks, 'none') || ';'"
    "   || coalesce((SELECT string_agg(relname, ',' ORDER BY relname) FROM pg_class"
    "       WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    "       AND relname <> 'marks'), '') || ';'"
    "   || coalesce((SELECT CASE WHEN indisvalid THEN 'valid' ELSE 'invalid' END FROM pg_index"
    "       WHERE indexrelid = to_regclass('public.t4_id')), '-');"
    " END $$";

// ---- the server ----

static struct server *server;
static struct conn *admin;
static char *work_url;

_Noreturn static void give_up(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void ask(struct conn *conn, const char *sql, char *answer, size_t size)
{
    struct statement stmt = {.sql = sql};
    struct result result;
    struct fault fault;
    fault_init(&fault);
    if (!conn_exec(conn, &stmt, &result, &fault)) {
        give_up("%s: %s", sql, fault.message);
    }
    if (answer) {
        const char *text = result_rows(&result) > 0 ? result_value(&result, 0, 0, NULL) : NULL;
        snprintf(answer, size, "%s", text ? text : "");
    }
    result_clear(&result);
}

static void connect_to(const char *database, struct conn **conn)
{
    char *url = server_url(server->socket, database);
    struct conn_options options = {.url = url, .application_name = "alloc_test"};
    struct fault fault;
    fault_init(&fault);
    if (!conn_open(&options, conn, &fault)) {
        give_up("%s: %s", url, fault.message);
    }
    free(url);
}

_Noreturn static void give_up(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "alloc_test: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    server_stop(server);
    exit(1);
}

// The database "work" as a copy of one of the starting points.
static void work_make(enum start start)
{
    char sql[200];
    ask(admin, "DROP DATABASE IF EXISTS work WITH (FORCE)", NULL, 0);
    snprintf(sql, sizeof sql, "CREATE DATABASE work TEMPLATE %s%s", start_names[start],
             server->major >= 15 ? " STRATEGY file_copy" : "");
    ask(admin, sql, NULL, 0);
}

// A run that was cut off may still be at work on the server for a moment.
static void work_state(char *state, size_t size)
{
    struct conn *conn;
    char busy[16];
    do {
        ask(admin, "SELECT count(*) FROM pg_stat_activity WHERE datname = 'work'", busy,
            sizeof busy);
    } while (strcmp(busy, "0") != 0 && usleep(1000) == 0);
    connect_to("work", &conn);
    ask(conn, "SELECT public.spec_state()", state, size);
    conn_close(conn);
}

// ---- one run ----

struct outcome {
    int status; // of the process; 128 + signal when one ended it
    long count; // allocations
    char out[TEXT_SIZE], err[TEXT_SIZE], state[1000];
};

static int output_file(void)
{
    return memfd_create("output", MFD_CLOEXEC);
}

static void output_read(int fd, char *text)
{
    ssize_t size = pread(fd, text, TEXT_SIZE - 1, 0);
    text[size > 0 ? size : 0] = '\0';
    close(fd);
}

_Noreturn static void child_run(const struct command *command, struct supply *supply)
{
    char *argv[8] = {"luamig"};
    int argc = 1;
    for (; argc < 7 && command->words[argc - 1]; argc++) {
        argv[argc] = (char *)(uintptr_t)command->words[argc - 1];
    }
    alarm(TIME_LIMIT_S);
    interrupt_install();
    int status = host_run(argc, argv, supply_allocate, supply);
    if (supply->used != 0) {
        fprintf(stderr, "alloc_test: %ld bytes were not given back\n", supply->used);
        status = LEAK_STATUS;
    }
    exit(status);
}

static void run(const struct command *command, enum mode mode, long at, struct outcome *outcome)
{
    // Shared, so that the count comes back.
    struct supply *supply =
        mmap(NULL, sizeof *supply, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    *supply = (struct supply){.mode = mode, .at = at};
    int out = output_file(), err = output_file();
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(out, STDOUT_FILENO);
        dup2(err, STDERR_FILENO);
        child_run(command, supply);
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    outcome->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    outcome->count = supply->count;
    munmap(supply, sizeof *supply);
    output_read(out, outcome->out);
    output_read(err, outcome->err);
    work_state(outcome->state, sizeof outcome->state);
}

// ---- what must hold ----

static int failures;

static void complain(const struct command *command, enum mode mode, long at,
                     const struct outcome *outcome, const char *why)
{
    failures++;
    printf("%s: %s\n  again with: alloc_test %s %s %ld\n  exit status %d, state %s\n%s%s",
           command->name, why, command->name, mode_names[mode], at, outcome->status, outcome->state,
           outcome->out, outcome->err);
}

static bool is_sound(const char *state)
{
    for (int i = 0; sound_states[i]; i++) {
        if (strcmp(sound_states[i], state) == 0) {
            return true;
        }
    }
    return false;
}

static bool starts_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

// Whether a command that ended well did and said all that it says with enough memory. What upgrade
// and downgrade say on the way holds milliseconds.
static bool is_as_told(const struct command *command, const struct outcome *plain,
                       const struct outcome *outcome)
{
    return strcmp(plain->state, outcome->state) == 0 && strcmp(plain->out, outcome->out) == 0 &&
           (command->finished || strcmp(plain->err, outcome->err) == 0);
}

// Memory that ran out is an error (1), or leaves a revision partly applied (11).
static const char *what_is_wrong(const struct command *command, enum mode mode, long at,
                                 const struct outcome *plain, const struct outcome *outcome)
{
    bool has_failed = outcome->status == 1 || outcome->status == 11;
    bool is_done = outcome->status == command->status &&
                   (command->status != 1 || strcmp(plain->state, outcome->state) == 0);
    if (!has_failed && !is_done) {
        return "it did not end as it should";
    }
    if (mode == MODE_ONCE && at > STATE_ALLOCATIONS && !is_done) {
        return "a collection of garbage in between made it fail";
    }
    if (is_done && !is_as_told(command, plain, outcome)) {
        return "it claims a success that it did not have";
    }
    if (!is_done && !strstr(outcome->err, "not enough memory")) {
        return "it does not say why it failed";
    }
    if (!is_sound(outcome->state) && strcmp(plain->state, outcome->state) != 0) {
        return "the database is in no sound state";
    }
    return NULL;
}

static bool check_completion(const struct command *command, enum mode mode, long at)
{
    static const struct command again = {"again", START_EMPTY, {"upgrade"}, 0, 0, "005;"};
    static struct outcome outcome;
    run(&again, MODE_NEVER, 0, &outcome);
    if (outcome.status == 0 && strcmp(outcome.state, sound_states[11]) == 0) {
        return true;
    }
    complain(command, mode, at, &outcome, "the next upgrade does not complete it");
    return false;
}

// Returns false when the run was not as it must be.
static bool check(const struct command *command, enum mode mode, long at,
                  const struct outcome *plain, const char *before)
{
    static struct outcome outcome;
    run(command, mode, at, &outcome);
    const char *why = what_is_wrong(command, mode, at, plain, &outcome);
    if (why) {
        complain(command, mode, at, &outcome, why);
        work_make(command->start);
        return false;
    }
    if (strcmp(outcome.state, before) == 0) {
        return true;
    }
    // A stamp is no work that could be completed.
    bool ok = outcome.status == 0 || starts_with(command->name, "stamp") ||
              check_completion(command, mode, at);
    work_make(command->start);
    return ok;
}

// How the command ends with all the memory there is, and the state before it.
static void plain_run(const struct command *command, struct outcome *plain, char *before,
                      size_t size)
{
    work_make(command->start);
    work_state(before, size);
    run(command, MODE_NEVER, 0, plain);
    const char *finished = command->finished ? command->finished : before;
    if (plain->status != command->status || !starts_with(plain->state, finished)) {
        complain(command, MODE_NEVER, 0, plain, "it fails with all the memory there is");
        give_up("the project is not as this test expects it");
    }
    work_make(command->start);
}

// Small numbers all, then ever wider steps, which behind the start of the program stay as they are;
// the offset makes every run of the test try others.
static void check_command(const struct command *command, unsigned offset)
{
    static struct outcome plain;
    char before[sizeof plain.state];
    plain_run(command, &plain, before, sizeof before);
    int samples = command->samples / THINNING, taken = 0;
    double step_limit = 1.5 * (double)plain.count / samples;
    for (double at = 1, step = 1; (long)at <= plain.count; at += step) {
        enum mode mode = (enum mode)(MODE_ONCE + taken % 3);
        step = 1 + at * 12 / samples;
        step = step < step_limit ? step : step_limit;
        if (!check(command, mode, (long)at + (long)(offset % (unsigned)step), &plain, before)) {
            return; // one complaint a command
        }
        taken++;
    }
    printf("%-10s %3d of %6ld allocations refused\n", command->name, taken, plain.count);
}

// ---- start ----

static void project_enter(void)
{
    if (chdir(SOURCE_DIR "/tests/c/project") != 0) {
        give_up("%s/tests/c/project: %s", SOURCE_DIR, strerror(errno));
    }
    work_url = server_url(server->socket, "work");
    setenv("DATABASE_URL", work_url, 1);
    unsetenv("LUAMIG_CONFIG");
    unsetenv("LUAMIG_LUA_DIR");
}

static void start_keep(enum start start, const struct command *command, int status)
{
    static struct outcome outcome;
    char sql[100];
    work_make(START_EMPTY);
    run(command, MODE_NEVER, 0, &outcome);
    if (outcome.status != status) {
        give_up("the start '%s' cannot be made: exit status %d\n%s", start_names[start],
                outcome.status, outcome.err);
    }
    snprintf(sql, sizeof sql, "ALTER DATABASE work RENAME TO %s", start_names[start]);
    ask(admin, sql, NULL, 0);
}

static void starts_make(void)
{
    static const struct command partly = {"partly", START_EMPTY, {"upgrade", "-x", "stop=004"},
                                          0,        11,          "003;4;"};
    struct conn *conn;
    ask(admin, "CREATE DATABASE start_empty TEMPLATE template0", NULL, 0);
    connect_to("start_empty", &conn);
    ask(conn, state_function, NULL, 0);
    conn_close(conn);
    start_keep(START_PARTLY, &partly, 11);
    start_keep(START_FULL, &commands[0], 0);
}

static const struct command *command_find(const char *name)
{
    for (int i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    give_up("there is no command '%s' here", name);
}

static void check_range(const char *name, const char *mode_name, long first, long last)
{
    static struct outcome plain;
    char before[sizeof plain.state];
    const struct command *command = command_find(name);
    int mode = MODE_ONCE;
    while (mode < MODE_EVER && strcmp(mode_names[mode], mode_name) != 0) {
        mode++;
    }
    plain_run(command, &plain, before, sizeof before);
    for (long at = first; at <= last && at <= plain.count; at++) {
        check(command, (enum mode)mode, at, &plain, before);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "__supervise") == 0) {
        return server_supervise(argc, argv);
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct server_options options = {.in_memory = true};
    struct fault fault;
    fault_init(&fault);
    if (!server_start(&options, &server, &fault)) {
        fprintf(stderr, "alloc_test: no server: %s\n", fault.message);
        return 1;
    }
    project_enter();
    connect_to("postgres", &admin);
    starts_make();
    if (argc >= 4) {
        check_range(argv[1], argv[2], atol(argv[3]), atol(argv[argc - 1]));
    }
    for (int i = 0; argc < 4 && i < COMMAND_COUNT; i++) {
        if (argc < 2 || strcmp(argv[1], commands[i].name) == 0) {
            check_command(&commands[i], (unsigned)getpid());
        }
    }
    conn_close(admin);
    free(work_url);
    server_free(server);
    return failures ? 1 : 0;
}
