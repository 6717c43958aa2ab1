// The methods of a graph that are about targets and version rows.
#include "lib_graph.h"

#include <lauxlib.h>
#include <string.h>

static const char *target_check(lua_State *L, int index)
{
    size_t size;
    const char *text = luaL_checklstring(L, index, &size);
    if (strlen(text) != size) {
        struct fault *fault = lib_fault_box(L);
        fault_set(fault, FAULT_USAGE, "the target '%s' has a NUL byte behind it", text);
        lib_fault_raise(L, fault);
    }
    return text;
}

static void state_check(lua_State *L, const struct graph *graph, int index,
                        struct lib_graph_work *work, struct fault *fault)
{
    struct graph_words rows = lib_graph_words(L, index, "row");
    if (!graph_state_open(graph, rows, &work->state, fault)) {
        lib_fault_raise(L, fault);
    }
}

static void ids_set(lua_State *L, const char *name, const struct graph *graph,
                    const struct graph_nodes *nodes)
{
    lib_graph_ids_push(L, graph, nodes);
    lua_setfield(L, -2, name);
}

// ---- targets ----

static enum graph_direction direction_check(lua_State *L, int options)
{
    static const char *const names[] = {"read", "upgrade", "downgrade", NULL};
    lua_getfield(L, options, "direction");
    int direction = luaL_checkoption(L, -1, "read", names);
    lua_pop(L, 1);
    return (enum graph_direction)direction;
}

// Opens the state of options.current; NULL without.
static const struct graph_state *current_check(lua_State *L, const struct graph *graph, int options,
                                               struct lib_graph_work *work, struct fault *fault)
{
    if (lua_getfield(L, options, "current") == LUA_TNIL) {
        lua_pop(L, 1);
        return NULL;
    }
    state_check(L, graph, lua_gettop(L), work, fault);
    return &work->state;
}

static void options_default(lua_State *L, int index)
{
    if (lua_isnoneornil(L, index)) {
        lua_settop(L, index - 1);
        lua_newtable(L);
    }
    luaL_checktype(L, index, LUA_TTABLE);
    lua_settop(L, index);
}

int lib_graph_resolve(lua_State *L)
{
    const struct graph *graph = lib_graph_check(L);
    const char *text = target_check(L, 2);
    options_default(L, 3);
    enum graph_direction direction = direction_check(L, 3);
    struct fault *fault = lib_fault_box(L);
    struct lib_graph_work *work = lib_graph_work_box(L);
    const struct graph_state *state = current_check(L, graph, 3, work, fault);
    if (!graph_target_resolve(graph, text, state, direction, &work->target, fault)) {
        lib_fault_raise(L, fault);
    }
    lib_graph_ids_push(L, graph, &work->target.nodes);
    return 1;
}

int lib_graph_range(lua_State *L)
{
    const struct graph *graph = lib_graph_check(L);
    const char *text = target_check(L, 2);
    options_default(L, 3);
    struct fault *fault = lib_fault_box(L);
    struct lib_graph_work *work = lib_graph_work_box(L);
    const struct graph_state *state = current_check(L, graph, 3, work, fault);
    if (!graph_range_select(graph, text, state, &work->nodes, fault)) {
        lib_fault_raise(L, fault);
    }
    lib_graph_ids_push(L, graph, &work->nodes);
    return 1;
}

int lib_graph_needs_rows(lua_State *L)
{
    const struct graph *graph = lib_graph_check(L);
    lua_pushboolean(L, graph_needs_rows(graph, target_check(L, 2)));
    return 1;
}

// ---- plans ----

static int plan_push(lua_State *L, enum graph_direction direction)
{
    const struct graph *graph = lib_graph_check(L);
    const char *text = target_check(L, 3);
    struct fault *fault = lib_fault_box(L);
    struct lib_graph_work *work = lib_graph_work_box(L);
    state_check(L, graph, 2, work, fault);
    if (!graph_plan_open(&work->state, text, direction, &work->plan, fault)) {
        lib_fault_raise(L, fault);
    }
    lua_createtable(L, work->plan.count, 0);
    struct graph_step step;
    while (graph_plan_next(&work->plan, &step)) {
        lua_createtable(L, 0, 4);
        lua_pushstring(L, graph_id(graph, step.node));
        lua_setfield(L, -2, "id");
        ids_set(L, "remove", graph, step.remove);
        ids_set(L, "add", graph, step.add);
        ids_set(L, "rows", graph, step.rows);
        lua_rawseti(L, -2, work->plan.at);
    }
    return 1;
}

