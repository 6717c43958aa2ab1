#pragma once
// Shared by lib_graph*.c, the binding of the revision graph.
#include "graph.h"
#include "lib_fault.h"

/// What one call holds while it makes Lua values of it.
struct lib_graph_work {
    struct graph_nodes nodes;
    struct graph_state state;
    struct graph_target target;
    struct graph_plan plan;
};

/// The graph that a method was called on.
const struct graph *lib_graph_check(lua_State *L);

/// Pushes an empty box that is freed when the function returns, however it does.
struct lib_graph_work *lib_graph_work_box(lua_State *L); // [-0, +1]

/// Pushes what holds the words of a list of strings; the list keeps the strings.
struct graph_words lib_graph_words(lua_State *L, int index, const char *what); // [-0, +1]
void lib_graph_ids_push(lua_State *L, const struct graph *graph,
                        const struct graph_nodes *nodes); // [-0, +1]

int lib_graph_resolve(lua_State *L);
int lib_graph_range(lua_State *L);
int lib_graph_needs_rows(lua_State *L);
int lib_graph_upgrade(lua_State *L);
int lib_graph_downgrade(lua_State *L);
int lib_graph_unknown(lua_State *L);
int lib_graph_applied(lua_State *L);
int lib_graph_current(lua_State *L);
int lib_graph_stamp(lua_State *L);
