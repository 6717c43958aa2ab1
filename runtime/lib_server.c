// require("luamig.core.server"): PostgreSQL servers that luamig starts.
//   server.ephemeral{settings=, auth=, in_memory=, bindir=} -> server   ends with luamig
//   server.project{home=, settings=, bindir=, idle_ms=} -> server  the shared one of a project
//     settings: { name = value }; auth: how roles but postgres log in ("scram-sha-256");
//     in_memory: the data are small, and may be kept in /dev/shm
//     home: the project's folder for it, absolute; idle_ms: 0 for 5 min, -1 for never
//   s:url(database?) -> string       s:info() -> {socket, data, log, pid, supervisor, major,
//                                                 bindir, started, created}
//   s:stop()   ends a throwaway one; lets go of a project's, which goes on
//   s:bequeath()   the program that replaces luamig keeps it up
//   server.inspect(home) -> {exists, running, ready, major, pid, size, socket, url}
//   server.shut_down(home) -> was it running?      server.erase(home)
//   server.find(major?) -> folder of postgres and initdb
//   server.log_tail(path) -> its last lines
#include "lib_fault.h"
#include "server.h"

#include <lauxlib.h>
#include <stdlib.h>

static const char SERVER[] = "luamig.server";
static const char TEXT[] = "luamig.server.text";

struct server_box {
    struct server *server; // NULL when stopped
};

static int lib_text_free(lua_State *L)
{
    char **text = lua_touserdata(L, 1);
    free(*text);
    *text = NULL;
    return 0;
}

// A box for a text of malloc().
static char **text_box(lua_State *L)
{
    char **text = lua_newuserdatauv(L, sizeof *text, 0);
    *text = NULL;
    if (luaL_newmetatable(L, TEXT)) {
        lua_pushcfunction(L, lib_text_free);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return text;
}

static int text_return(lua_State *L, char **text)
{
    if (!*text) {
        return luaL_error(L, "not enough memory");
    }
    lua_pushstring(L, *text);
    free(*text);
    *text = NULL;
    return 1;
}

static const char *string_field(lua_State *L, const char *name)
{
    lua_getfield(L, 1, name);
    const char *text = luaL_optstring(L, -1, NULL);
    lua_pop(L, 1); // the table keeps the string
    return text;
}

// { name = value } as "name=value" texts; they and their list stay on the stack.
static const char *const *settings_field(lua_State *L)
{
    size_t count = 0, at = 0;
    if (lua_getfield(L, 1, "settings") == LUA_TNIL) {
        lua_pop(L, 1);
        return NULL;
    }
    luaL_checktype(L, -1, LUA_TTABLE);
    int settings = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, settings); lua_pop(L, 1)) {
        count++;
    }
    const char **list = lua_newuserdatauv(L, (count + 1) * sizeof *list, 0);
    lua_createtable(L, (int)count, 0);
    int anchors = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, settings); lua_pop(L, 1)) {
        luaL_argcheck(L, lua_type(L, -2) == LUA_TSTRING, 1, "settings are named");
        const char *name = lua_tostring(L, -2), *value = luaL_tolstring(L, -1, NULL);
        list[at] = lua_pushfstring(L, "%s=%s", name, value);
        lua_rawseti(L, anchors, (lua_Integer)++at);
        lua_pop(L, 1); // of luaL_tolstring
    }
    list[at] = NULL;
    return list;
}

static int server_open(lua_State *L, const struct server_options *options)
{
    struct fault *fault = lib_fault_box(L);
    struct server_box *box = lua_newuserdatauv(L, sizeof *box, 0);
    box->server = NULL;
    luaL_setmetatable(L, SERVER);
    if (!server_start(options, &box->server, fault)) {
        lib_fault_raise(L, fault);
    }
    return 1;
}

