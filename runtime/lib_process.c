// require("luamig.core.process"): other programs.
//   process.replace(program, arguments, environment?)   becomes that program, found in PATH unless
//     it has a slash; environment: { NAME = value } besides luamig's own. Returns only when it
//     cannot: raises config.
//   process.run(program, arguments, environment?) -> exit status   waits for its end; 128 + signal
//     when one ended it. Raises: config when it cannot be started.
#include "fault.h"
#include "lib_fault.h"

#include <errno.h>
#include <lauxlib.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

// NULL-terminated argv; the strings stay in the table at index 2.
static char **arguments_check(lua_State *L, const char *program)
{
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_Integer count = luaL_len(L, 2);
    char **argv = lua_newuserdatauv(L, ((size_t)count + 2) * sizeof *argv, 0);
    argv[0] = (char *)(uintptr_t)program;
    for (lua_Integer i = 1; i <= count; i++) {
        luaL_argcheck(L, lua_rawgeti(L, 2, i) == LUA_TSTRING, 2, "a list of strings expected");
        argv[i] = (char *)(uintptr_t)lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    argv[count + 1] = NULL;
    return argv;
}

static void environment_set(lua_State *L)
{
    if (lua_isnoneornil(L, 3)) {
        return;
    }
    luaL_checktype(L, 3, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
        setenv(luaL_checkstring(L, -2), luaL_checkstring(L, -1), 1);
    }
}

static int lib_process_replace(lua_State *L)
{
    const char *program = luaL_checkstring(L, 1);
    lua_settop(L, 3);
    char **argv = arguments_check(L, program);
    struct fault *fault = lib_fault_box(L);
    environment_set(L);
    fflush(NULL);
    signal(SIGPIPE, SIG_DFL); // luamig ignores it, and an ignored signal stays so
    execvp(program, argv);
    int error = errno;
    signal(SIGPIPE, SIG_IGN);
    fault_set(fault, FAULT_CONFIG, "cannot run %s: %s", program, strerror(error));
    lib_fault_raise(L, fault);
}

// "NAME=value" for every variable of ours, then those of the table at index 3, which win. The
// strings are anchored in a table that is left on the stack.
static char **environment_merge(lua_State *L)
{
    size_t count = 0, extra = 0;
    while (environ[count]) {
        count++;
    }
    if (lua_istable(L, 3)) {
        for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
            extra++;
        }
    }
    char **merged = lua_newuserdatauv(L, (count + extra + 1) * sizeof *merged, 0);
    size_t at = 0;
    lua_newtable(L); // merged anchors
    if (lua_istable(L, 3)) {
        for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
            lua_pushfstring(L, "%s=%s", luaL_checkstring(L, -2), luaL_checkstring(L, -1));
            merged[at] = (char *)(uintptr_t)lua_tostring(L, -1);
            lua_rawseti(L, -4, (lua_Integer)++at);
        }
    }
    memcpy(merged + at, environ, (count + 1) * sizeof *merged);
    return merged;
}

static int lib_process_run(lua_State *L)
{
    const char *program = luaL_checkstring(L, 1);
    lua_settop(L, 3);
    char **argv = arguments_check(L, program);
    char **environment = environment_merge(L);
    struct fault *fault = lib_fault_box(L);
    pid_t pid;
    fflush(NULL);
    int error = posix_spawnp(&pid, program, NULL, NULL, argv, environment);
    if (error != 0) {
        fault_set(fault, FAULT_CONFIG, "cannot run %s: %s", program, strerror(error));
        lib_fault_raise(L, fault);
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return 1;
}

static const luaL_Reg functions[] = {
    {"replace", lib_process_replace},
    {"run", lib_process_run},
    {NULL, NULL},
};

int luaopen_luamig_core_process(lua_State *L);
int luaopen_luamig_core_process(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
