// require("luamig.core.about"): versions of luamig and of what it is built with, and the machine.
#include "conn.h"

#include <lauxlib.h>
#include <unistd.h>

int luaopen_luamig_core_about(lua_State *L);
int luaopen_luamig_core_about(lua_State *L)
{
    enum { MAJOR = 10000 }; // 150020 is 15.20
    int libpq = conn_library_version();
    char hostname[256];
    if (gethostname(hostname, sizeof hostname) != 0) {
        hostname[0] = '\0';
    }
    hostname[sizeof hostname - 1] = '\0';
    lua_createtable(L, 0, 4);
    lua_pushstring(L, hostname);
    lua_setfield(L, -2, "hostname");
    lua_pushfstring(L, "%d.%d", libpq / MAJOR, libpq % MAJOR);
    lua_setfield(L, -2, "libpq");
    lua_pushliteral(L, LUAMIG_VERSION);
    lua_setfield(L, -2, "luamig");
    lua_pushliteral(L, LUA_RELEASE);
    lua_setfield(L, -2, "lua");
    return 1;
}
