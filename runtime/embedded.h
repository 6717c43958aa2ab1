#pragma once
// The Lua modules and bindings that the build put into the binary (see cmake/embed.lua).
#include <lua.h>
#include <stddef.h>

/// A Lua module, compiled, with the file and the lines that errors show.
struct embedded_module {
    const char *name;  // as require() takes it: "luamig.op"
    const char *chunk; // as errors show it: "@luamig/op.lua"
    const char *code;
    size_t size; // bytes
};

struct embedded_binding {
    const char *name; // "luamig.core.conn"
    lua_CFunction open;
};

// Both end with an entry whose name is NULL.
extern const struct embedded_module embedded_modules[];
extern const struct embedded_binding embedded_bindings[];
