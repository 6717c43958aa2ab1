// require("luamig.core.about"): versions of luamig and of what it is built with.
#include "conn.h"

#include <lauxlib.h>

int luaopen_luamig_core_about(lua_State *L);
int luaopen_luamig_core_about(lua_State *L)
{
    enum { MAJOR = 10000 }; // 150020 is 15.20
    int libpq = conn_library_version();
    lua_createtable(L, 0, 3);
    lua_pushfstring(L, "%d.%d", libpq / MAJOR, libpq % MAJOR);
    lua_setfield(L, -2, "libpq");
    lua_pushliteral(L, LUAMIG_VERSION);
    lua_setfield(L, -2, "luamig");
    lua_pushliteral(L, LUA_RELEASE);
    lua_setfield(L, -2, "lua");
    return 1;
}
