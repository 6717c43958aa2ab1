// Is a project's server unused? Told by the kernel, not by a connection of our own.
#include "server_private.h"

#include "clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

// Columns of /proc/net/unix: num, refs, protocol, flags, type, state, inode, path. An accepted
// connection has the path of the socket that it came in by; 03 is "connected".
static bool is_connection(const char *line, const char *path)
{
    unsigned state = 0;
    const char *at = strrchr(line, ' ');
    return at && strcmp(at + 1, path) == 0 && sscanf(line, "%*s %*x %*x %*x %*x %x", &state) == 1 &&
           state == 3;
}

static bool is_connected(const struct supervisor *s)
{
    char *path = server_path("%s/.s.PGSQL.5432", s->run);
    FILE *file = fopen("/proc/net/unix", "re");
    char *line = NULL;
    size_t size = 0;
    bool found = !path || !file; // what cannot be seen must not be cut off
    while (!found && getline(&line, &size, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        found = is_connection(line, path);
    }
    free(line);
    free(path);
    if (file) {
        fclose(file);
    }
    return found;
}

// A luamig that works holds use.lock, and touches it when it comes: one that was there for a moment
// between two looks counts too.
static int64_t last_touch_ms(const struct supervisor *s)
{
    struct stat info;
    struct timespec now;
    if (fstat(s->use_lock, &info) != 0 || clock_gettime(CLOCK_REALTIME, &now) != 0) {
        return 0;
    }
    int64_t ago_ms = (int64_t)(now.tv_sec - info.st_mtim.tv_sec) * 1000 +
                     (now.tv_nsec - info.st_mtim.tv_nsec) / 1000000;
    return ago_ms < 0 ? 0 : clock_now_ms() - ago_ms;
}

bool server_is_idle(struct supervisor *s, int64_t *last_use_ms)
{
    int64_t touched = last_touch_ms(s);
    if (touched > *last_use_ms) {
        *last_use_ms = touched;
    }
    if (is_connected(s)) {
        *last_use_ms = clock_now_ms();
    }
    if (s->idle_ms < 0 || clock_now_ms() - *last_use_ms < s->idle_ms) {
        return false;
    }
    if (flock(s->use_lock, LOCK_EX | LOCK_NB) != 0) {
        *last_use_ms = clock_now_ms();
        return false;
    }
    if (is_connected(s)) {
        flock(s->use_lock, LOCK_UN);
        return false;
    }
    return true;
}
