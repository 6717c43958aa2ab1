#include "lib_fault.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

static const char BOX[] = "luamig.fault.box";
static const char METATABLE[] = "luamig.fault";

static int lib_box_clear(lua_State *L)
{
    fault_clear(luaL_checkudata(L, 1, BOX));
    return 0;
}

struct fault *lib_fault_box(lua_State *L)
{
    struct fault *fault = lua_newuserdatauv(L, sizeof *fault, 0);
    fault_init(fault);
    if (luaL_newmetatable(L, BOX)) {
        lua_pushcfunction(L, lib_box_clear);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return fault;
}

static void text_set(lua_State *L, const char *name, const char *text)
{
    if (text && *text) {
        lua_pushstring(L, text);
        lua_setfield(L, -2, name);
    }
}

static void number_set(lua_State *L, const char *name, lua_Integer number)
{
    if (number > 0) {
        lua_pushinteger(L, number);
        lua_setfield(L, -2, name);
    }
}

void lib_fault_push(lua_State *L, struct fault *fault)
{
    // The texts move into a box first: any of the pushes below can raise for lack of memory.
    struct fault *held = lib_fault_box(L); // box
    fault_move(held, fault);
    lua_createtable(L, 0, 12); // box table
    text_set(L, "kind", fault_kind_name(held->kind));
    text_set(L, "message", held->message ? held->message : "not enough memory");
    text_set(L, "sqlstate", held->sqlstate);
    text_set(L, "detail", held->detail);
    text_set(L, "hint", held->hint);
    text_set(L, "context", held->context);
    text_set(L, "constraint", held->constraint);
    text_set(L, "statement", held->statement);
    number_set(L, "position", held->position);
    text_set(L, "file", held->file);
    number_set(L, "line", held->line);
    text_set(L, "revision", held->revision);
    text_set(L, "state", held->state);
    text_set(L, "try", held->attempt);
    number_set(L, "seq", held->seq);
    fault_clear(held);
    luaL_newmetatable(L, METATABLE); // box table metatable
    lua_setmetatable(L, -2);
    lua_remove(L, -2); // table
}

void lib_fault_raise(lua_State *L, struct fault *fault)
{
    lib_fault_push(L, fault);
    lua_error(L);
    abort(); // lua_error does not return
}

static void text_get(lua_State *L, const char *name, char **field)
{
    if (lua_getfield(L, 1, name) == LUA_TSTRING) {
        fault_text(field, "%s", lua_tostring(L, -1));
    }
    lua_pop(L, 1);
}

static enum fault_kind kind_get(lua_State *L)
{
    lua_getfield(L, 1, "kind");
    const char *name = lua_tostring(L, -1);
    enum fault_kind kind = FAULT_SCRIPT;
    for (int i = FAULT_NONE; name && i <= FAULT_MEMORY; i++) {
        if (strcmp(fault_kind_name((enum fault_kind)i), name) == 0) {
            kind = (enum fault_kind)i;
        }
    }
    lua_pop(L, 1);
    return kind;
}

static int fault_get(lua_State *L) // error fault
{
    struct fault *fault = lua_touserdata(L, 2);
    lua_settop(L, 1);
    if (!lua_istable(L, 1)) {
        fault_set(fault, FAULT_SCRIPT, "%s", luaL_tolstring(L, 1, NULL));
        return 0;
    }
    fault->kind = kind_get(L);
    text_get(L, "message", &fault->message);
    text_get(L, "detail", &fault->detail);
    text_get(L, "hint", &fault->hint);
    text_get(L, "context", &fault->context);
    text_get(L, "statement", &fault->statement);
    text_get(L, "file", &fault->file);
    text_get(L, "revision", &fault->revision);
    text_get(L, "state", &fault->state);
    text_get(L, "try", &fault->attempt);
    lua_getfield(L, 1, "line");
    fault->line = (int)lua_tointeger(L, -1);
    return 0;
}

void lib_fault_read(lua_State *L, struct fault *fault)
{
    lua_pushcfunction(L, fault_get);
    lua_insert(L, -2);
    lua_pushlightuserdata(L, fault);
    if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
        lua_pop(L, 1);
        fault_clear(fault);
        fault_set(fault, FAULT_MEMORY, "not enough memory");
    }
}

int luaopen_luamig_core_fault(lua_State *L);
int luaopen_luamig_core_fault(lua_State *L)
{
    lua_createtable(L, 0, 1);
    luaL_newmetatable(L, METATABLE);
    lua_setfield(L, -2, "metatable");
    return 1;
}
