// require("luamig.core.conn"): connections.
//   conn.open{url=, application_name=, connect_timeout_ms=} -> connection
//   conn.start{url=, application_name=} -> start    begins to connect
//   start:finish(connect_timeout_ms?) -> connection  start:close()
//   c:exec(sql, params?) -> rows            runs and waits
//   c:send(sql, params?, options?) -> seq   queues; options: keep, isolated (booleans), expect
//     (command tag), prepared (sent often: parsed once)
//   c:sync()                                waits for all that was queued
//   c:take() -> seq, rows | nil             a finished result of a kept statement
//   c:copy(sql, source)         COPY FROM STDIN; source: a string, or a function -> string|nil
//   c:notices() -> list of {severity, message, sqlstate, seq}
//   c:info() -> {host, port, user, database, pid, server_version}
//   c:transaction() -> "I"|"T"|"E"|"?"      c:alive()   c:round_trips()   c:twin()   c:close()
//   c:patient(true)                         signals are the caller's business
//   c:push()                                sends what is queued, without waiting
#include "lib_conn.h"
#include "lib_fault.h"
#include "lib_value.h"

#include <lauxlib.h>
#include <string.h>

static const char CONN[] = "luamig.conn", START[] = "luamig.conn_start";

struct conn_box {
    struct conn *conn; // NULL when closed
};

struct conn *lib_conn_check(lua_State *L, int index)
{
    struct conn_box *box = luaL_checkudata(L, index, CONN);
    if (!box->conn) {
        struct fault *fault = lib_fault_box(L);
        fault_set(fault, FAULT_CONNECTION, "the connection is closed");
        lib_fault_raise(L, fault);
    }
    return box->conn;
}

static struct conn_box *box_push(lua_State *L)
{
    struct conn_box *box = lua_newuserdatauv(L, sizeof *box, 1);
    box->conn = NULL;
    luaL_setmetatable(L, CONN);
    return box;
}

static const char *string_field(lua_State *L, int index, const char *name)
{
    lua_getfield(L, index, name);
    const char *text = luaL_optstring(L, -1, NULL);
    lua_pop(L, 1); // the table keeps the string
    return text;
}

static int lib_conn_open(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    struct conn_options options = {
        .url = string_field(L, 1, "url"),
        .application_name = string_field(L, 1, "application_name"),
    };
    lua_getfield(L, 1, "connect_timeout_ms");
    options.connect_timeout_ms = (int)luaL_optinteger(L, -1, 0);
    struct fault *fault = lib_fault_box(L);
    struct conn_box *box = box_push(L);
    if (!conn_open(&options, &box->conn, fault)) {
        lib_fault_raise(L, fault);
    }
    return 1;
}

static int lib_conn_start(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    struct conn_options options = {
        .url = string_field(L, 1, "url"),
        .application_name = string_field(L, 1, "application_name"),
    };
    struct fault *fault = lib_fault_box(L);
    struct conn_start **start = lua_newuserdatauv(L, sizeof(struct conn_start *), 0);
    *start = NULL;
    luaL_setmetatable(L, START);
    if (!conn_start(&options, start, fault)) {
        lib_fault_raise(L, fault);
    }
    return 1;
}

static int lib_start_finish(lua_State *L)
{
    struct conn_start **box = luaL_checkudata(L, 1, START);
    int timeout_ms = (int)luaL_optinteger(L, 2, 0);
    luaL_argcheck(L, *box, 1, "finished already");
    struct fault *fault = lib_fault_box(L);
    struct conn_box *out = box_push(L);
    struct conn_start *start = *box;
    *box = NULL;
    if (!conn_finish(start, timeout_ms, &out->conn, fault)) {
        lib_fault_raise(L, fault);
    }
    return 1;
}

static int lib_start_close(lua_State *L)
{
    struct conn_start **box = luaL_checkudata(L, 1, START);
    struct conn_start *start = *box;
    *box = NULL;
    conn_abandon(start);
    return 0;
}

static int lib_conn_twin(lua_State *L)
{
    struct conn *conn = lib_conn_check(L, 1);
    struct fault *fault = lib_fault_box(L);
    struct conn_box *box = box_push(L);
    if (!conn_twin(conn, &box->conn, fault)) {
        lib_fault_raise(L, fault);
    }
    return 1;
}

static int lib_conn_close(lua_State *L)
{
    struct conn_box *box = luaL_checkudata(L, 1, CONN);
    struct conn *conn = box->conn;
    box->conn = NULL;
    conn_close(conn);
    return 0;
}

// One parameter as text; NULL stands for SQL NULL. The string stays in the table at `anchors`.
static const char *parameter_text(lua_State *L, int list, int anchors, int i)
{
    int type = lua_rawgeti(L, list, i); // value
    if (type == LUA_TNIL || (type == LUA_TLIGHTUSERDATA && !lua_touserdata(L, -1))) {
        lua_pop(L, 1);
        return NULL;
    }
    if (type == LUA_TBOOLEAN) {
        bool value = lua_toboolean(L, -1);
        lua_pop(L, 1);
        return value ? "t" : "f";
    }
    if (type != LUA_TSTRING && type != LUA_TNUMBER) {
        luaL_error(L, "parameter $%d: a %s cannot be sent", i, lua_typename(L, type));
    }
    size_t size;
    const char *text = lua_tolstring(L, -1, &size);
    if (strlen(text) != size) {
        luaL_error(L, "parameter $%d: a text with a NUL byte cannot be sent", i);
    }
    lua_rawseti(L, anchors, i);
    return text;
}

