#pragma once
// Files that are written whole or not at all, and a lock on a folder. Knows nothing of revisions.
// Functions return 0 or an errno: only the caller knows what the file means to the user.
#include <stddef.h>

/// Reads a file that fits into a buffer. EFBIG when it does not.
/// @param room  bytes of buffer
/// @param[out] size  bytes read; valid only on 0
int file_read(const char *path, char *buffer, size_t room, size_t *size);

/// Makes a new file, durably. EEXIST when there is one of that name already: two writers never
/// overwrite each other, and no reader sees half a file.
/// @param size  bytes of text
int file_create(const char *path, const char *text, size_t size);

/// Puts a new text in the place of a file, durably, keeping its permissions. A symbolic link stays
/// one: the file that it leads to changes.
/// @param size  bytes of text
int file_replace(const char *path, const char *text, size_t size);

/// Waits until no other process holds the folder, then holds it until the descriptor is closed (or
/// the process ends). Where the file system has no locks the folder counts as held.
/// @param[out] fd  valid only on 0
int file_lock(const char *folder, int *fd);
