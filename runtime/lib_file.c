// require("luamig.core.file"): files written whole or not at all.
//   file.read_small(path) -> string | nil, message, is_large    up to 32 KiB, at one go: thousands
//     of revision files are read at every start
//   file.create(path, text) -> true | nil, message, is_existing
//   file.replace(path, text) -> true | nil, message
//   file.lock(folder) -> lock | nil, message      lock:close(); also closed by <close> and gc
#include "file.h"

#include <errno.h>
#include <lauxlib.h>
#include <string.h>
#include <unistd.h>

static const char LOCK[] = "luamig.file.lock";

static int result_push(lua_State *L, int error)
{
    if (!error) {
        lua_pushboolean(L, 1);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, strerror(error));
    lua_pushboolean(L, error == EEXIST);
    return 3;
}

// Nothing is held while the string is made: it cannot leak when memory ends.
static int lib_file_read_small(lua_State *L)
{
    char buffer[32 * 1024];
    size_t size = 0;
    int error = file_read(luaL_checkstring(L, 1), buffer, sizeof buffer, &size);
    if (!error) {
        lua_pushlstring(L, buffer, size);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, strerror(error));
    lua_pushboolean(L, error == EFBIG);
    return 3;
}

static int lib_file_create(lua_State *L)
{
    size_t size;
    const char *path = luaL_checkstring(L, 1);
    const char *text = luaL_checklstring(L, 2, &size);
    return result_push(L, file_create(path, text, size));
}

static int lib_file_replace(lua_State *L)
{
    size_t size;
    const char *path = luaL_checkstring(L, 1);
    const char *text = luaL_checklstring(L, 2, &size);
    return result_push(L, file_replace(path, text, size));
}

static int lib_file_lock(lua_State *L)
{
    const char *folder = luaL_checkstring(L, 1);
    int *fd = lua_newuserdatauv(L, sizeof *fd, 0);
    *fd = -1;
    luaL_setmetatable(L, LOCK);
    int error = file_lock(folder, fd);
    return error ? result_push(L, error) : 1;
}

static int lib_lock_close(lua_State *L)
{
    int *fd = luaL_checkudata(L, 1, LOCK);
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
    return 0;
}

static const luaL_Reg lock_methods[] = {
    {"close", lib_lock_close},
    {"__close", lib_lock_close},
    {"__gc", lib_lock_close},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"read_small", lib_file_read_small},
    {"create", lib_file_create},
    {"replace", lib_file_replace},
    {"lock", lib_file_lock},
    {NULL, NULL},
};

int luaopen_luamig_core_file(lua_State *L);
int luaopen_luamig_core_file(lua_State *L)
{
    luaL_newmetatable(L, LOCK);
    luaL_setfuncs(L, lock_methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
