#pragma once
// Values of the server as Lua values.
#include "conn.h"

#include <lua.h>

/// Pushes a result as a list of rows keyed by column name, with `columns` (names in order), `tag`
/// ("UPDATE 3") and, for an isolated statement that failed, `sqlstate`.
/// boolean, integer and float become Lua's own; JSON and arrays become tables; SQL NULL is nil in a
/// row and op.null (a NULL lightuserdata, as cjson's) inside arrays; everything else is a string.
/// The result must live in a box: pushing can raise.
void lib_value_push_rows(lua_State *L, const struct result *result); // [-0, +1]

/// Pushes an empty box that clears its `struct result` when collected.
struct result *lib_value_box(lua_State *L); // [-0, +1]

/// Pushes one value of the type with this OID, as in a row.
void lib_value_push(lua_State *L, unsigned type, const char *text, size_t size); // [-0, +1]
