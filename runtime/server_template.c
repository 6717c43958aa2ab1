// Fresh data directories: initdb takes half a second, the copy of a cached one a tenth of that.
#include "server_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <locale.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { INITDB_MS = 120000, LAYOUT = 1, MONTH_S = 30 * 24 * 3600 };

// Order by bytes, as the same everywhere; letters beyond ASCII still have upper and lower case.
static const char *character_type(void)
{
    locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (locale == (locale_t)0) {
        return "C";
    }
    freelocale(locale);
    return "C.UTF-8";
}

static bool initdb_fault(struct supervisor *s, struct fault *fault)
{
    char *tail = server_log_tail(s->log, s->log_start);
    if (s->stopping) {
        free(tail);
        return fault_set(fault, FAULT_INTERRUPTED, "interrupted");
    }
    fault_set(fault, FAULT_CONNECTION, "initdb of %s failed", s->bindir);
    if (tail && strstr(tail, "could not look up effective user ID")) {
        fault_text(&fault->hint, "the user %u has no name here; libnss-wrapper gives it one",
                   (unsigned)geteuid());
    } else if (tail && strstr(tail, "cannot run") && s->stepped_down) {
        fault_text(&fault->hint, "it runs as the user %s, who must be able to reach and run it",
                   s->user.name);
    }
    fault_text(&fault->detail, "%s", tail ? tail : "");
    free(tail);
    return false;
}

bool server_initdb(struct supervisor *s, const char *data, struct fault *fault)
{
    char *program = server_path("%s/initdb", s->bindir);
    char *lc_ctype = server_path("--lc-ctype=%s", character_type());
    char *const argv[] = {program,
                          "-D",
                          (char *)(uintptr_t)data,
                          "-E",
                          "UTF8",
                          "--locale=C",
                          lc_ctype,
                          "--no-instructions",
                          "-U",
                          "postgres",
                          "-A",
                          "trust",
                          NULL};
    bool ok = program && lc_ctype && server_child_start(s, argv, SIGKILL, fault);
    while (ok && !s->child_ended && !s->stopping) {
        server_wait(s, 1000);
    }
    if (ok && !s->child_ended) {
        kill(-s->child, SIGKILL);
        server_child_await(s, INITDB_MS);
    }
    if (ok && (s->stopping || s->child_status != 0)) {
        server_tree_remove(AT_FDCWD, data);
        ok = initdb_fault(s, fault);
    }
    free(program);
    free(lc_ctype);
    return ok;
}

// A folder that is ours and that nobody else can write to.
static bool is_ours(const char *path)
{
    struct stat info;
    return server_folder_make(path) && lstat(path, &info) == 0 && S_ISDIR(info.st_mode) &&
           info.st_uid == geteuid() && (info.st_mode & 022) == 0 && access(path, W_OK | X_OK) == 0;
}

static char *checked(char *path)
{
    if (path && !is_ours(path)) {
        free(path);
        return NULL;
    }
    return path;
}

// The cache of the user that PostgreSQL runs as; one under /tmp when there is no better place.
static char *cache_folder(const struct supervisor *s)
{
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    unsigned uid = (unsigned)geteuid();
    char *path = NULL;
    if (s->stepped_down) { // made by root before, see cache_prepare() in server_supervise.c
        path = checked(server_path("/var/cache/luamig/%u", uid));
    } else {
        const struct passwd *entry = home && *home ? NULL : getpwuid(geteuid());
        home = entry ? entry->pw_dir : home;
        if (cache && cache[0] == '/') {
            path = checked(server_path("%s/luamig", cache));
        }
        if (!path && home && home[0] == '/') {
            path = checked(server_path("%s/.cache/luamig", home));
        }
    }
    return path ? path : checked(server_path("/tmp/luamig-%u", uid));
}

static uint64_t hash_add(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ bytes[i]) * UINT64_C(1099511628211); // FNV-1a
    }
    return hash;
}