static int lib_server_ephemeral(lua_State *L)
{
    if (lua_isnoneornil(L, 1)) {
        lua_settop(L, 0);
        lua_newtable(L);
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    struct server_options options = {
        .auth = string_field(L, "auth"),
        .bindir = string_field(L, "bindir"),
    };
    lua_getfield(L, 1, "in_memory");
    options.in_memory = lua_toboolean(L, -1);
    options.settings = settings_field(L);
    return server_open(L, &options);
}

static int lib_server_project(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    struct server_options options = {
        .home = string_field(L, "home"),
        .bindir = string_field(L, "bindir"),
    };
    luaL_argcheck(L, options.home && options.home[0] == '/', 1, "home must be an absolute path");
    lua_getfield(L, 1, "idle_ms");
    options.idle_ms = luaL_optinteger(L, -1, 0);
    options.settings = settings_field(L);
    return server_open(L, &options);
}

static struct server *server_check(lua_State *L)
{
    struct server_box *box = luaL_checkudata(L, 1, SERVER);
    luaL_argcheck(L, box->server, 1, "the server is stopped");
    return box->server;
}

static int lib_server_url(lua_State *L)
{
    const struct server *server = server_check(L);
    const char *database = luaL_optstring(L, 2, "postgres");
    char **text = text_box(L);
    *text = server_url(server->socket, database);
    return text_return(L, text);
}

static void field_text(lua_State *L, const char *name, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

static void field_integer(lua_State *L, const char *name, lua_Integer number)
{
    lua_pushinteger(L, number);
    lua_setfield(L, -2, name);
}

static void field_boolean(lua_State *L, const char *name, bool value)
{
    lua_pushboolean(L, value);
    lua_setfield(L, -2, name);
}

static int lib_server_info(lua_State *L)
{
    const struct server *server = server_check(L);
    lua_createtable(L, 0, 9);
    field_text(L, "socket", server->socket);
    field_text(L, "data", server->data);
    field_text(L, "log", server->log);
    field_text(L, "bindir", server->bindir);
    field_integer(L, "pid", server->pid);
    field_integer(L, "major", server->major);
    field_boolean(L, "started", server->started);
    field_boolean(L, "created", server->created);
    if (server->keeper > 0) {
        field_integer(L, "supervisor", server->keeper);
    }
    return 1;
}

static int lib_server_stop(lua_State *L)
{
    struct server_box *box = luaL_checkudata(L, 1, SERVER);
    struct server *server = box->server;
    box->server = NULL;
    server_free(server);
    return 0;
}

static int lib_server_bequeath(lua_State *L)
{
    server_bequeath(server_check(L));
    return 0;
}

static int lib_server_inspect(lua_State *L)
{
    const char *home = luaL_checkstring(L, 1);
    struct fault *fault = lib_fault_box(L);
    char **url = text_box(L);
    struct server_status status;
    if (!server_inspect(home, &status, fault)) {
        lib_fault_raise(L, fault);
    }
    lua_createtable(L, 0, 8);
    field_boolean(L, "exists", status.exists);
    field_boolean(L, "running", status.running);
    field_boolean(L, "ready", status.ready);
    field_integer(L, "size", status.size);
    if (status.major) {
        field_integer(L, "major", status.major);
    }
    if (status.ready) {
        field_integer(L, "pid", status.pid);
        field_text(L, "socket", status.socket);
        *url = server_url(status.socket, "postgres");
        text_return(L, url);
        lua_setfield(L, -2, "url");
    }
    return 1;
}

static int lib_server_shut_down(lua_State *L)
{
    const char *home = luaL_checkstring(L, 1);
    struct fault *fault = lib_fault_box(L);
    bool was_running = false;
    if (!server_shut_down(home, &was_running, fault)) {
        lib_fault_raise(L, fault);
    }
    lua_pushboolean(L, was_running);
    return 1;
}

static int lib_server_erase(lua_State *L)
{
    const char *home = luaL_checkstring(L, 1);
    struct fault *fault = lib_fault_box(L);
    if (!server_erase(home, fault)) {
        lib_fault_raise(L, fault);
    }
    return 0;
}

static int lib_server_find(lua_State *L)
{
    int major = (int)luaL_optinteger(L, 1, 0);
    struct fault *fault = lib_fault_box(L);
    char **text = text_box(L);
    if (!server_find(major, text, fault)) {
        lib_fault_raise(L, fault);
    }
    return text_return(L, text);
}

static int lib_server_log_tail(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    char **text = text_box(L);
    *text = server_log_tail(path, 0);
    return text_return(L, text);
}

static const luaL_Reg methods[] = {
    {"url", lib_server_url},           {"info", lib_server_info},
    {"stop", lib_server_stop},         {"close", lib_server_stop},
    {"bequeath", lib_server_bequeath}, {"__gc", lib_server_stop},
    {"__close", lib_server_stop},      {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"ephemeral", lib_server_ephemeral}, {"project", lib_server_project},
    {"inspect", lib_server_inspect},     {"shut_down", lib_server_shut_down},
    {"erase", lib_server_erase},         {"find", lib_server_find},
    {"log_tail", lib_server_log_tail},   {NULL, NULL},
};

int luaopen_luamig_core_server(lua_State *L);
int luaopen_luamig_core_server(lua_State *L)
{
    luaL_newmetatable(L, SERVER);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    luaL_newlib(L, functions);
    return 1;
}
