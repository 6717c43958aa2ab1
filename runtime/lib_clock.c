// require("luamig.core.clock"): time and signals.
//   clock.now_ms() -> integer      clock.sleep_ms(ms) -> false when a signal woke it
//   clock.jitter_ms(limit_ms) -> integer from 0 to limit
//   clock.interrupts() -> how many signals have come, the last one's number
//   clock.stop_at_signal(boolean)  whether a signal stops the code that runs in this coroutine:
//     raises "interrupted" every so many instructions from then on
#include "clock.h"
#include "interrupt.h"
#include "lib_fault.h"

#include <lauxlib.h>
#include <stdatomic.h>

// Instructions after a signal: what waits for the server hears of it first, and tells more.
enum { STOP_AFTER = 10000 };

// Which code a signal stops. A hook that is there from the beginning would halve its speed, for
// Lua then looks at it before every instruction.
static lua_State *_Atomic stoppable;

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

// A pcall of the script catches it once; then it comes again, an instruction later each time: in a
// loop it would otherwise come always within the same pcall.
static void stop(lua_State *L, lua_Debug *activation)
{
    static int times;
    (void)activation;
    times = (times + 1) % STOP_AFTER;
    lua_sethook(L, stop, LUA_MASKCOUNT, STOP_AFTER + times);
    struct fault *fault = lib_fault_box(L);
    fault_set(fault, FAULT_INTERRUPTED, "interrupted");
    lib_fault_raise(L, fault);
}

// Within a signal's handler, where lua_sethook() is allowed.
static void on_signal(void)
{
    lua_State *L = stoppable;
    if (L) {
        lua_sethook(L, stop, LUA_MASKCOUNT, STOP_AFTER);
    }
}

static int lib_clock_stop_at_signal(lua_State *L)
{
    stoppable = lua_toboolean(L, 1) ? L : NULL;
    interrupt_call(on_signal);
    lua_sethook(L, NULL, 0, 0);
    return 0;
}

static const luaL_Reg functions[] = {
    {"now_ms", lib_clock_now},
    {"sleep_ms", lib_clock_sleep},
    {"jitter_ms", lib_clock_jitter},
    {"interrupts", lib_clock_interrupts},
    {"stop_at_signal", lib_clock_stop_at_signal},
    {NULL, NULL},
};

int luaopen_luamig_core_clock(lua_State *L);
int luaopen_luamig_core_clock(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