// A template belongs to one build of PostgreSQL and one way of calling initdb.
static char *template_path(const struct supervisor *s, const char *cache)
{
    struct stat info = {0};
    char *program = server_path("%s/postgres", s->bindir);
    if (!program || stat(program, &info) != 0) {
        free(program);
        return NULL;
    }
    const char *type = character_type();
    int64_t facts[] = {LAYOUT, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
    uint64_t hash = hash_add(UINT64_C(14695981039346656037), facts, sizeof facts);
    hash = hash_add(hash, program, strlen(program));
    hash = hash_add(hash, type, strlen(type));
    free(program);
    return server_path("%s/template-%016" PRIx64, cache, hash);
}

// Templates of builds that are gone: nobody has locked them for a month. The lock files stay.
static void templates_forget(const char *cache)
{
    static const char suffix[] = ".lock";
    DIR *folder = opendir(cache);
    struct stat info;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        const char *name = entry->d_name;
        size_t size = strlen(name);
        if (size < sizeof suffix || strcmp(name + size - (sizeof suffix - 1), suffix) != 0 ||
            fstatat(dirfd(folder), name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
            info.st_mtim.tv_sec > time(NULL) - MONTH_S) {
            continue;
        }
        int lock = openat(dirfd(folder), name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
        char *template = strndup(name, size - (sizeof suffix - 1));
        if (lock >= 0 && template && flock(lock, LOCK_EX | LOCK_NB) == 0) {
            server_tree_remove(dirfd(folder), template);
        }
        if (lock >= 0) {
            close(lock);
        }
        free(template);
    }
    if (folder) {
        closedir(folder);
    }
}

// Under the lock: initdb beside it, then renamed, so that a template is whole or not there.
static bool template_build(struct supervisor *s, const char *path, bool distrust,
                           struct fault *fault)
{
    char *unfinished = server_path("%s.new", path);
    bool ok = unfinished != NULL;
    if (distrust) {
        server_tree_remove(AT_FDCWD, path);
    }
    if (ok && access(path, F_OK) != 0) {
        server_tree_remove(AT_FDCWD, unfinished);
        ok = server_initdb(s, unfinished, fault);
        if (ok && rename(unfinished, path) != 0) {
            ok = fault_set(fault, FAULT_CONNECTION, "cannot make %s: %s", path, strerror(errno));
        }
        s->created = ok;
    }
    free(unfinished);
    return ok;
}

static bool lock_await(struct supervisor *s, int lock, int operation, struct fault *fault)
{
    while (flock(lock, operation | LOCK_NB) != 0) {
        server_wait(s, 10);
        if (s->stopping) {
            return fault_set(fault, FAULT_INTERRUPTED, "interrupted");
        }
    }
    return true;
}

// Copied under the shared lock, made under the exclusive one.
static bool template_copy(struct supervisor *s, const char *path, int lock, bool distrust,
                          struct fault *fault)
{
    for (int tries = 0; tries < 3; tries++) {
        if (!lock_await(s, lock, LOCK_SH, fault)) {
            return false;
        } else if (!distrust && access(path, F_OK) == 0) {
            return server_tree_copy(path, s->data, fault);
        } else if (!lock_await(s, lock, LOCK_EX, fault) ||
                   !template_build(s, path, distrust, fault)) {
            return false;
        }
        distrust = false;
    }
    return fault_set(fault, FAULT_CONNECTION, "%s cannot be kept", path);
}

bool server_data_make(struct supervisor *s, bool distrust, struct fault *fault)
{
    char *cache = cache_folder(s);
    char *path = cache ? template_path(s, cache) : NULL;
    char *lock_path = path ? server_path("%s.lock", path) : NULL;
    int lock = server_lock_open(lock_path);
    bool ok = lock >= 0 ? template_copy(s, path, lock, distrust, fault)
                        : server_initdb(s, s->data, fault);
    if (lock >= 0) {
        futimens(lock, NULL);
        close(lock);
    }
    if (s->created) {
        templates_forget(cache);
    }
    free(lock_path);
    free(path);
    free(cache);
    return ok;
}
