// Where PostgreSQL's programs are.
#include "server_private.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <libgen.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_SIZE = 512 };

extern char **environ;

/// What is looked for, and what was looked at.
struct search {
    int major;    // 0: any
    char *found;  // owned
    char *looked; // owned: for the message
    char *others; // owned: versions that were not wanted
};

static void note(char **list, const char *separator, const char *text)
{
    char *longer = server_path("%s%s%s", *list ? *list : "", *list ? separator : "", text);
    if (longer) {
        free(*list);
        *list = longer;
    }
}

// The first line that a program prints, or "".
static void output_of(const char *program, const char *argument, char *out, size_t size)
{
    char *const argv[] = {(char *)(uintptr_t)program, (char *)(uintptr_t)argument, NULL};
    posix_spawn_file_actions_t actions;
    int ends[2];
    pid_t pid;
    out[0] = '\0';
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    bool started = posix_spawnp(&pid, program, &actions, NULL, argv, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    size_t at = 0;
    for (ssize_t count = 1; started && count != 0 && at < size - 1;) {
        count = read(ends[0], out + at, size - 1 - at);
        at += count > 0 ? (size_t)count : 0;
        if (count < 0 && errno != EINTR) {
            break;
        }
    }
    close(ends[0]);
    while (started && waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    out[at] = '\0';
    out[strcspn(out, "\n")] = '\0';
}

// "postgres (PostgreSQL) 15.18 (Debian …)" -> 15
static int major_of(const char *bindir)
{
    char text[OUTPUT_SIZE];
    char *program = server_path("%s/postgres", bindir);
    output_of(program ? program : "", "-V", text, sizeof text);
    free(program);
    const char *at = strstr(text, ") ");
    return at ? atoi(at + 2) : 0;
}

static bool is_program(const char *folder, const char *name)
{
    struct stat info;
    char *path = server_path("%s/%s", folder, name);
    bool ok = path && stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0;
    free(path);
    return ok;
}

// A link in PATH (/usr/local/bin/postgres) leads to the folder that has all of them.
static char *folder_behind(const char *folder)
{
    char real[PATH_MAX];
    char *path = server_path("%s/postgres", folder);
    bool ok = path && realpath(path, real) && is_program(dirname(real), "initdb");
    free(path);
    return ok && is_program(real, "postgres") ? strdup(real) : NULL;
}

// Takes a folder when it has what is wanted.
static bool folder_try(struct search *search, const char *folder)
{
    if (!is_program(folder, "postgres")) {
        return false;
    }
    char *real = folder_behind(folder);
    if (!real) {
        return false;
    }
    int major = search->major ? major_of(real) : 0;
    if (major == search->major) {
        search->found = real;
        return true;
    }
    char text[PATH_MAX + 32];
    snprintf(text, sizeof text, "%d in %s", major, real);
    if (!search->others || !strstr(search->others, text)) {
        note(&search->others, ", ", text);
    }
    free(real);
    return false;
}

static void look_in_path(struct search *search)
{
    const char *path = getenv("PATH");
    char *copy = strdup(path ? path : "/usr/local/bin:/usr/bin:/bin");
    char *rest = copy, *folder;
    note(&search->looked, ", ", "PATH");
    while (copy && (folder = strsep(&rest, ":"))) {
        if (*folder == '/' && folder_try(search, folder)) {
            break;
        }
    }
    free(copy);
}

static void look_at_pg_config(struct search *search)
{
    char text[PATH_MAX];
    output_of("pg_config", "--bindir", text, sizeof text);
    char *place = server_path("pg_config --bindir (%s)", *text ? text : "no pg_config");
    note(&search->looked, ", ", place ? place : "pg_config --bindir");
    free(place);
    if (*text) {
        folder_try(search, text);
    }
}

static int version_of_folder(const char *path)
{
    int version = 0;
    return sscanf(path, "/usr/lib/postgresql/%d/", &version) == 1 ? version : 0;
}

static int newer_first(const void *a, const void *b)
{
    return version_of_folder(*(char *const *)b) - version_of_folder(*(char *const *)a);
}

static void look_in_debian(struct search *search)
{
    glob_t found;
    note(&search->looked, ", ", "/usr/lib/postgresql/*/bin");
    if (glob("/usr/lib/postgresql/*/bin", 0, NULL, &found) == 0) {
        qsort(found.gl_pathv, found.gl_pathc, sizeof *found.gl_pathv, newer_first);
        for (size_t i = 0; i < found.gl_pathc; i++) {
            if (folder_try(search, found.gl_pathv[i])) {
                break;
            }
        }
    }
    globfree(&found);
}

static bool fault_of_version(int major, const char *found, struct fault *fault)
{
    fault_set(fault, FAULT_CONNECTION,
              "the data were made by PostgreSQL %d, which is not here; found: %s", major, found);
    fault_text(&fault->hint, "or start anew, with an empty server of another version: "
                             "luamig db reset");
    fault_text(&fault->attempt, "apt install postgresql-%d", major);
    return false;
}

static bool fault_of(const struct search *search, struct fault *fault)
{
    if (search->major && search->others) {
        fault_of_version(search->major, search->others, fault);
    } else {
        fault_set(fault, FAULT_CONNECTION, "there is no PostgreSQL server on this machine");
        fault_text(&fault->hint, "install the package postgresql (Debian, Ubuntu), name the folder "
                                 "of its programs in LUAMIG_PGBIN, or use a server with --url");
        fault_text(&fault->attempt, "apt install postgresql");
    }
    fault_text(&fault->detail, "looked for postgres and initdb in LUAMIG_PGBIN (not set), %s",
               search->looked ? search->looked : "PATH");
    return false;
}

static bool find_named(const char *folder, int major, char **out, struct fault *fault)
{
    if (!is_program(folder, "postgres") || !is_program(folder, "initdb")) {
        fault_set(fault, FAULT_CONFIG,
                  "LUAMIG_PGBIN is %s, but there is no postgres and initdb "
                  "in it that can be run",
                  folder);
        fault_text(&fault->hint, "it names the folder that holds PostgreSQL's programs, such as "
                                 "/usr/lib/postgresql/15/bin");
        return false;
    }
    int found = major ? major_of(folder) : 0;
    if (found != major) {
        char text[64];
        snprintf(text, sizeof text, "%d, named by LUAMIG_PGBIN", found);
        return fault_of_version(major, text, fault);
    }
    *out = strdup(folder);
    return *out != NULL || fault_set(fault, FAULT_MEMORY, "not enough memory");
}

bool server_find(int major, char **out, struct fault *fault)
{
    static void (*const places[])(struct search *) = {look_in_path, look_at_pg_config,
                                                      look_in_debian};
    const char *named = getenv("LUAMIG_PGBIN");
    struct search search = {.major = major};
    if (named && *named) {
        return find_named(named, major, out, fault);
    }
    for (size_t i = 0; !search.found && i < sizeof places / sizeof *places; i++) {
        places[i](&search);
    }
    bool ok = search.found || fault_of(&search, fault);
    *out = ok ? search.found : *out;
    free(search.looked);
    free(search.others);
    return ok;
}
