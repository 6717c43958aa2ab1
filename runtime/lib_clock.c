// require("luamig.core.clock"): time and signals.
//   clock.now_ms() -> integer      clock.sleep_ms(ms) -> false when a signal woke it
//   clock.jitter_ms(limit_ms) -> integer from 0 to limit
//   clock.interrupts() -> how many signals have come, the last one's number
#include "clock.h"
#include "interrupt.h"

#include <lauxlib.h>

static int lib_clock_now(lua_State *L)
{
    lua_pushinteger(L, clock_now_ms());
    return 1;
}

static int lib_clock_sleep(lua_State *L)
{
    lua_pushboolean(L, clock_sleep_ms(luaL_checkinteger(L, 1)));
    return 1;
}

static int lib_clock_jitter(lua_State *L)
{
    lua_pushinteger(L, clock_jitter_ms(luaL_checkinteger(L, 1)));
    return 1;
}

static int lib_clock_interrupts(lua_State *L)
{
    lua_pushinteger(L, interrupt_count());
    lua_pushinteger(L, interrupt_signal());
    return 2;
}

static const luaL_Reg functions[] = {
    {"now_ms", lib_clock_now},
    {"sleep_ms", lib_clock_sleep},
    {"jitter_ms", lib_clock_jitter},
    {"interrupts", lib_clock_interrupts},
    {NULL, NULL},
};

int luaopen_luamig_core_clock(lua_State *L);
int luaopen_luamig_core_clock(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