int lib_graph_upgrade(lua_State *L)
{
    return plan_push(L, GRAPH_UPGRADE);
}

int lib_graph_downgrade(lua_State *L)
{
    return plan_push(L, GRAPH_DOWNGRADE);
}

int lib_graph_unknown(lua_State *L)
{
    const struct graph *graph = lib_graph_check(L);
    struct graph_words rows = lib_graph_words(L, 2, "row");
    lua_newtable(L);
    int found = 0;
    for (int i = 0; i < rows.count; i++) {
        if (graph_find(graph, rows.items[i]) < 0) {
            lua_pushstring(L, rows.items[i]);
            lua_rawseti(L, -2, ++found);
        }
    }
    return 1;
}

// Replaces the rows at an index by those that some revision has.
static void known_rows(lua_State *L, const struct graph *graph, int index)
{
    struct graph_words rows = lib_graph_words(L, index, "row");
    lua_newtable(L);
    int found = 0;
    for (int i = 0; i < rows.count; i++) {
        if (graph_find(graph, rows.items[i]) >= 0) {
            lua_pushstring(L, rows.items[i]);
            lua_rawseti(L, -2, ++found);
        }
    }
    lua_replace(L, index);
}

static int state_push(lua_State *L, bool (*find)(const struct graph_state *, struct graph_nodes *,
                                                 struct fault *))
{
    const struct graph *graph = lib_graph_check(L);
    lua_settop(L, 2);
    known_rows(L, graph, 2);
    struct fault *fault = lib_fault_box(L);
    struct lib_graph_work *work = lib_graph_work_box(L);
    state_check(L, graph, 2, work, fault);
    if (!find(&work->state, &work->nodes, fault)) {
        lib_fault_raise(L, fault);
    }
    lib_graph_ids_push(L, graph, &work->nodes);
    return 1;
}

int lib_graph_applied(lua_State *L)
{
    return state_push(L, graph_state_applied);
}

int lib_graph_current(lua_State *L)
{
    return state_push(L, graph_state_tips);
}

// ---- stamp ----

// Sets a field of the table on top: the words of one list that the other does not have.
static void difference_set(lua_State *L, const char *name, int list, int without)
{
    lua_newtable(L); // result out
    lua_newtable(L); // result out set
    for (int i = 1; lua_rawgeti(L, without, i) != LUA_TNIL; i++) {
        lua_pushboolean(L, 1);
        lua_rawset(L, -3);
    }
    lua_pop(L, 1);
    int found = 0;
    for (int i = 1; lua_rawgeti(L, list, i) != LUA_TNIL; i++) {
        lua_pushvalue(L, -1);
        if (lua_rawget(L, -3) == LUA_TNIL) {
            lua_pushvalue(L, -2);
            lua_rawseti(L, -5, ++found);
        }
        lua_pop(L, 2);
    }
    lua_pop(L, 2); // result out
    lua_setfield(L, -2, name);
}

static bool flag_check(lua_State *L, int options, const char *name)
{
    lua_getfield(L, options, name);
    bool flag = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return flag;
}

int lib_graph_stamp(lua_State *L)
{
    const struct graph *graph = lib_graph_check(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    options_default(L, 4);
    bool is_purge = flag_check(L, 4, "purge");
    struct graph_words targets = lib_graph_words(L, 3, "target");
    struct fault *fault = lib_fault_box(L);
    struct lib_graph_work *work = lib_graph_work_box(L);
    if (!is_purge) {
        state_check(L, graph, 2, work, fault);
    }
    if (!graph_stamp_rows(graph, is_purge ? NULL : &work->state, targets, &work->nodes, fault)) {
        lib_fault_raise(L, fault);
    }
    lib_graph_ids_push(L, graph, &work->nodes);
    int after = lua_gettop(L);
    lua_createtable(L, 0, 3);
    difference_set(L, "remove", 2, after);
    difference_set(L, "add", after, 2);
    lua_pushvalue(L, after);
    lua_setfield(L, -2, "rows");
    return 1;
}
