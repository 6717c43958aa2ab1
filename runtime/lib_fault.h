#pragma once
// Faults at the border between C and Lua.
#include "fault.h"

#include <lua.h>

/// Pushes an empty box that holds a `struct fault` and frees it when collected, so that a Lua
/// error between filling and raising it leaks nothing.
struct fault *lib_fault_box(lua_State *L); // [-0, +1]

/// Raises the fault as a Lua error value (a table with the metatable of luamig.fault) and leaves
/// `fault` empty. `fault` must live in a box or be free of memory. Never returns.
_Noreturn void lib_fault_raise(lua_State *L, struct fault *fault);

/// Pushes the fault as a table, without raising it; leaves `fault` empty.
void lib_fault_push(lua_State *L, struct fault *fault); // [-0, +1]

/// Reads the error value on top of the stack, a fault's table or a text, into an empty fault, and
/// pops it. For states whose errors go elsewhere: nothing here raises.
void lib_fault_read(lua_State *L, struct fault *fault); // [-1, +0]
