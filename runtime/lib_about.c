// require("luamig.core.about"): versions of luamig and of what it is built with.
#include <lauxlib.h>

int luaopen_luamig_core_about(lua_State *L);
int luaopen_luamig_core_about(lua_State *L)
{
    lua_createtable(L, 0, 2);
    lua_pushliteral(L, LUAMIG_VERSION);
    lua_setfield(L, -2, "luamig");
    lua_pushliteral(L, LUA_RELEASE);
    lua_setfield(L, -2, "lua");
    return 1;
}
