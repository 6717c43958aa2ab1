#pragma once
// SQL text, understood by PostgreSQL's own parser (libpg_query): where each statement of a script
// begins and ends, and which of them luamig must treat specially. Knows nothing of connections or
// Lua. The parser is PostgreSQL 15's; text that it does not know is split by its scanner and left
// for the server to judge.
#include "fault.h"

#include <stddef.h>

enum sql_kind {
    SQL_OTHER,
    SQL_TRANSACTION, // BEGIN, COMMIT, ROLLBACK, SAVEPOINT, PREPARE TRANSACTION, …
    SQL_COPY,        // COPY that talks to the client: FROM STDIN, TO STDOUT
    SQL_CALL,        // CALL and DO: a procedure may commit by itself when no transaction is open
};

/// One statement of a script, without the semicolon and the white space around it. Comments before
/// and in it belong to it.
struct sql_piece {
    size_t offset; // in bytes, from 0
    size_t size;   // in bytes
    enum sql_kind kind;
    bool needs_autocommit; // the server refuses it inside a transaction block
    bool comment_last;     // a "--" on its last line: what follows must go on a new line
};

struct sql_script {
    struct sql_piece *pieces;
    size_t count;
};

/// Makes the script empty; the first thing to do with one.
void sql_script_init(struct sql_script *script);

/// Frees what the script owns and makes it empty; may be called twice.
void sql_script_clear(struct sql_script *script);

/// Splits a text into its statements; empty ones are left out. Text that is not valid SQL is no
/// fault: it is given back as a statement, and the server says what is wrong with it.
/// @param text        borrowed for the call
/// @param[out] out    an empty script; filled only on true; the caller calls sql_script_clear()
/// @param[out] fault  filled only on false: FAULT_MEMORY
bool sql_split(const char *text, struct sql_script *out, struct fault *fault);

/// The parse tree of a text as JSON, in the words of PostgreSQL's own nodes.
/// @param text        borrowed for the call
/// @param[out] out    valid only on true; NULL when the parser does not know the text; the caller
///                    frees it
/// @param[out] fault  filled only on false: FAULT_MEMORY
bool sql_tree(const char *text, char **out, struct fault *fault);