// Reads (sql, params) at `index`; leaves what anchors the texts on the stack.
static struct statement statement_check(lua_State *L, int index)
{
    size_t size;
    struct statement stmt = {.sql = luaL_checklstring(L, index, &size)};
    luaL_argcheck(L, strlen(stmt.sql) == size, index, "SQL with a NUL byte");
    if (lua_isnoneornil(L, index + 1)) {
        return stmt;
    }
    luaL_checktype(L, index + 1, LUA_TTABLE);
    lua_getfield(L, index + 1, "n");
    int count = (int)luaL_optinteger(L, -1, (lua_Integer)lua_rawlen(L, index + 1));
    lua_pop(L, 1);
    luaL_argcheck(L, count >= 0 && count <= 65535, index + 1, "at most 65535 parameters");
    const char **params = lua_newuserdatauv(L, (size_t)(count + 1) * sizeof *params, 0);
    lua_createtable(L, count, 0);
    for (int i = 0; i < count; i++) {
        params[i] = parameter_text(L, index + 1, lua_gettop(L), i + 1);
    }
    stmt.params = params;
    stmt.param_count = count;
    return stmt;
}

static int lib_conn_exec(lua_State *L)
{
    struct conn *conn = lib_conn_check(L, 1);
    lua_settop(L, 3);
    struct statement stmt = statement_check(L, 2);
    struct fault *fault = lib_fault_box(L);
    struct result *result = lib_value_box(L);
    if (!conn_exec(conn, &stmt, result, fault)) {
        lib_fault_raise(L, fault);
    }
    lib_value_push_rows(L, result);
    result_clear(result);
    return 1;
}

static bool flag_field(lua_State *L, int index, const char *name)
{
    lua_getfield(L, index, name);
    bool value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

static int lib_conn_send(lua_State *L)
{
    struct conn *conn = lib_conn_check(L, 1);
    lua_settop(L, 4);
    struct statement stmt = statement_check(L, 2);
    if (lua_istable(L, 4)) {
        stmt.flags |= flag_field(L, 4, "keep") ? CONN_KEEP : 0;
        stmt.flags |= flag_field(L, 4, "isolated") ? CONN_ISOLATED : 0;
        stmt.flags |= flag_field(L, 4, "prepared") ? CONN_PREPARED : 0;
        stmt.expect = string_field(L, 4, "expect");
    }
    struct fault *fault = lib_fault_box(L);
    long seq = 0;
    if (!conn_send(conn, &stmt, &seq, fault)) {
        lib_fault_raise(L, fault);
    }
    lua_pushinteger(L, seq);
    return 1;
}

static int lib_conn_sync(lua_State *L)
{
    struct conn *conn = lib_conn_check(L, 1);
    struct fault *fault = lib_fault_box(L);
    if (!conn_sync(conn, fault)) {
        lib_fault_raise(L, fault);
    }
    return 0;
}

static int lib_conn_take(lua_State *L)
{
    struct conn *conn = lib_conn_check(L, 1);
    struct result *result = lib_value_box(L);
    if (!conn_take(conn, result)) {
        return 0;
    }
    lua_pushinteger(L, result->seq);
    lib_value_push_rows(L, result);
    result_clear(result);
    return 2;
}

// Between the begin and the end of a COPY nothing may raise: the connection would stay in it.
static int copy_refuse(lua_State *L, struct conn *conn, struct fault *fault)
{
    conn_copy_end(conn, "the rows could not be made", fault);
    fault_clear(fault);
    return lua_error(L);
}

static int copy_chunk(lua_State *L) // function
{
    lua_call(L, 0, 1);
    if (!lua_isnil(L, -1) && lua_type(L, -1) != LUA_TSTRING) {
        luaL_error(L, "COPY: a string or nil expected, got a %s", luaL_typename(L, -1));
    }
    return 1;
}

// Sends what the function at index 3 returns until it returns nil. An error in it ends the COPY so
// that nothing is stored, and goes on.
static void copy_from_function(lua_State *L, struct conn *conn, struct fault *fault)
{
    for (;;) {
        lua_pushcfunction(L, copy_chunk);
        lua_pushvalue(L, 3);
        if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
            copy_refuse(L, conn, fault);
        }
        size_t size;
        const char *data = lua_tolstring(L, -1, &size);
        if (!data) {
            lua_pop(L, 1);
            return;
        }
        if (!conn_copy_put(conn, data, size, fault)) {
            lib_fault_raise(L, fault);
        }
        lua_pop(L, 1);
    }
}

