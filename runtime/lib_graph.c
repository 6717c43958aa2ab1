// require("luamig.core.graph"): the revision graph.
//   graph.new(list) -> graph      list: { id=, down={ids}, depends_on={ids or labels}, labels={},
//                                 file= } in file order; raises what is wrong with it
// Every list of ids is in graph order: parents first, file order decides between the rest.
//   g:ids() g:heads(effective?) g:bases() g:branches() -> ids      g:has(id) -> boolean
//   g:children(id) -> ids         what follows it
//   g:labels() -> { id = labels } the labels that hold for each, sorted; only ids that have any
//   g:resolve(target, {current=rows?, direction="read"|"upgrade"|"downgrade"}) -> ids; {}: base
//   g:range("A:B", {current=rows?}) -> ids
//   g:needs_rows(target or range) -> boolean   whether it is relative to the rows of the database
//   g:upgrade(rows, target) g:downgrade(rows, target)
//                                 -> steps { id=, remove={rows}, add={rows}, rows={rows after} }
//   g:stamp(rows, {targets}, {purge=}) -> { remove=, add=, rows= }
//   g:applied(rows) -> ids        rows that no revision has are passed over
//   g:current(rows) -> ids        the rows, and the ends of branches implied by depends_on
//   g:unknown(rows) -> rows       that no revision has
#include "lib_graph.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

static const char GRAPH[] = "luamig.graph";
static const char WORK[] = "luamig.graph.work";

// ---- boxes ----

struct graph_box {
    struct graph *graph; // NULL when closed
};

const struct graph *lib_graph_check(lua_State *L)
{
    struct graph_box *box = luaL_checkudata(L, 1, GRAPH);
    luaL_argcheck(L, box->graph, 1, "the graph is closed");
    return box->graph;
}

static int lib_graph_close(lua_State *L)
{
    struct graph_box *box = luaL_checkudata(L, 1, GRAPH);
    graph_free(box->graph);
    box->graph = NULL;
    return 0;
}

static int lib_work_clear(lua_State *L)
{
    struct lib_graph_work *work = luaL_checkudata(L, 1, WORK);
    graph_nodes_clear(&work->nodes);
    graph_state_clear(&work->state);
    graph_target_clear(&work->target);
    graph_plan_clear(&work->plan);
    return 0;
}

struct lib_graph_work *lib_graph_work_box(lua_State *L)
{
    struct lib_graph_work *work = lua_newuserdatauv(L, sizeof *work, 0);
    memset(work, 0, sizeof *work);
    luaL_setmetatable(L, WORK);
    lua_toclose(L, -1);
    return work;
}

// ---- lists ----

struct graph_words lib_graph_words(lua_State *L, int index, const char *what)
{
    luaL_checktype(L, index, LUA_TTABLE);
    int count = (int)lua_rawlen(L, index);
    const char **items = lua_newuserdatauv(L, ((size_t)count + 1) * sizeof *items, 0);
    for (int i = 0; i < count; i++) {
        if (lua_rawgeti(L, index, i + 1) != LUA_TSTRING) {
            luaL_error(L, "%s %d is a %s, not a string", what, i + 1, luaL_typename(L, -1));
        }
        size_t size;
        items[i] = lua_tolstring(L, -1, &size);
        if (strlen(items[i]) != size) {
            luaL_error(L, "%s %d has a NUL byte", what, i + 1);
        }
        lua_pop(L, 1);
    }
    return (struct graph_words){items, count};
}

void lib_graph_ids_push(lua_State *L, const struct graph *graph, const struct graph_nodes *nodes)
{
    lua_createtable(L, nodes->count, 0);
    for (int i = 0; i < nodes->count; i++) {
        lua_pushstring(L, graph_id(graph, nodes->items[i]));
        lua_rawseti(L, -2, i + 1);
    }
}

// ---- building ----

// What a revision may hold, and the words there are in all of them.
static const char *const word_fields[] = {"down", "depends_on", "labels"};

static struct graph_words *words_of(struct graph_source *source, int field)
{
    struct graph_words *words[] = {&source->down, &source->needs, &source->labels};
    return words[field];
}

// Raw reading throughout: nothing may run while pointers to strings are held.
static int raw_field(lua_State *L, int index, const char *name)
{
    index = lua_absindex(L, index);
    lua_pushstring(L, name);
    return lua_rawget(L, index);
}

