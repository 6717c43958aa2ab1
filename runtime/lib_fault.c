#include "lib_fault.h"

#include <lauxlib.h>
#include <stdlib.h>

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

int luaopen_luamig_core_fault(lua_State *L);
int luaopen_luamig_core_fault(lua_State *L)
{
    lua_createtable(L, 0, 1);
    luaL_newmetatable(L, METATABLE);
    lua_setfield(L, -2, "metatable");
    return 1;
}
