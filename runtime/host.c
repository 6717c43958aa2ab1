#include "host.h"

#include "embedded.h"
#include "title.h"

#include <lauxlib.h>
#include <lfs.h>
#include <lua-cjson.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STATUS_BROKEN = 1,
    GC_PAUSE = 1000, // percent: a collection begins when the memory in use has grown tenfold
};

#ifdef LUAMIG_DEV
// Developer builds read the modules from a directory, so that a change needs no build.
static int module_from_disk(lua_State *L, const struct embedded_module *module)
{
    const char *directory = getenv("LUAMIG_LUA_DIR");
    if (!directory || !*directory || strcmp(module->name, "argparse") == 0) {
        return 0;
    }
    const char *path = lua_pushfstring(L, "%s/%s", directory, module->chunk + 1); // path
    if (luaL_loadfilex(L, path, "t") != LUA_OK) {
        lua_error(L);
    }
    lua_remove(L, -2);
    return 1;
}
#else
static int module_from_disk(lua_State *L, const struct embedded_module *module)
{
    (void)L;
    (void)module;
    return 0;
}
#endif

static int module_open(lua_State *L)
{
    const struct embedded_module *module = lua_touserdata(L, lua_upvalueindex(1));
    lua_settop(L, 1); // name
    if (!module_from_disk(L, module) &&
        luaL_loadbufferx(L, module->code, module->size, module->chunk, "b") != LUA_OK) {
        return lua_error(L);
    }
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

static void preload_set(lua_State *L, const char *name, lua_CFunction open)
{
    lua_pushcfunction(L, open);
    lua_setfield(L, -2, name);
}

static void modules_register(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE); // preload
    for (const struct embedded_module *module = embedded_modules; module->name; module++) {
        lua_pushlightuserdata(L, (void *)(uintptr_t)module);
        lua_pushcclosure(L, module_open, 1);
        lua_setfield(L, -2, module->name);
    }
    for (const struct embedded_binding *binding = embedded_bindings; binding->name; binding++) {
        preload_set(L, binding->name, binding->open);
    }
    preload_set(L, "cjson", luaopen_cjson);
    preload_set(L, "lfs", luaopen_lfs);
    lua_pop(L, 1);
}

// Only what is embedded is found: a stray argparse.lua of the machine must not change luamig.
// `luamig lua` (for tests and tools) keeps Lua's own paths.
static void paths_empty(lua_State *L)
{
    lua_getglobal(L, "package"); // package
    lua_pushliteral(L, "");
    lua_setfield(L, -2, "path");
    lua_pushliteral(L, "");
    lua_setfield(L, -2, "cpath");
    lua_pop(L, 1);
}

// @param pause  0 for Lua's own
static void gc_setup(lua_State *L, int pause)
{
#ifdef LUAMIG_GC_STRESS
    (void)pause;
    lua_gc(L, LUA_GCINC, 1, 1000, 1); // collect at every step: finds what is not anchored
#else
    lua_gc(L, LUA_GCINC, pause, 0, 0);
#endif
}

static int traceback(lua_State *L)
{
    if (lua_type(L, 1) == LUA_TSTRING) {
        luaL_traceback(L, L, lua_tostring(L, 1), 1);
    }
    return 1;
}

static void arguments_push(lua_State *L, int argc, char **argv, int first)
{
    lua_createtable(L, argc, 0);
    for (int i = first; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i - first + 1);
    }
    title_hide_passwords(argc, argv); // Lua has copies; ours are what others see
}

// luamig lua FILE [ARGUMENT…]
static int script_run(lua_State *L, int argc, char **argv)
{
    if (argc < 3) {
        return luaL_error(L, "usage: luamig lua FILE [ARGUMENT...]");
    }
    arguments_push(L, argc, argv, 3); // arg
    lua_pushstring(L, argv[2]);
    lua_rawseti(L, -2, 0);
    lua_setglobal(L, "arg");
    if (luaL_loadfilex(L, argv[2], "t") != LUA_OK) {
        return lua_error(L);
    }
    lua_call(L, 0, 1); // status
    return 1;
}

#ifdef LUAMIG_DEV
static void end_prepare(lua_State *L)
{
    (void)L;
}

static void state_close(lua_State *L, int status)
{
    (void)status;
    lua_close(L); // frees all, so that a leak shows
}
#else
static int end_status = -1; // of the process, once it is known

// Finalizers run in the reverse order of their objects: this one is the last. What is left to
// lua_close() is to free each object by itself, which the end of the process does at once.
static int process_end(lua_State *L)
{
    (void)L;
    if (end_status >= 0) {
        exit(end_status);
    }
    return 0;
}

static void end_prepare(lua_State *L)
{
    lua_newuserdatauv(L, 0, 0); // end
    lua_createtable(L, 0, 1);   // end metatable
    lua_pushcfunction(L, process_end);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    luaL_ref(L, LUA_REGISTRYINDEX);
}

static void state_close(lua_State *L, int status)
{
    end_status = status;
    lua_close(L);
}
#endif

static int main_protected(lua_State *L)
{
    int argc = (int)lua_tointeger(L, 1);
    char **argv = lua_touserdata(L, 2);
    end_prepare(L);
    luaL_openlibs(L);
    modules_register(L);
    if (argc > 1 && strcmp(argv[1], "lua") == 0) {
        return script_run(L, argc, argv);
    }
    paths_empty(L);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "luamig.cli");
    lua_call(L, 1, 1);                // cli
    lua_getfield(L, -1, "main");      // cli main
    arguments_push(L, argc, argv, 1); // cli main arguments
    lua_call(L, 1, 1);                // cli status
    return 1;
}

static void failure_print(lua_State *L)
{
    const char *text = lua_tostring(L, -1);
    if (!text && luaL_getmetafield(L, -1, "__tostring") != LUA_TNIL) {
        lua_insert(L, -2);
        if (lua_pcall(L, 1, 1, 0) == LUA_OK) {
            text = lua_tostring(L, -1);
        }
    }
    fprintf(stderr, "luamig: %s\n", text ? text : "(error without a text)");
}

static int state_protected(lua_State *L)
{
    luaL_openlibs(L);
    modules_register(L);
    paths_empty(L);
    return 0;
}

lua_State *host_state_new(void)
{
    lua_State *L = luaL_newstate();
    if (!L) {
        return NULL;
    }
    gc_setup(L, 0);
    lua_pushcfunction(L, state_protected);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK) {
        lua_close(L);
        return NULL;
    }
    return L;
}

int host_run(int argc, char **argv, lua_Alloc allocator, void *allocator_data)
{
    lua_State *L = allocator ? lua_newstate(allocator, allocator_data) : luaL_newstate();
    if (!L) {
        fprintf(stderr, "luamig: not enough memory\n");
        return STATUS_BROKEN;
    }
    gc_setup(L, GC_PAUSE);
    lua_pushcfunction(L, traceback);      // traceback
    lua_pushcfunction(L, main_protected); // traceback main
    lua_pushinteger(L, argc);
    lua_pushlightuserdata(L, argv); // traceback main argc argv
    int status = STATUS_BROKEN;
    if (lua_pcall(L, 2, 1, 1) == LUA_OK) {
        status = lua_isinteger(L, -1) ? (int)lua_tointeger(L, -1) : 0;
    } else {
        failure_print(L);
    }
    state_close(L, status);
    return status;
}
