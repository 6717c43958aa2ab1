// require("luamig.core.version"): the SQL of luamig's own tables.
//   version.sql(schema, table) -> { session = "SELECT …", move = "WITH …", …, table = quoted name }
#include "lib_fault.h"
#include "version.h"

#include <lauxlib.h>

static const char BOX[] = "luamig.version.box";

static int lib_version_clear(lua_State *L)
{
    version_clear(luaL_checkudata(L, 1, BOX));
    return 0;
}

static struct version *version_box(lua_State *L)
{
    struct version *version = lua_newuserdatauv(L, sizeof *version, 0);
    *version = (struct version){0};
    if (luaL_newmetatable(L, BOX)) {
        lua_pushcfunction(L, lib_version_clear);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return version;
}

static int lib_version_sql(lua_State *L)
{
    const char *schema = luaL_checkstring(L, 1);
    const char *table = luaL_checkstring(L, 2);
    struct fault *fault = lib_fault_box(L);
    struct version *version = version_box(L);
    if (!version_init(version, schema, table, fault)) {
        lib_fault_raise(L, fault);
    }
    lua_createtable(L, 0, VERSION_SQL_COUNT + 1);
    for (int i = 0; i < VERSION_SQL_COUNT; i++) {
        lua_pushstring(L, version->sql[i]);
        lua_setfield(L, -2, version_sql_name((enum version_sql)i));
    }
    lua_pushstring(L, version->table);
    lua_setfield(L, -2, "table");
    return 1;
}

static const luaL_Reg functions[] = {
    {"sql", lib_version_sql},
    {NULL, NULL},
};

int luaopen_luamig_core_version(lua_State *L);
int luaopen_luamig_core_version(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
