#pragma once
// The one error shape. A fault is born where something went wrong, completed on the way up and
// printed once; nobody logs an error in between. This unit knows nothing of libpq or Lua.
#include <stdbool.h>

/// What went wrong, from the user's point of view. The names are those of fault.lua, which alone
/// knows the exit status of each.
enum fault_kind {
    FAULT_NONE,
    FAULT_SERVER,      // the server refused a statement; sqlstate is set
    FAULT_CONNECTION,  // no connection, or the connection was lost
    FAULT_INTERRUPTED, // the user asked to stop
    FAULT_LOCK,        // a lock was not had in time
    FAULT_GRAPH,       // the revision graph is unsound or a target is not in it
    FAULT_USAGE,       // wrong options or arguments
    FAULT_CONFIG,      // wrong configuration
    FAULT_OPERATION,   // an operation was used wrongly
    FAULT_SCRIPT,      // a revision script failed
    FAULT_MEMORY,      // no memory
};

/// A text field is owned and NULL when absent.
struct fault {
    enum fault_kind kind;
    char *message;
    char sqlstate[6]; // "" when absent
    char *detail;
    char *hint;
    char *context;
    char *constraint;
    char *statement; // SQL text
    int position;    // in statement, characters from 1; 0 when absent
    char *file;      // file of the user
    int line;        // 0 when absent
    char *revision;
    char *state;   // what the database holds now
    char *attempt; // `try`: the command to type next
    long seq;      // number of the pipelined statement that failed; 0 when absent
};

/// Makes the fault empty; the first thing to do with one.
void fault_init(struct fault *fault);

/// Frees what the fault owns and makes it empty; may be called twice.
void fault_clear(struct fault *fault);

/// Fills an empty fault and returns false, so that a failing function can `return fault_set(…)`.
/// @param format  printf format; lower case, no full stop
bool fault_set(struct fault *fault, enum fault_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/// Sets a text field of a fault: `fault_text(&fault->hint, "…")`. An earlier text stays.
void fault_text(char **field, const char *format, ...) __attribute__((format(printf, 2, 3)));

/// Moves a fault; `from` is empty afterwards.
void fault_move(struct fault *to, struct fault *from);

/// The name that Lua and JSON use: "server", "connection", …
const char *fault_kind_name(enum fault_kind kind);
