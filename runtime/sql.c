#include "sql.h"

#include <ctype.h>
#include <pg_query.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    JOIN_LIMIT = 200,   // statements of one BEGIN ATOMIC body
    TREE_LIMIT = 65536, // bytes; a longer statement of a harmless kind is not parsed a second time
};

void sql_script_init(struct sql_script *script)
{
    *script = (struct sql_script){0};
}

void sql_script_clear(struct sql_script *script)
{
    free(script->pieces);
    sql_script_init(script);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

// ---- the first word ----

// Passes over one comment, which may hold others; `at` is behind its opening.
static const char *block_comment_skip(const char *at, const char *end)
{
    for (int depth = 1; depth > 0 && end - at >= 2;) {
        if (at[0] == '/' && at[1] == '*') {
            depth++;
            at += 2;
        } else if (at[0] == '*' && at[1] == '/') {
            depth--;
            at += 2;
        } else {
            at++;
        }
    }
    return at;
}

static const char *blank_skip(const char *at, const char *end)
{
    while (at < end) {
        if (is_space(*at)) {
            at++;
        } else if (end - at >= 2 && at[0] == '-' && at[1] == '-') {
            const char *newline = memchr(at, '\n', (size_t)(end - at));
            at = newline ? newline + 1 : end;
        } else if (end - at >= 2 && at[0] == '/' && at[1] == '*') {
            at = block_comment_skip(at + 2, end);
        } else {
            break;
        }
    }
    return at;
}

struct words {
    const char *at, *end;
};

// The next word is `word`; then it is passed over.
static bool word_take(struct words *words, const char *word)
{
    size_t size = strlen(word);
    const char *at = blank_skip(words->at, words->end);
    if ((size_t)(words->end - at) < size || strncasecmp(at, word, size) != 0 ||
        (at + size < words->end && is_word(at[size]))) {
        return false;
    }
    words->at = at + size;
    return true;
}

static bool word_among(struct words words, const char *const *list)
{
    for (; *list; list++) {
        if (word_take(&words, *list)) {
            return true;
        }
    }
    return false;
}

static bool word_within(const char *text, size_t size, const char *word)
{
    size_t length = strlen(word);
    for (size_t i = 0; i + length <= size; i++) {
        if (strncasecmp(text + i, word, length) == 0 && (i == 0 || !is_word(text[i - 1])) &&
            (i + length == size || !is_word(text[i + length]))) {
            return true;
        }
    }
    return false;
}

// ---- what kind of statement ----

static bool tree_has(const char *tree, const char *part)
{
    return strstr(tree, part) != NULL;
}

// The parse tree is JSON in which a quote inside a value is escaped, so a key with its quotes and
// its value cannot be mistaken for text of the user's.
static bool tree_is(const char *tree, const char *node)
{
    const char *statement = strstr(tree, "\"stmt\":{\"");
    size_t size = strlen(node);
    return statement && strncmp(statement + 9, node, size) == 0 && statement[9 + size] == '"';
}

// The option `name` (a key of DefElem with its value) is given, and switched off.
static bool option_is_off(const char *tree, const char *name)
{
    static const char *const off[] = {
        ",\"arg\":{\"String\":{\"sval\":\"false\"}}",
        ",\"arg\":{\"String\":{\"sval\":\"off\"}}",
        ",\"arg\":{\"Integer\":{}}",
        ",\"arg\":{\"Boolean\":{}}",
        NULL,
    };
    const char *option = strstr(tree, name);
    for (size_t i = 0; option && off[i]; i++) {
        if (strncasecmp(option + strlen(name), off[i], strlen(off[i])) == 0) {
            return true;
        }
    }
    return false;
}

static bool reindex_needs_autocommit(const char *tree)
{
    return tree_has(tree, "\"kind\":\"REINDEX_OBJECT_SCHEMA\"") ||
           tree_has(tree, "\"kind\":\"REINDEX_OBJECT_SYSTEM\"") ||
           tree_has(tree, "\"kind\":\"REINDEX_OBJECT_DATABASE\"") ||
           (tree_has(tree, "\"defname\":\"concurrently\"") &&
            !option_is_off(tree, "\"defname\":\"concurrently\""));
}

static bool subscription_needs_autocommit(const char *tree)
{
    if (tree_is(tree, "CreateSubscriptionStmt")) {
        return !option_is_off(tree, "\"defname\":\"create_slot\"") &&
               !option_is_off(tree, "\"defname\":\"connect\"");
    }
    if (tree_is(tree, "AlterSubscriptionStmt")) {
        return tree_has(tree, "\"kind\":\"ALTER_SUBSCRIPTION_REFRESH\"") ||
               ((tree_has(tree, "\"kind\":\"ALTER_SUBSCRIPTION_SET_PUBLICATION\"") ||
                 tree_has(tree, "\"kind\":\"ALTER_SUBSCRIPTION_ADD_PUBLICATION\"") ||
                 tree_has(tree, "\"kind\":\"ALTER_SUBSCRIPTION_DROP_PUBLICATION\"")) &&
                !option_is_off(tree, "\"defname\":\"refresh\""));
    }
    return tree_is(tree, "DropSubscriptionStmt");
}

// What calls PreventInTransactionBlock in the server's utility.c and the commands behind it.
static bool tree_needs_autocommit(const char *tree)
{
    static const char *const always[] = {
        "CreatedbStmt",         "DropdbStmt",         "AlterSystemStmt",
        "CreateTableSpaceStmt", "DropTableSpaceStmt", NULL,
    };
    for (size_t i = 0; always[i]; i++) {
        if (tree_is(tree, always[i])) {
            return true;
        }
    }
    if (tree_is(tree, "VacuumStmt")) {
        return tree_has(tree, "\"is_vacuumcmd\":true");
    }
    if (tree_is(tree, "IndexStmt") || tree_is(tree, "DropStmt") ||
        tree_is(tree, "AlterTableStmt")) {
        return tree_has(tree, "\"concurrent\":true");
    }
    if (tree_is(tree, "ReindexStmt")) {
        return reindex_needs_autocommit(tree);
    }
    if (tree_is(tree, "ClusterStmt")) {
        return !tree_has(tree, "\"relation\":");
    }
    if (tree_is(tree, "AlterDatabaseStmt")) {
        return tree_has(tree, "\"defname\":\"tablespace\"");
    }
    if (tree_is(tree, "DiscardStmt")) {
        return tree_has(tree, "\"target\":\"DISCARD_ALL\"");
    }
    return subscription_needs_autocommit(tree);
}

static void piece_judge_tree(struct sql_piece *piece, const char *tree)
{
    if (tree_is(tree, "TransactionStmt")) {
        piece->kind = SQL_TRANSACTION;
    } else if (tree_is(tree, "CopyStmt")) {
        piece->kind = tree_has(tree, "\"filename\":") ? SQL_OTHER : SQL_COPY;
    } else if (tree_is(tree, "CallStmt") || tree_is(tree, "DoStmt")) {
        piece->kind = SQL_CALL;
    } else {
        piece->needs_autocommit = tree_needs_autocommit(tree);
    }
}

// For text that the parser does not know: newer syntax, or an error.
static void piece_judge_words(struct sql_piece *piece, const char *text)
{
    static const char *const transaction[] = {"begin", "start",     "commit",  "end", "rollback",
                                              "abort", "savepoint", "release", NULL};
    static const char *const concurrent[] = {"create", "drop", "alter", "reindex", NULL};
    static const char *const always[] = {"vacuum", NULL};
    struct words words = {text, text + piece->size};
    struct words prepare = words;
    if (word_among(words, transaction) ||
        (word_take(&prepare, "prepare") && word_take(&prepare, "transaction"))) {
        piece->kind = SQL_TRANSACTION;
    } else {
        piece->needs_autocommit =
            word_among(words, always) ||
            (word_among(words, concurrent) && word_within(text, piece->size, "concurrently"));
    }
}

// Kinds of statements that may be long and need no look at their tree.
static bool piece_is_harmless(const struct sql_piece *piece, const char *text)
{
    static const char *const harmless[] = {"insert", "select", "with",  "update",
                                           "delete", "values", "merge", NULL};
    struct words words = {text, text + piece->size};
    return piece->size > TREE_LIMIT && word_among(words, harmless);
}

static bool piece_judge(struct sql_piece *piece, const char *script, struct fault *fault)
{
    const char *text = script + piece->offset;
    if (piece_is_harmless(piece, text)) {
        return true;
    }
    char *copy = strndup(text, piece->size);
    if (!copy) {
        return fault_set(fault, FAULT_MEMORY, "not enough memory");
    }
    PgQueryParseResult result = pg_query_parse(copy);
    if (result.error || !result.parse_tree) {
        piece_judge_words(piece, text);
    } else {
        piece_judge_tree(piece, result.parse_tree);
    }
    pg_query_free_parse_result(result);
    free(copy);
    return true;
}

// ---- where statements begin and end ----

static bool piece_add(struct sql_script *script, const char *text, size_t start, size_t end,
                      struct fault *fault)
{
    while (start < end && is_space(text[start])) {
        start++;
    }
    while (end > start && is_space(text[end - 1])) {
        end--;
    }
    if (start == end) {
        return true;
    }
    if ((script->count & (script->count - 1)) == 0) { // the room is a power of two
        size_t room = script->count ? script->count * 2 : 1;
        struct sql_piece *pieces = realloc(script->pieces, room * sizeof *pieces);
        if (!pieces) {
            return fault_set(fault, FAULT_MEMORY, "not enough memory");
        }
        script->pieces = pieces;
    }
    script->pieces[script->count++] = (struct sql_piece){.offset = start, .size = end - start};
    return true;
}

static bool split_add(struct sql_script *script, const char *text, const PgQuerySplitResult *split,
                      struct fault *fault)
{
    for (int i = 0; i < split->n_stmts; i++) {
        size_t start = (size_t)split->stmts[i]->stmt_location;
        size_t size = (size_t)split->stmts[i]->stmt_len;
        size_t end = size ? start + size : strlen(text);
        if (!piece_add(script, text, start, end, fault)) {
            return false;
        }
    }
    return true;
}

// How many statements the parser sees in a part of the text; -1 when it does not know the syntax.
static bool part_count(const char *text, size_t start, size_t end, int *count, struct fault *fault)
{
    char *copy = strndup(text + start, end - start);
    if (!copy) {
        return fault_set(fault, FAULT_MEMORY, "not enough memory");
    }
    PgQuerySplitResult split = pg_query_split_with_parser(copy);
    *count = split.error ? -1 : split.n_stmts;
    pg_query_free_split_result(split);
    free(copy);
    return true;
}

// The scanner passes over a statement without any keyword ("selec 1;"): only an error can have
// none, and the server must see it. What lies between two of its statements is such a one, or
// empty.
static bool gap_add(struct sql_script *script, const char *text, size_t start, size_t end,
                    struct fault *fault)
{
    while (start < end && (is_space(text[start]) || text[start] == ';')) {
        start++;
    }
    while (end > start && (is_space(text[end - 1]) || text[end - 1] == ';')) {
        end--;
    }
    int count = 0;
    if (start == end) {
        return true;
    }
    return part_count(text, start, end, &count, fault) &&
           (count == 0 || piece_add(script, text, start, end, fault));
}

static bool scanner_add(struct sql_script *script, const char *text,
                        const PgQuerySplitResult *split, struct fault *fault)
{
    size_t at = 0, length = strlen(text);
    for (int i = 0; i < split->n_stmts; i++) {
        size_t start = (size_t)split->stmts[i]->stmt_location;
        size_t size = (size_t)split->stmts[i]->stmt_len;
        size_t end = size ? start + size : length;
        if (!gap_add(script, text, at, start, fault) ||
            !piece_add(script, text, start, end, fault)) {
            return false;
        }
        at = end;
    }
    return gap_add(script, text, at, length, fault);
}

static bool piece_is_end(const struct sql_piece *piece, const char *text)
{
    struct words words = {text + piece->offset, text + piece->offset + piece->size};
    return word_take(&words, "end") && blank_skip(words.at, words.end) == words.end;
}

// The scanner cuts the body of a BEGIN ATOMIC function at its semicolons. Finds the piece that ends
// the function beginning at `first`: the first that makes it a whole for the parser, or, when its
// body has syntax that the parser does not know, the first that is just END.
static bool atomic_end(const struct sql_script *script, const char *text, size_t first,
                       size_t *last, struct fault *fault)
{
    size_t end_word = first;
    *last = first;
    for (size_t i = first; i < script->count && i - first < JOIN_LIMIT; i++) {
        const struct sql_piece *piece = &script->pieces[i];
        int count;
        if (!part_count(text, script->pieces[first].offset, piece->offset + piece->size, &count,
                        fault)) {
            return false;
        }
        if (count == 1) {
            *last = i;
            return true;
        }
        if (end_word == first && piece_is_end(piece, text)) {
            end_word = i;
        }
    }
    *last = end_word;
    return true;
}

static bool atomic_join(struct sql_script *script, const char *text, struct fault *fault)
{
    size_t kept = 0;
    for (size_t i = 0; i < script->count; i++) {
        struct sql_piece piece = script->pieces[i];
        if (word_within(text + piece.offset, piece.size, "atomic")) {
            size_t last;
            if (!atomic_end(script, text, i, &last, fault)) {
                return false;
            }
            i = last;
            piece.size = script->pieces[i].offset + script->pieces[i].size - piece.offset;
        }
        script->pieces[kept++] = piece;
    }
    script->count = kept;
    return true;
}

static bool unknown_split(const char *text, struct sql_script *out, struct fault *fault)
{
    PgQuerySplitResult split = pg_query_split_with_scanner(text);
    bool ok = split.error ? piece_add(out, text, 0, strlen(text), fault) // unterminated: one piece
                          : scanner_add(out, text, &split, fault);
    pg_query_free_split_result(split);
    return ok && atomic_join(out, text, fault);
}

static bool comment_is_last(const struct sql_piece *piece, const char *script)
{
    const char *at = script + piece->offset + piece->size;
    for (; at > script + piece->offset && at[-1] != '\n'; at--) {
        if (at[-1] == '-' && at[0] == '-') {
            return true;
        }
    }
    return false;
}

// A text without a semicolon or a comment, whose first words are those of an ordinary statement, is
// one statement, and needs no parser to be told so. Revisions are full of them.
static bool is_plain(const char *text)
{
    static const char *const first[] = {"insert",  "select", "update", "delete", "values",
                                        "comment", "grant",  "revoke", NULL};
    static const char *const created[] = {"table",  "unlogged", "type",   "view",  "schema",
                                          "domain", "sequence", "policy", "index", NULL};
    struct words words = {text, text + strlen(text)}, create = words;
    if (strchr(text, ';') || strstr(text, "--") || strstr(text, "/*")) {
        return false;
    }
    return word_among(words, first) ||
           (word_take(&create, "create") && word_among(create, created) &&
            !word_within(text, strlen(text), "concurrently"));
}

bool sql_split(const char *text, struct sql_script *out, struct fault *fault)
{
    struct sql_script script;
    sql_script_init(&script);
    if (is_plain(text)) {
        bool added = piece_add(&script, text, 0, strlen(text), fault);
        *out = script;
        return added;
    }
    PgQuerySplitResult split = pg_query_split_with_parser(text);
    bool known = !split.error;
    bool ok = !known || split_add(&script, text, &split, fault);
    pg_query_free_split_result(split);
    ok = ok && (known || unknown_split(text, &script, fault));
    for (size_t i = 0; ok && i < script.count; i++) {
        script.pieces[i].comment_last = comment_is_last(&script.pieces[i], text);
        ok = piece_judge(&script.pieces[i], text, fault);
    }
    if (!ok) {
        sql_script_clear(&script);
        return false;
    }
    *out = script;
    return true;
}
