// require("luamig.core.sql"): SQL text, understood by PostgreSQL's own parser.
//   sql.split(text) -> list of {sql=, offset=, kind="transaction"|"copy"|"call"|"other",
//                               needs_autocommit=boolean}
//     offset: bytes of the text before the statement. A statement whose last line holds a "--"
//     ends with a newline, so that a semicolon can follow.
//   sql.tree(text) -> the parse tree as JSON | nil (not valid, or newer than the parser)
#include "lib_fault.h"
#include "sql.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

static const char BOX[] = "luamig.sql.box";

static int lib_script_clear(lua_State *L)
{
    sql_script_clear(luaL_checkudata(L, 1, BOX));
    return 0;
}

static struct sql_script *script_box(lua_State *L)
{
    struct sql_script *script = lua_newuserdatauv(L, sizeof *script, 0);
    sql_script_init(script);
    if (luaL_newmetatable(L, BOX)) {
        lua_pushcfunction(L, lib_script_clear);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return script;
}

static const char *kind_name(enum sql_kind kind)
{
    switch (kind) {
    case SQL_OTHER:
        return "other";
    case SQL_TRANSACTION:
        return "transaction";
    case SQL_COPY:
        return "copy";
    case SQL_CALL:
        return "call";
    }
    return "other";
}

static void piece_push(lua_State *L, const char *text, const struct sql_piece *piece)
{
    lua_createtable(L, 0, 4); // piece
    lua_pushlstring(L, text + piece->offset, piece->size);
    if (piece->comment_last) {
        lua_pushliteral(L, "\n");
        lua_concat(L, 2);
    }
    lua_setfield(L, -2, "sql");
    lua_pushinteger(L, (lua_Integer)piece->offset);
    lua_setfield(L, -2, "offset");
    lua_pushstring(L, kind_name(piece->kind));
    lua_setfield(L, -2, "kind");
    lua_pushboolean(L, piece->needs_autocommit);
    lua_setfield(L, -2, "needs_autocommit");
}

static int lib_sql_split(lua_State *L)
{
    size_t size;
    const char *text = luaL_checklstring(L, 1, &size);
    struct fault *fault = lib_fault_box(L);
    struct sql_script *script = script_box(L);
    size_t nul = strlen(text);
    if (nul != size) {
        fault_set(fault, FAULT_OPERATION, "SQL with a NUL byte at offset %zu", nul);
        lib_fault_raise(L, fault);
    }
    if (!sql_split(text, script, fault)) {
        lib_fault_raise(L, fault);
    }
    lua_createtable(L, (int)script->count, 0); // list
    for (size_t i = 0; i < script->count; i++) {
        piece_push(L, text, &script->pieces[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    sql_script_clear(script);
    return 1;
}

static int lib_tree_clear(lua_State *L)
{
    char **tree = lua_touserdata(L, 1);
    free(*tree);
    *tree = NULL;
    return 0;
}

static char **tree_box(lua_State *L)
{
    char **tree = lua_newuserdatauv(L, sizeof *tree, 0);
    *tree = NULL;
    if (luaL_newmetatable(L, "luamig.sql.tree.box")) {
        lua_pushcfunction(L, lib_tree_clear);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return tree;
}

static int lib_sql_tree(lua_State *L)
{
    size_t size;
    const char *text = luaL_checklstring(L, 1, &size);
    luaL_argcheck(L, strlen(text) == size, 1, "SQL with a NUL byte");
    struct fault *fault = lib_fault_box(L);
    char **tree = tree_box(L);
    if (!sql_tree(text, tree, fault)) {
        lib_fault_raise(L, fault);
    }
    lua_pushstring(L, *tree); // nil for NULL
    free(*tree);
    *tree = NULL;
    return 1;
}

static const luaL_Reg functions[] = {
    {"split", lib_sql_split},
    {"tree", lib_sql_tree},
    {NULL, NULL},
};

int luaopen_luamig_core_sql(lua_State *L);
int luaopen_luamig_core_sql(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
