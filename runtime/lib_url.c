// require("luamig.core.url"): database URLs.
//   url.read(text) -> { host=, port=, user=, password=, dbname=, … }   only what the URL or keyword
//                     string says. Raises: config
#include "conn.h"
#include "lib_fault.h"

#include <lauxlib.h>

static int lib_settings_clear(lua_State *L)
{
    conn_settings_clear(lua_touserdata(L, 1));
    return 0;
}

static struct conn_settings *settings_box(lua_State *L)
{
    struct conn_settings *settings = lua_newuserdatauv(L, sizeof *settings, 0);
    settings->handle = NULL;
    if (luaL_newmetatable(L, "luamig.settings.box")) {
        lua_pushcfunction(L, lib_settings_clear);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return settings;
}

static int lib_url_read(lua_State *L)
{
    const char *url = luaL_checkstring(L, 1), *keyword, *value;
    struct fault *fault = lib_fault_box(L);
    struct conn_settings *settings = settings_box(L);
    if (!conn_settings_read(url, settings, fault)) {
        lib_fault_raise(L, fault);
    }
    lua_newtable(L);
    for (int i = 0; conn_settings_get(settings, i, &keyword, &value); i++) {
        if (value) {
            lua_pushstring(L, value);
            lua_setfield(L, -2, keyword);
        }
    }
    conn_settings_clear(settings);
    return 1;
}

static const luaL_Reg functions[] = {
    {"read", lib_url_read},
    {NULL, NULL},
};

int luaopen_luamig_core_url(lua_State *L);
int luaopen_luamig_core_url(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
