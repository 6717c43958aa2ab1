// require("luamig.core.txn"): transactions on a connection of luamig.core.conn.
//   txn.begin(conn, settings) -> seq of the second of its two statements
//     settings: {lock_timeout, statement_timeout, search_path, role, is_prepared}
//   txn.commit(conn) -> seq     txn.rollback(conn)
//   txn.outside_begin(conn, settings)   txn.outside_end(conn, role)
//   txn.retry_delay_ms(attempt)
//   txn.watch(conn, after_ms) -> watch    watch:blockers() -> rows | nil   watch:reset()
//   watch:close()
#include "txn.h"

#include "lib_conn.h"
#include "lib_fault.h"
#include "lib_value.h"

#include <lauxlib.h>

static const char WATCH[] = "luamig.txn.watch";

static const char *setting(lua_State *L, const char *name, const char *otherwise)
{
    lua_getfield(L, 2, name);
    const char *text = luaL_optstring(L, -1, otherwise);
    lua_pop(L, 1); // the table keeps the string
    return text;
}

static struct txn_settings settings_check(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TTABLE);
    return (struct txn_settings){
        .lock_timeout = setting(L, "lock_timeout", "0"),
        .statement_timeout = setting(L, "statement_timeout", "0"),
        .search_path = setting(L, "search_path", ""),
        .role = setting(L, "role", "none"),
        .is_prepared = (lua_getfield(L, 2, "is_prepared"), lua_toboolean(L, -1)),
    };
}

static int lib_txn_begin(lua_State *L)
{
    struct conn *conn = lib_conn_check(L, 1);
    struct txn_settings settings = settings_check(L);
    struct fault *fault = lib_fault_box(L);
    long seq = 0;
    if (!txn_begin(conn, &settings, &seq, fault)) {
        lib_fault_raise(L, fault);
    }
    lua_pushinteger(L, seq);
    return 1;
}

static int lib_txn_commit(lua_State *L)
{
    struct conn *conn = lib_conn_check(L, 1);
    struct fault *fault = lib_fault_box(L);
    long seq = 0;
    if (!txn_commit(conn, &seq, fault)) {
        lib_fault_raise(L, fault);
    }
    lua_pushinteger(L, seq);
    return 1;
}

static int lib_txn_rollback(lua_State *L)
{
    struct conn *conn = lib_conn_check(L, 1);
    struct fault *fault = lib_fault_box(L);
    if (!txn_rollback(conn, fault)) {
        lib_fault_raise(L, fault);
    }
    return 0;
}

static int lib_txn_outside_begin(lua_State *L)
{
    struct conn *conn = lib_conn_check(L, 1);
    struct txn_settings settings = settings_check(L);
    struct fault *fault = lib_fault_box(L);
    if (!txn_outside_begin(conn, &settings, fault)) {
        lib_fault_raise(L, fault);
    }
    return 0;
}

static int lib_txn_outside_end(lua_State *L)
{
    struct conn *conn = lib_conn_check(L, 1);
    const char *role = luaL_checkstring(L, 2);
    struct fault *fault = lib_fault_box(L);
    if (!txn_outside_end(conn, role, fault)) {
        lib_fault_raise(L, fault);
    }
    return 0;
}

static int lib_txn_retry_delay(lua_State *L)
{
    lua_pushinteger(L, txn_retry_delay_ms((int)luaL_checkinteger(L, 1)));
    return 1;
}

struct watch_box {
    struct txn_watch *watch; // NULL when closed
};

static int lib_watch_new(lua_State *L)
{
    struct conn *conn = lib_conn_check(L, 1);
    int after_ms = (int)luaL_checkinteger(L, 2);
    struct watch_box *box = lua_newuserdatauv(L, sizeof *box, 1);
    box->watch = NULL;
    luaL_setmetatable(L, WATCH);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1); // the connection outlives its watch
    box->watch = txn_watch_new(conn, after_ms);
    return box->watch ? 1 : luaL_error(L, "not enough memory");
}

static int lib_watch_close(lua_State *L)
{
    struct watch_box *box = luaL_checkudata(L, 1, WATCH);
    struct txn_watch *watch = box->watch;
    box->watch = NULL;
    if (watch && lua_getiuservalue(L, 1, 1) == LUA_TUSERDATA) {
        struct conn **conn = lua_touserdata(L, -1);
        if (*conn) {
            conn_watch(*conn, NULL);
        }
    }
    txn_watch_free(watch);
    return 0;
}

static struct txn_watch *watch_check(lua_State *L)
{
    struct watch_box *box = luaL_checkudata(L, 1, WATCH);
    luaL_argcheck(L, box->watch, 1, "the watch is closed");
    return box->watch;
}

static int lib_watch_blockers(lua_State *L)
{
    const struct result *blockers = txn_watch_blockers(watch_check(L));
    if (!blockers) {
        return 0;
    }
    lib_value_push_rows(L, blockers); // the watch owns it
    return 1;
}

static int lib_watch_reset(lua_State *L)
{
    txn_watch_reset(watch_check(L));
    return 0;
}

static const luaL_Reg watch_methods[] = {
    {"blockers", lib_watch_blockers}, {"reset", lib_watch_reset},   {"close", lib_watch_close},
    {"__gc", lib_watch_close},        {"__close", lib_watch_close}, {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"begin", lib_txn_begin},
    {"commit", lib_txn_commit},
    {"rollback", lib_txn_rollback},
    {"outside_begin", lib_txn_outside_begin},
    {"outside_end", lib_txn_outside_end},
    {"retry_delay_ms", lib_txn_retry_delay},
    {"watch", lib_watch_new},
    {NULL, NULL},
};

int luaopen_luamig_core_txn(lua_State *L);
int luaopen_luamig_core_txn(lua_State *L)
{
    luaL_newmetatable(L, WATCH);
    luaL_setfuncs(L, watch_methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    luaL_newlib(L, functions);
    return 1;
}
