// Trees of files: copied, deleted, measured; never through a symbolic link.
#include "server_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 8192, BUFFER = 16 * BLOCK, TAIL_SIZE = 4096, TAIL_LINES = 12 };

char *server_path(const char *format, ...)
{
    va_list arguments;
    char *text = NULL;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0) {
        text = NULL;
    }
    va_end(arguments);
    return text;
}

bool server_folder_make(const char *path)
{
    char *copy = strdup(path);
    if (!copy) {
        return false;
    }
    for (char *at = strchr(copy + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        mkdir(copy, 0700); // what is wrong with it shows at the last one
        *at = '/';
    }
    free(copy);
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

static DIR *folder_open(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    if (fd >= 0 && !folder) {
        close(fd);
    }
    return folder;
}

static const char *folder_next(DIR *folder)
{
    struct dirent *entry;
    do {
        entry = readdir(folder);
    } while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
    return entry ? entry->d_name : NULL;
}

static bool folder_remove(int parent, const char *name)
{
    DIR *folder = folder_open(parent, name);
    if (!folder) {
        return errno == ENOENT;
    }
    for (const char *each; (each = folder_next(folder));) {
        if (unlinkat(dirfd(folder), each, 0) != 0 && errno != ENOENT) {
            folder_remove(dirfd(folder), each);
        }
    }
    closedir(folder);
    return unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

bool server_tree_remove(int parent, const char *name)
{
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT) {
        return true;
    }
    // A process that is just dying may still make a file in it.
    for (int tries = 0; tries < 50; tries++) {
        if (folder_remove(parent, name)) {
            return true;
        }
        nanosleep(&pause, NULL);
    }
    return false;
}

static bool is_zero(const char *block, size_t size)
{
    return block[0] == 0 && memcmp(block, block + 1, size - 1) == 0;
}

// New WAL is zeroes for the most part; leaving them out halves the time.
static bool blocks_write(int to, const char *buffer, size_t size, off_t offset)
{
    for (size_t at = 0; at < size; at += BLOCK) {
        size_t count = size - at < BLOCK ? size - at : BLOCK;
        if (!is_zero(buffer + at, count) &&
            pwrite(to, buffer + at, count, offset + (off_t)at) != (ssize_t)count) {
            return false;
        }
    }
    return true;
}

static bool content_copy(int from, int to, off_t size)
{
    if (size == 0 || ioctl(to, FICLONE, from) == 0) {
        return true;
    }
    char buffer[BUFFER];
    for (off_t at = 0; at < size;) {
        ssize_t count = pread(from, buffer, sizeof buffer, at);
        if (count <= 0 || !blocks_write(to, buffer, (size_t)count, at)) {
            return false;
        }
        at += count;
    }
    return ftruncate(to, size) == 0;
}

static bool file_copy(int from_folder, int to_folder, const char *name, const struct stat *info)
{
    int from = openat(from_folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    int to = openat(to_folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = from >= 0 && to >= 0 && content_copy(from, to, info->st_size);
    if (from >= 0) {
        close(from);
    }
    if (to >= 0) {
        ok = close(to) == 0 && ok;
    }
    return ok;
}

static bool folder_copy(int from_parent, const char *from, int to_parent, const char *to);

static bool entry_copy(int from, int to, const char *name)
{
    struct stat info;
    if (fstatat(from, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        return false;
    }
    return S_ISDIR(info.st_mode) ? folder_copy(from, name, to, name)
                                 : file_copy(from, to, name, &info);
}

static bool folder_copy(int from_parent, const char *from, int to_parent, const char *to)
{
    DIR *source = folder_open(from_parent, from);
    bool made = source && mkdirat(to_parent, to, 0700) == 0;
    int target = made ? openat(to_parent, to, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    bool ok = target >= 0;
    for (const char *each; ok && (each = folder_next(source));) {
        ok = entry_copy(dirfd(source), target, each);
    }
    int saved = errno;
    if (target >= 0) {
        close(target);
    }
    if (source) {
        closedir(source);
    }
    errno = saved;
    return ok;
}

bool server_tree_copy(const char *from, const char *to, struct fault *fault)
{
    if (folder_copy(AT_FDCWD, from, AT_FDCWD, to)) {
        return true;
    }
    return fault_set(fault, FAULT_CONNECTION, "cannot copy %s to %s: %s", from, to,
                     strerror(errno));
}

int64_t server_tree_size(int parent, const char *name)
{
    struct stat info;
    int64_t size = 0;
    DIR *folder = folder_open(parent, name);
    for (const char *each; folder && (each = folder_next(folder));) {
        if (fstatat(dirfd(folder), each, &info, AT_SYMLINK_NOFOLLOW) != 0) {
            continue;
        }
        size += S_ISDIR(info.st_mode) ? server_tree_size(dirfd(folder), each)
                                      : (int64_t)info.st_blocks * 512;
    }
    if (folder) {
        closedir(folder);
    }
    return size;
}

bool server_file_read(const char *path, off_t offset, char *out, size_t size)
{
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t count = fd >= 0 ? pread(fd, out, size - 1, offset) : -1;
    if (fd >= 0) {
        close(fd);
    }
    if (count < 0) {
        return false;
    }
    out[count] = '\0';
    return true;
}

bool server_file_write(const char *path, const char *text)
{
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    if (fd < 0) {
        return false;
    }
    size_t size = strlen(text);
    bool ok = write(fd, text, size) == (ssize_t)size;
    return close(fd) == 0 && ok;
}

char *server_log_tail(const char *path, off_t offset)
{
    char text[TAIL_SIZE];
    struct stat info;
    if (!path || stat(path, &info) != 0) {
        return strdup("");
    }
    off_t from = info.st_size - (TAIL_SIZE - 1);
    if (!server_file_read(path, from > offset ? from : offset, text, sizeof text)) {
        return strdup("");
    }
    size_t size = strlen(text);
    while (size > 0 && text[size - 1] == '\n') {
        text[--size] = '\0';
    }
    size_t start = size;
    for (int lines = 0; start > 0 && lines < TAIL_LINES; start--) {
        if (text[start - 1] == '\n' && ++lines == TAIL_LINES) {
            break;
        }
    }
    return strdup(text + start);
}

int server_lock_open(const char *path)
{
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    // Root makes the file for the user that the server steps down to.
    const char *slash = fd >= 0 && geteuid() == 0 ? strrchr(path, '/') : NULL;
    char *folder = slash ? strndup(path, (size_t)(slash - path)) : NULL;
    struct stat info;
    if (folder && stat(folder, &info) == 0 && fchown(fd, info.st_uid, info.st_gid) != 0) {
        errno = 0; // a file system without owners: then the lock can be opened by all
    }
    free(folder);
    return fd;
}
