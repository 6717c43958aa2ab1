#pragma once
// The Lua states that everything runs in: embedded modules, protected entry with a traceback.
// Knows nothing of libpq.
#include <lua.h>

/// Runs luamig's command line in a Lua state of its own.
/// @param argv  as main() got them; argv[0] is the program
/// @param allocator  NULL for Lua's own; tests pass one that fails
/// @return the exit status
int host_run(int argc, char **argv, lua_Alloc allocator, void *allocator_data);

/// A Lua state with the same modules, for the work of another thread; nothing has run in it.
/// @return NULL without memory; the caller calls lua_close()
lua_State *host_state_new(void);