static int words_count(lua_State *L, int revision)
{
    int count = 0;
    for (int field = 0; field < 3; field++) {
        int type = raw_field(L, revision, word_fields[field]);
        luaL_argcheck(L, type == LUA_TNIL || type == LUA_TTABLE, 1, word_fields[field]);
        count += type == LUA_TTABLE ? (int)lua_rawlen(L, -1) : 0;
        lua_pop(L, 1);
    }
    return count;
}

// A string on top of the stack that a table keeps; pops it.
static const char *kept_string(lua_State *L, const char *what, const char *file)
{
    size_t size = 0;
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &size) : NULL;
    if (!text) {
        luaL_error(L, "%s of a revision (%s) is a %s, not a string", what, file,
                   luaL_typename(L, -1));
        abort(); // luaL_error does not return
    }
    if (strlen(text) != size) {
        struct fault *fault = lib_fault_box(L);
        fault_set(fault, FAULT_GRAPH, "a NUL byte is not allowed in %s of a revision", what);
        fault_text(&fault->file, "%s", file);
        lib_fault_raise(L, fault);
    }
    lua_pop(L, 1);
    return text;
}

static const char **words_read(lua_State *L, int revision, int field, const char **items,
                               struct graph_source *source)
{
    struct graph_words *words = words_of(source, field);
    if (raw_field(L, revision, word_fields[field]) == LUA_TTABLE) {
        words->items = items;
        words->count = (int)lua_rawlen(L, -1);
        for (int i = 0; i < words->count; i++) {
            lua_rawgeti(L, -1, i + 1);
            *items++ = kept_string(L, word_fields[field], source->file);
        }
    }
    lua_pop(L, 1);
    return items;
}

static const char **source_read(lua_State *L, struct graph_source *source, const char **items)
{
    int revision = lua_gettop(L);
    if (raw_field(L, revision, "file") == LUA_TNIL) {
        lua_pop(L, 1);
        source->file = "(no file)";
    } else {
        source->file = kept_string(L, "file", "?");
    }
    raw_field(L, revision, "id");
    source->id = kept_string(L, "id", source->file);
    for (int field = 0; field < 3; field++) {
        items = words_read(L, revision, field, items, source);
    }
    return items;
}

static int lib_graph_new(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    int count = (int)lua_rawlen(L, 1);
    int words = 0;
    for (int i = 0; i < count; i++) {
        luaL_argcheck(L, lua_rawgeti(L, 1, i + 1) == LUA_TTABLE, 1, "a revision is no table");
        words += words_count(L, lua_gettop(L));
        lua_pop(L, 1);
    }
    struct graph_source *sources = lua_newuserdatauv(L, ((size_t)count + 1) * sizeof *sources, 0);
    memset(sources, 0, ((size_t)count + 1) * sizeof *sources);
    const char **items = lua_newuserdatauv(L, ((size_t)words + 1) * sizeof *items, 0);
    for (int i = 0; i < count; i++) {
        lua_rawgeti(L, 1, i + 1);
        items = source_read(L, &sources[i], items);
        lua_pop(L, 1);
    }
    struct fault *fault = lib_fault_box(L);
    struct graph_box *box = lua_newuserdatauv(L, sizeof *box, 0);
    box->graph = NULL;
    luaL_setmetatable(L, GRAPH);
    if (!graph_build(sources, count, &box->graph, fault)) {
        lib_fault_raise(L, fault);
    }
    return 1;
}

// ---- reading ----

