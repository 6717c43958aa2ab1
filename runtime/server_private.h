#pragma once
// Shared by server*.c.
#include "server.h"

#include <stddef.h>

enum {
    SERVER_RUN_SIZE = 80,   // a run folder: short, since a socket's path has at most 107 bytes
    SERVER_LOCK_MS = 30000, // how long to wait for a server that is ending
};

/// Whom a server runs as.
struct server_user {
    uid_t uid;
    gid_t gid;
    char name[64];
};

/// Chooses it: oneself; for root, who may not run PostgreSQL, the owner of the project's folder,
/// else postgres, else nobody.
/// @param home  NULL for a throwaway server
bool server_user_pick(const char *home, struct server_user *out, struct fault *fault);

/// Becomes that user for good, when root.
bool server_user_become(const struct server_user *user, struct fault *fault);

// --- server_files.c: trees of files, without following links

/// Formats a path; the caller frees. NULL without memory, which every user of it takes for ENOENT.
char *server_path(const char *format, ...) __attribute__((format(printf, 1, 2)));

/// Makes a folder (0700) and those above it.
bool server_folder_make(const char *path);

/// Deletes a file or a tree; what is not there is no failure.
/// @param parent  folder that holds it, or AT_FDCWD
bool server_tree_remove(int parent, const char *name);

/// Copies a tree; holes and blocks of zeroes become holes.
bool server_tree_copy(const char *from, const char *to, struct fault *fault);

/// Adds up the sizes of a tree's files, in bytes.
int64_t server_tree_size(int parent, const char *name);

/// Reads at most `size` - 1 bytes of a file, from `offset`, and ends them with a NUL.
/// @return false when it cannot be read
bool server_file_read(const char *path, off_t offset, char *out, size_t size);

/// Writes a file (0600) anew.
bool server_file_write(const char *path, const char *text);

/// Opens a lock file, making it for the owner of the folder; -1 on failure.
int server_lock_open(const char *path);

// --- server_pid.c: what postmaster.pid tells, and what a dead postmaster leaves

struct server_postmaster {
    int pid;
    int shm_key, shm_id; // of its SysV segment; id -1 when unknown
    char socket[108];    // directory
    bool ready;          // takes connections
};

/// Reads postmaster.pid of a data directory; false when there is none.
bool server_postmaster_read(const char *data, struct server_postmaster *out);

/// Is the process with that pid a postmaster of this data directory?
bool server_postmaster_runs(const char *data, int pid);

/// Is somebody listening on the socket in that folder?
bool server_socket_answers(const char *folder);

/// Removes what a dead postmaster left: its segment, and postmaster.pid, whose pid may be another
/// process's by now. The caller knows that no process of the server is alive.
void server_leftovers_remove(const char *data);

/// Deletes a run folder (socket, data of a throwaway server) when no process holds it.
/// @return false when it is held
bool server_run_remove(const char *path);

/// Deletes every run folder of this user that no process holds.
void server_run_prune(void);

/// Where run folders of data that fit into memory are made: "/dev/shm", or "" when there is not
/// enough room (64 MB in a container of Docker).
const char *server_run_memory(void);

/// Is a project's server up and taking connections?
bool server_usable(const char *home, struct server_postmaster *out);

/// Is a lock file held by another process? Does not wait.
bool server_lock_held(const char *path);

/// A number that tells a process from a later one with the same pid; 0 when it cannot be had.
unsigned long long server_process_birth(int pid);

// --- luamig's side: server.c, server_home.c

/// Runs a supervisor ("throwaway" or "project") and waits for its report.
bool server_supervisor_run(const char *mode, const struct server_options *options,
                           const struct server_user *user, struct server *server,
                           struct fault *fault);

/// Joins a project's server, which is started when it does not run.
bool server_join(const struct server_options *options, struct server *server, struct fault *fault);

// --- the supervisor

enum server_mode { SERVER_THROWAWAY, SERVER_PROJECT, SERVER_PRUNE };

struct supervisor {
    enum server_mode mode;
    const char *home; // of a project; SERVER_THROWAWAY: where to make its run folder, or "";
                      // SERVER_PRUNE: a run folder
    const char *bindir;
    const char *auth; // NULL: trust
    char **settings;  // "name=value", NULL at the end
    int64_t idle_ms;
    struct server_user user;
    bool stepped_down; // was root
    int lifeline;      // EOF when luamig ends; -1: none, or it has ended
    int report;        // where the outcome is told; -1 when told
    int signals;       // signalfd
    int run_lock;      // run folder, locked; PostgreSQL inherits it
    int home_lock;     // a project's server.lock; PostgreSQL inherits it
    int use_lock;      // a project's use.lock
    int home_fd;       // the project's folder, in case its path cannot be walked
    char run[SERVER_RUN_SIZE];
    char *base; // the project's folder as PostgreSQL can reach it
    char *data;
    char *log;
    off_t log_start; // of what this server writes
    bool created;    // the data (or the template) were made now
    bool stopping;   // asked to end
    bool childless;  // every child has been reaped
    pid_t child;     // that is waited for
    bool child_ended;
    int child_status; // of waitpid()
};

/// Waits until a child ends, the supervisor is asked to stop or the time is over.
void server_wait(struct supervisor *s, int timeout_ms);

/// Starts a program in a process that dies with the supervisor; s->child is its pid.
/// @param death_signal  what it gets when the supervisor dies
bool server_child_start(struct supervisor *s, char *const argv[], int death_signal,
                        struct fault *fault);

/// Waits until s->child has ended; false when it has not within the time.
bool server_child_await(struct supervisor *s, int64_t timeout_ms);

/// Ends every child that is left, and waits for them.
void server_children_end(struct supervisor *s);

/// Runs initdb, into a folder that does not exist.
bool server_initdb(struct supervisor *s, const char *data, struct fault *fault);

/// Fills s->data: from the cached template, which is made when there is none.
/// @param distrust  the cached template is made anew
bool server_data_make(struct supervisor *s, bool distrust, struct fault *fault);

/// Starts PostgreSQL on s->data and waits until it takes connections.
bool server_postgres_start(struct supervisor *s, struct fault *fault);

/// Ends PostgreSQL and every process of it, and removes what a killed one left.
void server_postgres_end(struct supervisor *s);

/// Were the data made by a PostgreSQL that luamig does not work with?
bool server_is_too_old(struct supervisor *s, struct fault *fault);

/// Starts a project's server.
/// @param[out] usable  another supervisor's server is there, and has been reported
bool server_project_start(struct supervisor *s, bool *usable, struct fault *fault);

/// Tells luamig that the server takes connections.
void server_report_ready(struct supervisor *s, int pid, const char *socket);

/// Makes and locks the run folder.
bool server_run_make(struct supervisor *s, struct fault *fault);

/// Is a project's server unused for long enough? When true, use.lock is held: nobody can come in
/// between.
bool server_is_idle(struct supervisor *s, int64_t *last_use_ms);
