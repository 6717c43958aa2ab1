// require("luamig.core.header"): the header of a revision file, read without running the file.
//   header.read(text) -> fields | nil   nil: only running the file can tell
// Understands what `luamig revision` writes and people keep: comments, blank lines and plain
// assignments of a string, a list of strings, true, false or nil, up to the first line that begins
// with `function` or `local`. Thousands of files are read at every start, hence C.
#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

static const char *const names[] = {"revision",      "down_revision", "branch_labels", "depends_on",
                                    "transactional", "data_loss",     "irreversible",  NULL};

struct scan {
    const char *at, *end; // within a line; `end` is its end
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static void blanks_skip(struct scan *scan)
{
    while (scan->at < scan->end && is_blank(*scan->at)) {
        scan->at++;
    }
}

static bool text_take(struct scan *scan, const char *text)
{
    size_t size = strlen(text);
    if ((size_t)(scan->end - scan->at) < size || memcmp(scan->at, text, size) != 0) {
        return false;
    }
    scan->at += size;
    return true;
}

// A string without escapes; pushes it.
static bool string_take(lua_State *L, struct scan *scan)
{
    char quote = scan->at < scan->end ? *scan->at : '\0';
    if (quote != '"' && quote != '\'') {
        return false;
    }
    const char *start = scan->at + 1, *at = start;
    while (at < scan->end && *at != quote && *at != '\\') {
        at++;
    }
    if (at == scan->end || *at == '\\') {
        return false;
    }
    lua_pushlstring(L, start, (size_t)(at - start));
    scan->at = at + 1;
    return true;
}

// { "a", 'b' }; pushes a list. On false it may have left something on the stack.
static bool list_take(lua_State *L, struct scan *scan)
{
    if (!text_take(scan, "{")) {
        return false;
    }
    lua_newtable(L);
    blanks_skip(scan);
    for (lua_Integer i = 1; !text_take(scan, "}"); i++) {
        if (!string_take(L, scan)) {
            return false;
        }
        lua_rawseti(L, -2, i);
        blanks_skip(scan);
        if (text_take(scan, ",")) {
            blanks_skip(scan);
        } else if (scan->at == scan->end || *scan->at != '}') {
            return false;
        }
    }
    return true;
}

static bool value_take(lua_State *L, struct scan *scan)
{
    if (text_take(scan, "nil")) {
        lua_pushnil(L);
    } else if (text_take(scan, "true")) {
        lua_pushboolean(L, true);
    } else if (text_take(scan, "false")) {
        lua_pushboolean(L, false);
    } else {
        return string_take(L, scan) || list_take(L, scan);
    }
    return true;
}

static const char *name_take(struct scan *scan)
{
    for (const char *const *name = names; *name; name++) {
        struct scan after = *scan;
        if (text_take(&after, *name) &&
            (after.at == after.end || *after.at == '=' || is_blank(*after.at))) {
            *scan = after;
            return *name;
        }
    }
    return NULL;
}

// name = value, perhaps with a comment behind it; sets the field of the table on top.
static bool assignment_take(lua_State *L, struct scan scan)
{
    const char *name = name_take(&scan);
    blanks_skip(&scan);
    if (!name || !text_take(&scan, "=")) {
        return false;
    }
    blanks_skip(&scan);
    int top = lua_gettop(L);
    bool is_given_before = lua_getfield(L, top, name) != LUA_TNIL;
    lua_settop(L, top);
    if (is_given_before || !value_take(L, &scan)) {
        return false;
    }
    blanks_skip(&scan);
    if (scan.at != scan.end && !text_take(&scan, "--")) {
        return false;
    }
    lua_setfield(L, top, name);
    return true;
}

enum line { LINE_SILENT, LINE_ENDS, LINE_SAYS, LINE_UNCLEAR };

static enum line line_judge(struct scan line)
{
    struct scan words = line;
    if (text_take(&words, "function ") || text_take(&words, "local ")) {
        return LINE_ENDS;
    } else if (text_take(&words, "--")) {
        bool is_long = text_take(&words, "[=") || text_take(&words, "[[");
        return is_long ? LINE_UNCLEAR : LINE_SILENT;
    }
    blanks_skip(&words);
    return words.at == words.end ? LINE_SILENT : LINE_SAYS;
}

// Whether what stands below the header leaves it as it is, as far as a look can tell.
static bool is_untouched(const char *text)
{
    for (const char *const *name = names; *name; name++) {
        for (const char *at = strstr(text, *name); at; at = strstr(at + 1, *name)) {
            const char *after = at + strlen(*name);
            while (is_blank(*after) || *after == '\n') {
                after++;
            }
            if (after[0] == '=' && after[1] != '=') {
                return false;
            }
        }
    }
    return !strstr(text, "_ENV") && !strstr(text, "_G");
}

static int lib_header_read(lua_State *L)
{
    size_t size;
    const char *text = luaL_checklstring(L, 1, &size), *end = text + size;
    lua_settop(L, 1);
    if (memchr(text, '\0', size)) {
        return 0;
    }
    lua_createtable(L, 0, 4); // text fields
    for (const char *at = text; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        struct scan line = {at, newline ? newline : end};
        enum line kind = line_judge(line);
        if (kind == LINE_ENDS) {
            lua_settop(L, 2);
            return is_untouched(at) ? 1 : 0;
        } else if (kind == LINE_UNCLEAR || (kind == LINE_SAYS && !assignment_take(L, line))) {
            return 0;
        }
        at = line.end + 1;
    }
    lua_settop(L, 2);
    return 1;
}

static const luaL_Reg functions[] = {
    {"read", lib_header_read},
    {NULL, NULL},
};

int luaopen_luamig_core_header(lua_State *L);
int luaopen_luamig_core_header(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
