// require("luamig.core.terminal"): what the standard streams are connected to.
#include <lauxlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int lib_terminal_is_terminal(lua_State *L)
{
    lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
    return 1;
}

// columns(fd) -> integer, or nil when the stream is no terminal or does not tell
static int lib_terminal_columns(lua_State *L)
{
    struct winsize size;
    if (ioctl((int)luaL_checkinteger(L, 1), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        lua_pushinteger(L, size.ws_col);
    } else {
        lua_pushnil(L);
    }
    return 1;
}

static const luaL_Reg functions[] = {
    {"is_terminal", lib_terminal_is_terminal},
    {"columns", lib_terminal_columns},
    {NULL, NULL},
};

int luaopen_luamig_core_terminal(lua_State *L);
int luaopen_luamig_core_terminal(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
