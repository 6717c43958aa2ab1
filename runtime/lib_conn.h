#pragma once
// The connection as Lua sees it.
#include "conn.h"

#include <lua.h>

/// The open connection at a stack index; raises a fault when it is closed.
struct conn *lib_conn_check(lua_State *L, int index);
