#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_SIZE = 64, NAME_ATTEMPTS = 100 };

// The folder of a path, owned by the caller; NULL when there is no memory.
static char *folder_of(const char *path)
{
    char *copy = strdup(path);
    char *folder = copy ? strdup(dirname(copy)) : NULL;
    free(copy);
    return folder;
}

// Opens a file of a new name in the folder; luamig takes no name with a leading dot for a revision.
static int temporary_open(const char *folder, char **path, int *fd)
{
    size_t size = strlen(folder) + NAME_SIZE;
    char *name = malloc(size);
    if (!name) {
        return ENOMEM;
    }
    int error = EEXIST;
    for (unsigned i = 0; i < NAME_ATTEMPTS && error == EEXIST; i++) {
        snprintf(name, size, "%s/.luamig-%ld-%u.tmp", folder, (long)getpid(), i);
        *fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        error = *fd < 0 ? errno : 0;
    }
    if (error) {
        free(name);
        return error;
    }
    *path = name;
    return 0;
}

static int text_write(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, text, size);
        if (written < 0 && errno != EINTR) {
            return errno;
        }
        if (written > 0) {
            text += written;
            size -= (size_t)written;
        }
    }
    return fsync(fd) == 0 ? 0 : errno;
}

// The name of a file lasts only when its folder is on the disk too; not every file system can.
static void folder_sync(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

// Moves a file to a name that nothing has.
static int move_new(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) {
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return errno;
    }
    if (link(from, to) != 0) { // NFS has no exclusive rename, but it has links
        return errno;
    }
    unlink(from);
    return 0;
}

static int move_over(const char *from, const char *to)
{
    return rename(from, to) == 0 ? 0 : errno;
}

// Writes the text under a name of its own and moves it to `path`.
static int write_and_move(const char *path, const char *text, size_t size, const struct stat *like,
                          int (*move)(const char *from, const char *to))
{
    char *temporary = NULL;
    int fd = -1;
    char *folder = folder_of(path);
    int error = folder ? temporary_open(folder, &temporary, &fd) : ENOMEM;
    if (error) {
        goto out;
    }
    error = text_write(fd, text, size);
    if (!error && like) {
        error = fchmod(fd, like->st_mode & 07777) == 0 ? 0 : errno;
        if (fchown(fd, like->st_uid, like->st_gid) != 0) { // only root may give files away
            errno = 0;
        }
    }
    if (close(fd) != 0 && !error) {
        error = errno;
    }
    error = error ? error : move(temporary, path);
    if (error) {
        unlink(temporary);
    } else {
        folder_sync(folder);
    }
out:
    free(temporary);
    free(folder);
    return error;
}

int file_read(const char *path, char *buffer, size_t room, size_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    size_t have = 0;
    ssize_t got = 1;
    while (have < room && (got = read(fd, buffer + have, room - have)) != 0) {
        if (got < 0 && errno != EINTR) {
            int error = errno;
            close(fd);
            return error;
        }
        have += got > 0 ? (size_t)got : 0;
    }
    close(fd);
    *size = have;
    return got == 0 ? 0 : EFBIG;
}

int file_create(const char *path, const char *text, size_t size)
{
    return write_and_move(path, text, size, NULL, move_new);
}

int file_replace(const char *path, const char *text, size_t size)
{
    struct stat before;
    char *target = realpath(path, NULL);
    if (!target) {
        return errno;
    }
    int error = stat(target, &before) == 0 ? 0 : errno;
    if (!error) {
        error = write_and_move(target, text, size, &before, move_over);
    }
    free(target);
    return error;
}

int file_lock(const char *folder, int *fd)
{
    int opened = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0) {
        return errno;
    }
    if (flock(opened, LOCK_EX) != 0 && errno == EINTR) {
        close(opened);
        return EINTR;
    }
    *fd = opened;
    return 0;
}
