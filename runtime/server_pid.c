// What postmaster.pid tells of a server, and what a dead one leaves behind.
#include "server_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/un.h>
#include <unistd.h>

enum { PARENT_AT_MOST = 60 };

static const char RUN_PREFIX[] = "lm-";
static const char MEMORY[] = "/dev/shm";
static const uint64_t MEMORY_AT_LEAST = UINT64_C(1) << 30; // free bytes

// The lines of the file: pid, data directory, start, port, socket directory, address,
// "key id" of the SysV segment, status.
bool server_postmaster_read(const char *data, struct server_postmaster *out)
{
    char text[2048];
    char *path = server_path("%s/postmaster.pid", data);
    bool there = server_file_read(path, 0, text, sizeof text);
    free(path);
    memset(out, 0, sizeof *out);
    out->shm_id = -1;
    if (!there) {
        return false;
    }
    char *rest = text, *line;
    for (int number = 1; (line = strsep(&rest, "\n")); number++) {
        if (number == 1) {
            out->pid = atoi(line);
        } else if (number == 5 && strlen(line) < sizeof out->socket) {
            strcpy(out->socket, line);
        } else if (number == 7 && sscanf(line, "%d %d", &out->shm_key, &out->shm_id) != 2) {
            out->shm_id = -1;
        } else if (number == 8) {
            out->ready = strncmp(line, "ready", 5) == 0;
        }
    }
    return out->pid > 0;
}

bool server_postmaster_runs(const char *data, int pid)
{
    struct stat of_process, of_data;
    char link[64];
    if (kill(pid, 0) != 0 && errno == ESRCH) {
        return false;
    }
    // A postmaster works in its data directory; another process with its old pid does not.
    snprintf(link, sizeof link, "/proc/%d/cwd", pid);
    return stat(link, &of_process) == 0 && stat(data, &of_data) == 0 &&
           of_process.st_dev == of_data.st_dev && of_process.st_ino == of_data.st_ino;
}

bool server_socket_answers(const char *folder)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int size = snprintf(address.sun_path, sizeof address.sun_path, "%s/.s.PGSQL.5432", folder);
    if (size >= (int)sizeof address.sun_path) {
        return false;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

// The kernel keeps a SysV segment until it is removed; the one of a killed postmaster stays.
static void segment_remove(const struct server_postmaster *postmaster)
{
    struct shmid_ds info;
    if (postmaster->shm_id >= 0 && shmctl(postmaster->shm_id, IPC_STAT, &info) == 0 &&
        info.shm_perm.__key == postmaster->shm_key && info.shm_cpid == postmaster->pid) {
        shmctl(postmaster->shm_id, IPC_RMID, NULL);
    }
}

void server_leftovers_remove(const char *data)
{
    struct server_postmaster postmaster;
    if (!data || !server_postmaster_read(data, &postmaster)) {
        return;
    }
    segment_remove(&postmaster);
    char *path = server_path("%s/postmaster.pid", data);
    if (path) {
        unlink(path);
    }
    free(path);
}

// Not a TMPDIR that would make the path of a socket too long.
static const char *parent_default(void)
{
    const char *folder = getenv("TMPDIR");
    bool fits = folder && folder[0] == '/' && strlen(folder) <= PARENT_AT_MOST;
    return fits && access(folder, W_OK | X_OK) == 0 ? folder : "/tmp";
}

const char *server_run_memory(void)
{
    struct statfs info;
    bool fits = statfs(MEMORY, &info) == 0 && info.f_type == TMPFS_MAGIC &&
                (uint64_t)info.f_bavail * (uint64_t)info.f_bsize >= MEMORY_AT_LEAST;
    return fits ? MEMORY : "";
}

bool server_run_remove(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT;
    }
    // Every process of the server holds the lock: none is alive when it can be had.
    bool is_free = flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (is_free) {
        char *data = server_path("%s/data", path);
        server_leftovers_remove(data);
        free(data);
        server_tree_remove(AT_FDCWD, path);
    }
    close(fd);
    return is_free;
}

static void prune_in(const char *parent)
{
    DIR *folder = opendir(parent);
    struct stat info;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        const char *name = entry->d_name;
        if (strncmp(name, RUN_PREFIX, sizeof RUN_PREFIX - 1) != 0 || strlen(name) != 9 ||
            fstatat(dirfd(folder), name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISDIR(info.st_mode) || info.st_uid != geteuid()) {
            continue;
        }
        char *path = server_path("%s/%s", parent, name);
        if (path) {
            server_run_remove(path);
        }
        free(path);
    }
    if (folder) {
        closedir(folder);
    }
}

void server_run_prune(void)
{
    const char *parent = parent_default();
    prune_in(parent);
    prune_in(MEMORY);
    if (strcmp(parent, "/tmp") != 0) {
        prune_in("/tmp");
    }
}

// mkdtemp(), then the lock; one that prunes may have come in between and taken the folder away.
static int run_try(struct supervisor *s, const char *parent)
{
    snprintf(s->run, sizeof s->run, "%s/%sXXXXXX", parent, RUN_PREFIX);
    if (!mkdtemp(s->run)) {
        s->run[0] = '\0';
        return -1;
    }
    struct stat ours, there;
    int fd = open(s->run, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX) == 0 && fstat(fd, &ours) == 0 && stat(s->run, &there) == 0 &&
        ours.st_ino == there.st_ino) {
        return fd;
    }
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

bool server_run_make(struct supervisor *s, struct fault *fault)
{
    bool is_asked = s->mode == SERVER_THROWAWAY && access(s->home, W_OK | X_OK) == 0;
    const char *parent = is_asked ? s->home : parent_default();
    server_run_prune();
    for (int tries = 0; s->run_lock < 0 && tries < 10; tries++) {
        s->run_lock = run_try(s, parent);
    }
    if (s->run_lock >= 0) {
        return true;
    }
    return fault_set(fault, FAULT_CONNECTION, "cannot make a folder in %s: %s", parent,
                     strerror(errno));
}

bool server_lock_held(const char *path)
{
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    bool held = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (fd >= 0) {
        close(fd);
    }
    return held;
}

bool server_usable(const char *home, struct server_postmaster *out)
{
    char *lock = server_path("%s/server.lock", home);
    char *data = server_path("%s/pg", home);
    bool ok = lock && data && server_lock_held(lock) && server_postmaster_read(data, out) &&
              out->ready && server_socket_answers(out->socket);
    free(lock);
    free(data);
    return ok;
}

unsigned long long server_process_birth(int pid)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    // The second field is a name in parentheses, which may hold anything; the start is field 22.
    const char *at = server_file_read(path, 0, text, sizeof text) ? strrchr(text, ')') : NULL;
    for (int field = 2; at && field < 22; field++) {
        at = strchr(at + 1, ' ');
    }
    return at ? strtoull(at, NULL, 10) : 0;
}
