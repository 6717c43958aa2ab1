#pragma once
// JSON of the server as Lua values.
#include <lua.h>
#include <stddef.h>

/// Pushes the value of a JSON text: objects and arrays as tables, integers of 64 bits as integers,
/// other numbers as floats, null as op.null (a NULL lightuserdata). An empty array has a metatable
/// that tells it from an empty object. Raises a text when the JSON cannot be told in Lua.
void lib_json_push(lua_State *L, const char *text, size_t size); // [-0, +1]