static int lib_conn_copy(lua_State *L)
{
    struct conn *conn = lib_conn_check(L, 1);
    size_t sql_size, size = 0;
    const char *sql = luaL_checklstring(L, 2, &sql_size);
    luaL_argcheck(L, strlen(sql) == sql_size, 2, "SQL with a NUL byte");
    bool is_function = lua_isfunction(L, 3);
    const char *data = is_function ? NULL : luaL_checklstring(L, 3, &size);
    luaL_checkstack(L, 8, NULL);
    struct fault *fault = lib_fault_box(L);
    if (!conn_copy_begin(conn, sql, fault)) {
        lib_fault_raise(L, fault);
    }
    if (is_function) {
        copy_from_function(L, conn, fault);
    } else if (!conn_copy_put(conn, data, size, fault)) {
        lib_fault_raise(L, fault);
    }
    if (!conn_copy_end(conn, NULL, fault)) {
        lib_fault_raise(L, fault);
    }
    return 0;
}

static int lib_notices_clear(lua_State *L)
{
    struct notice **list = lua_touserdata(L, 1);
    notice_clear(*list);
    *list = NULL;
    return 0;
}

static struct notice **notices_box(lua_State *L)
{
    struct notice **list = lua_newuserdatauv(L, sizeof *list, 0);
    *list = NULL;
    if (luaL_newmetatable(L, "luamig.notices.box")) {
        lua_pushcfunction(L, lib_notices_clear);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return list;
}

static int lib_conn_notices(lua_State *L)
{
    struct conn *conn = lib_conn_check(L, 1);
    struct notice **list = notices_box(L);
    lua_Integer count = 0;
    lua_newtable(L); // list
    *list = conn_notices(conn);
    for (const struct notice *notice = *list; notice; notice = notice->next) {
        lua_createtable(L, 0, 4);
        lua_pushstring(L, notice->severity);
        lua_setfield(L, -2, "severity");
        lua_pushstring(L, notice->message);
        lua_setfield(L, -2, "message");
        lua_pushstring(L, notice->sqlstate);
        lua_setfield(L, -2, "sqlstate");
        lua_pushinteger(L, notice->seq);
        lua_setfield(L, -2, "seq");
        lua_rawseti(L, -2, ++count);
    }
    return 1;
}

static int lib_conn_info(lua_State *L)
{
    struct conn *conn = lib_conn_check(L, 1);
    lua_createtable(L, 0, 6);
    lua_pushstring(L, conn_host(conn));
    lua_setfield(L, -2, "host");
    lua_pushstring(L, conn_port(conn));
    lua_setfield(L, -2, "port");
    lua_pushstring(L, conn_user(conn));
    lua_setfield(L, -2, "user");
    lua_pushstring(L, conn_database(conn));
    lua_setfield(L, -2, "database");
    lua_pushinteger(L, conn_pid(conn));
    lua_setfield(L, -2, "pid");
    lua_pushinteger(L, conn_server_version(conn));
    lua_setfield(L, -2, "server_version");
    return 1;
}

static int lib_conn_transaction(lua_State *L)
{
    char status = conn_transaction(lib_conn_check(L, 1));
    lua_pushlstring(L, &status, 1);
    return 1;
}

static int lib_conn_alive(lua_State *L)
{
    struct conn_box *box = luaL_checkudata(L, 1, CONN);
    lua_pushboolean(L, box->conn && conn_alive(box->conn));
    return 1;
}

static int lib_conn_round_trips(lua_State *L)
{
    lua_pushinteger(L, conn_round_trips(lib_conn_check(L, 1)));
    return 1;
}

static int lib_conn_push(lua_State *L)
{
    conn_push(lib_conn_check(L, 1));
    return 0;
}

static int lib_conn_patient(lua_State *L)
{
    conn_patient(lib_conn_check(L, 1), lua_toboolean(L, 2));
    return 0;
}

static const luaL_Reg methods[] = {
    {"exec", lib_conn_exec},
    {"send", lib_conn_send},
    {"sync", lib_conn_sync},
    {"take", lib_conn_take},
    {"copy", lib_conn_copy},
    {"notices", lib_conn_notices},
    {"info", lib_conn_info},
    {"transaction", lib_conn_transaction},
    {"alive", lib_conn_alive},
    {"round_trips", lib_conn_round_trips},
    {"twin", lib_conn_twin},
    {"patient", lib_conn_patient},
    {"push", lib_conn_push},
    {"close", lib_conn_close},
    {"__gc", lib_conn_close},
    {"__close", lib_conn_close},
    {NULL, NULL},
};

static const luaL_Reg start_methods[] = {
    {"finish", lib_start_finish},
    {"close", lib_start_close},
    {"__gc", lib_start_close},
    {"__close", lib_start_close},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"open", lib_conn_open},
    {"start", lib_conn_start},
    {NULL, NULL},
};

int luaopen_luamig_core_conn(lua_State *L);
int luaopen_luamig_core_conn(lua_State *L)
{
    luaL_newmetatable(L, CONN);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    luaL_newmetatable(L, START);
    luaL_setfuncs(L, start_methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    luaL_newlib(L, functions);
    return 1;
}
