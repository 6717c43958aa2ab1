// Whom PostgreSQL runs as: it refuses to run as root.
#include "server_private.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool user_named(const char *name, uid_t uid, struct server_user *out)
{
    char buffer[4096];
    struct passwd entry, *found = NULL;
    int status = name ? getpwnam_r(name, &entry, buffer, sizeof buffer, &found)
                      : getpwuid_r(uid, &entry, buffer, sizeof buffer, &found);
    if (status != 0 || !found || entry.pw_uid == 0) {
        return false;
    }
    *out = (struct server_user){.uid = entry.pw_uid, .gid = entry.pw_gid};
    snprintf(out->name, sizeof out->name, "%s", entry.pw_name);
    return true;
}

// The data's owner, else the folder's, else the project's; initdb wants a user with a name.
static bool owner_of(const char *home, struct server_user *out)
{
    const char *slash = strrchr(home, '/');
    char *const places[] = {server_path("%s/pg", home), strdup(home),
                            strndup(home, slash && slash > home ? (size_t)(slash - home) : 1)};
    bool found = false;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct stat info;
        found = found ||
                (places[i] && stat(places[i], &info) == 0 && user_named(NULL, info.st_uid, out));
        free(places[i]);
    }
    return found;
}

bool server_user_pick(const char *home, struct server_user *out, struct fault *fault)
{
    if (geteuid() != 0) {
        *out = (struct server_user){.uid = geteuid(), .gid = getegid()};
        return true;
    }
    if ((home && owner_of(home, out)) || user_named("postgres", 0, out) ||
        user_named("nobody", 0, out)) {
        return true;
    }
    fault_set(fault, FAULT_CONFIG,
              "PostgreSQL does not run as root, and there is no user "
              "postgres or nobody to run it as");
    fault_text(&fault->hint, "run luamig as an ordinary user, or use a server with --url");
    return false;
}

bool server_user_become(const struct server_user *user, struct fault *fault)
{
    if (geteuid() != 0) {
        return true;
    }
    if (setgroups(0, NULL) != 0 || setgid(user->gid) != 0 || setuid(user->uid) != 0) {
        fault_set(fault, FAULT_CONFIG, "cannot run PostgreSQL as the user %s: %s", user->name,
                  strerror(errno));
        return false;
    }
    prctl(PR_SET_DUMPABLE, 1); // or /proc/self would be root's
    return true;
}