static int lib_graph_ids(lua_State *L)
{
    const struct graph *graph = lib_graph_check(L);
    int count = graph_count(graph);
    lua_createtable(L, count, 0);
    for (int i = 0; i < count; i++) {
        lua_pushstring(L, graph_id(graph, graph_order(graph)[i]));
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static int selected_push(lua_State *L, const struct graph *graph, enum graph_role role)
{
    struct fault *fault = lib_fault_box(L);
    struct lib_graph_work *work = lib_graph_work_box(L);
    if (!graph_select(graph, role, &work->nodes, fault)) {
        lib_fault_raise(L, fault);
    }
    lib_graph_ids_push(L, graph, &work->nodes);
    return 1;
}

static int lib_graph_heads(lua_State *L)
{
    const struct graph *graph = lib_graph_check(L);
    return selected_push(L, graph, lua_toboolean(L, 2) ? GRAPH_EFFECTIVE_HEADS : GRAPH_HEADS);
}

static int lib_graph_bases(lua_State *L)
{
    return selected_push(L, lib_graph_check(L), GRAPH_BASES);
}

static int lib_graph_branches(lua_State *L)
{
    return selected_push(L, lib_graph_check(L), GRAPH_BRANCH_POINTS);
}

static int lib_graph_has(lua_State *L)
{
    const struct graph *graph = lib_graph_check(L);
    lua_pushboolean(L, graph_find(graph, luaL_checkstring(L, 2)) >= 0);
    return 1;
}

static int lib_graph_children(lua_State *L)
{
    const struct graph *graph = lib_graph_check(L);
    const char *id = luaL_checkstring(L, 2);
    int node = graph_find(graph, id);
    luaL_argcheck(L, node >= 0, 2, "no revision has this id");
    struct fault *fault = lib_fault_box(L);
    struct lib_graph_work *work = lib_graph_work_box(L);
    if (!graph_followers(graph, node, &work->nodes, fault)) {
        lib_fault_raise(L, fault);
    }
    lib_graph_ids_push(L, graph, &work->nodes);
    return 1;
}

static int text_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// Appends a label to the list of an id in the table on top of the stack.
static void label_add(lua_State *L, const char *id, const char *label)
{
    if (lua_getfield(L, -1, id) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setfield(L, -3, id);
    }
    lua_pushstring(L, label);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 1);
}

static int label_number(const struct graph *graph, const char *name)
{
    int i = 0;
    while (strcmp(graph_label(graph, i), name) != 0) {
        i++;
    }
    return i;
}

static int lib_graph_labels(lua_State *L)
{
    const struct graph *graph = lib_graph_check(L);
    int count = graph_label_count(graph);
    const char **names = lua_newuserdatauv(L, ((size_t)count + 1) * sizeof *names, 0);
    for (int i = 0; i < count; i++) {
        names[i] = graph_label(graph, i);
    }
    qsort(names, (size_t)count, sizeof *names, text_compare);
    struct fault *fault = lib_fault_box(L);
    lua_newtable(L);
    for (int i = 0; i < count; i++) {
        struct lib_graph_work *work = lib_graph_work_box(L);
        if (!graph_label_members(graph, label_number(graph, names[i]), &work->nodes, fault)) {
            lib_fault_raise(L, fault);
        }
        lua_pushvalue(L, -2); // labels work labels
        for (int j = 0; j < work->nodes.count; j++) {
            label_add(L, graph_id(graph, work->nodes.items[j]), names[i]);
        }
        lua_pop(L, 1);
        lua_closeslot(L, -1);
        lua_pop(L, 1);
    }
    return 1;
}

static const luaL_Reg methods[] = {
    {"ids", lib_graph_ids},
    {"heads", lib_graph_heads},
    {"bases", lib_graph_bases},
    {"branches", lib_graph_branches},
    {"has", lib_graph_has},
    {"children", lib_graph_children},
    {"labels", lib_graph_labels},
    {"resolve", lib_graph_resolve},
    {"range", lib_graph_range},
    {"needs_rows", lib_graph_needs_rows},
    {"upgrade", lib_graph_upgrade},
    {"downgrade", lib_graph_downgrade},
    {"stamp", lib_graph_stamp},
    {"applied", lib_graph_applied},
    {"current", lib_graph_current},
    {"unknown", lib_graph_unknown},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"new", lib_graph_new},
    {NULL, NULL},
};

static void metatables_make(lua_State *L)
{
    luaL_newmetatable(L, GRAPH);
    lua_pushcfunction(L, lib_graph_close);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, lib_graph_close);
    lua_setfield(L, -2, "__close");
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    luaL_newmetatable(L, WORK);
    lua_pushcfunction(L, lib_work_clear);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, lib_work_clear);
    lua_setfield(L, -2, "__close");
    lua_pop(L, 2);
}

int luaopen_luamig_core_graph(lua_State *L);
int luaopen_luamig_core_graph(lua_State *L)
{
    metatables_make(L);
    luaL_newlib(L, functions);
    return 1;
}
