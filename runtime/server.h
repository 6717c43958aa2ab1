#pragma once
// A PostgreSQL of the machine's own binaries, started and ended by luamig. Two kinds:
// a throwaway one, which dies with luamig and leaves nothing behind, and the one of a project,
// whose data stay in the project's folder, which several luamigs share and which ends when it is
// idle. Either is run by a supervisor, a process of luamig's own (see server_supervise). Knows
// nothing of libpq, Lua or revisions.
#include "fault.h"

#include <stdint.h>
#include <sys/types.h>

enum { SERVER_IDLE_MS = 5 * 60 * 1000, SERVER_OLDEST_MAJOR = 14 };

struct server_options {
    const char *home;            // the project's folder for its server; NULL: a throwaway one
    const char *bindir;          // of postgres and initdb; NULL: they are looked for
    int64_t idle_ms;             // a project's: ends after so long unused; 0: 5 min, < 0: never
    const char *auth;            // a throwaway's: how roles but postgres log in; NULL: trust
    bool in_memory;              // a throwaway's: its data are small, keep them in /dev/shm
    const char *const *settings; // "name=value" each, NULL at the end; may be NULL
};

/// A server in use; see server_start().
struct server {
    char *home;   // as in the options
    char *bindir; // where its binaries are
    char *socket; // directory of its socket
    char *data;   // its data directory
    char *log;    // its log file
    int pid;      // of the postmaster
    int major;    // 15; 0 when unknown
    bool started; // this call started it
    bool created; // this call made its data
    int hold;     // a lock (project) or a pipe (throwaway) that keeps it up; -1 when let go
    pid_t keeper; // supervisor of a throwaway one; -1 when there is none to wait for
    uid_t uid;    // whom a throwaway one runs as
    gid_t gid;
};

/// Starts a server and waits until it takes connections; that of a project is only joined when it
/// runs already, and stays up until server_stop(). A signal ends the wait.
/// @param[out] out    valid only on true; the caller calls server_free()
/// @param[out] fault  FAULT_CONNECTION (no binaries, failed start), FAULT_CONFIG (LUAMIG_PGBIN,
///                    rights, version of the data) or FAULT_INTERRUPTED
bool server_start(const struct server_options *options, struct server **out, struct fault *fault);

/// Ends a throwaway server and waits until nothing of it is left; lets go of a project's one, which
/// goes on. May be called twice.
void server_stop(struct server *server);

/// Stops and frees; NULL is fine.
void server_free(struct server *server);

/// Lets the program that replaces luamig by exec() keep the server up.
void server_bequeath(const struct server *server);

/// The libpq URL of a database, for the superuser postgres.
/// @param socket  directory of the socket
/// @return to be freed by the caller; NULL without memory
char *server_url(const char *socket, const char *database);

/// What a project's folder holds.
struct server_status {
    bool exists;      // there are data
    bool running;     // a server holds them
    bool ready;       // and takes connections
    int major;        // of the data; 0 when unknown
    int pid;          // of the postmaster; 0 when unknown
    int64_t size;     // of the data directory in bytes
    char socket[108]; // directory of the socket, "" when not running
};

/// Looks at a project's server without starting it.
bool server_inspect(const char *home, struct server_status *out, struct fault *fault);

/// Ends a project's server and waits for it; its sessions are cut off.
/// @param[out] was_running  valid only on true
bool server_shut_down(const char *home, bool *was_running, struct fault *fault);

/// Ends a project's server and deletes its data and log.
bool server_erase(const char *home, struct fault *fault);

/// Finds the folder that holds postgres and initdb: LUAMIG_PGBIN, PATH, `pg_config --bindir`,
/// Debian's versioned folders from the newest.
/// @param major     only this major version; 0 for the first that is there
/// @param[out] out  to be freed by the caller; valid only on true
bool server_find(int major, char **out, struct fault *fault);

/// The last lines of a log file.
/// @param offset  bytes before it are left out
/// @return to be freed by the caller; "" when there is nothing, NULL without memory
char *server_log_tail(const char *path, off_t offset);

/// The supervisor: what `luamig __supervise …` runs instead of the command line. It steps down from
/// root, starts PostgreSQL, watches it and cleans up after it.
/// @return the exit status
int server_supervise(int argc, char **argv);
