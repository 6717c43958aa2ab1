// require("luamig.core.batch"): batched migrations; luamig.backfill is the layer above.
//   batch.sql(schema, table) -> { claim = "WITH …", … }: the SQL of the tables
//   batch.pool(options) -> pool   options: the fields of struct batch_job by name (url,
//     application_name, schema, table, backfill, code, work, read, probe, …), and for a map
//     function transform: a table as lib_map.h says; the pool has one worker, which runs in this
//     Lua state bundle: a text for luamig.backfill.mapper.open in a state of each worker's own
//   pool:resize(workers)   pool:wait(ms) -> runs   pool:status() -> table
//   pool:hold(is_held)   pool:slow(percent)   pool:vacuum()   pool:stop()
//   pool:finish() -> "done" | "stopped" | "paused" | "closed" | "changed"; raises what failed
//   pool:close()
#include "batch.h"
#include "host.h"
#include "lib_fault.h"
#include "lib_map.h"
#include "pool.h"

#include <lauxlib.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char POOL[] = "luamig.batch.pool";
static const char BOX[] = "luamig.batch.sql.box";

struct pool_box {
    struct pool *pool; // NULL when closed
    struct batch_job job;
    struct batch_sql sql;
    struct pool_hooks hooks;
    const char *bundle;
    lua_State *shared; // the Lua thread for a transform of this state
    bool is_locked;    // this state belongs to the main thread now; false while it waits
    pthread_mutex_t lock;
};

// With a transform, the worker runs in this very state, but only while the main thread waits in C.
static void state_give(struct pool_box *box)
{
    if (box->is_locked) {
        box->is_locked = false;
        pthread_mutex_unlock(&box->lock);
    }
}

static void state_take(struct pool_box *box)
{
    pthread_mutex_lock(&box->lock);
    box->is_locked = true;
}

struct shared_map {
    struct pool_box *box;
    struct batch_mapper mapper;
};

static bool shared_call(void *data, const struct result *rows, const struct batch_limits *limits,
                        struct batch_output *out, struct fault *fault)
{
    struct shared_map *map = data;
    pthread_mutex_lock(&map->box->lock);
    bool ok = map->mapper.map(map->mapper.data, rows, limits, out, fault);
    pthread_mutex_unlock(&map->box->lock);
    return ok;
}

static bool shared_open(void *data, struct batch_mapper *out, struct fault *fault)
{
    struct shared_map *map = calloc(1, sizeof *map);
    if (!map) {
        return fault_set(fault, FAULT_MEMORY, "not enough memory");
    }
    map->box = data;
    pthread_mutex_lock(&map->box->lock);
    bool ok = lib_map_new(map->box->shared, &map->mapper, fault);
    pthread_mutex_unlock(&map->box->lock);
    if (!ok) {
        free(map);
        return false;
    }
    *out = (struct batch_mapper){.map = shared_call, .data = map};
    return true;
}

static void shared_close(void *data, struct batch_mapper *mapper)
{
    struct pool_box *box = data;
    struct shared_map *map = mapper->data;
    pthread_mutex_lock(&box->lock);
    lib_map_free(&map->mapper);
    pthread_mutex_unlock(&box->lock);
    free(map);
}

// Rows are garbage as soon as they are mapped: a generational collector never looks at the rest.
static void garbage_is_young(lua_State *L, bool is_young)
{
#ifndef LUAMIG_GC_STRESS
    lua_gc(L, is_young ? LUA_GCGEN : LUA_GCINC, 0, 0, 0);
#else
    (void)L;
    (void)is_young;
#endif
}

struct own_map {
    lua_State *L;
    struct batch_mapper mapper;
};

static bool own_call(void *data, const struct result *rows, const struct batch_limits *limits,
                     struct batch_output *out, struct fault *fault)
{
    struct own_map *map = data;
    return map->mapper.map(map->mapper.data, rows, limits, out, fault);
}

// luamig.backfill.mapper.open(bundle) -> transform
static int transform_make(lua_State *L)
{
    const char *bundle = lua_touserdata(L, 1);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "luamig.backfill.mapper");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "open");
    lua_pushstring(L, bundle);
    lua_call(L, 1, 1);
    return 1;
}

static void own_free(struct own_map *map)
{
    lib_map_free(&map->mapper);
    if (map->L) {
        lua_close(map->L);
    }
    free(map);
}

static bool own_open(void *data, struct batch_mapper *out, struct fault *fault)
{
    struct pool_box *box = data;
    struct own_map *map = calloc(1, sizeof *map);
    if (!map || !(map->L = host_state_new())) {
        free(map);
        return fault_set(fault, FAULT_MEMORY, "not enough memory");
    }
    garbage_is_young(map->L, true);
    lua_pushcfunction(map->L, transform_make);
    lua_pushlightuserdata(map->L, (void *)(uintptr_t)box->bundle);
    if (lua_pcall(map->L, 1, 1, 0) != LUA_OK) {
        lib_fault_read(map->L, fault);
        own_free(map);
        return false;
    }
    if (!lib_map_new(map->L, &map->mapper, fault)) {
        own_free(map);
        return false;
    }
    *out = (struct batch_mapper){.map = own_call, .data = map};
    return true;
}

static void own_close(void *data, struct batch_mapper *mapper)
{
    (void)data;
    own_free(mapper->data);
}

static struct pool_box *box_check(lua_State *L)
{
    struct pool_box *box = luaL_checkudata(L, 1, POOL);
    luaL_argcheck(L, box->pool, 1, "the pool is closed");
    return box;
}

static int lib_pool_close(lua_State *L)
{
    struct pool_box *box = luaL_checkudata(L, 1, POOL);
    struct pool *pool = box->pool;
    box->pool = NULL;
    if (pool) {
        state_give(box);
        pool_free(pool);
        pthread_mutex_destroy(&box->lock);
        if (box->shared) {
            garbage_is_young(L, false);
        }
    }
    batch_sql_clear(&box->sql);
    return 0;
}

// A text of the options; the copy of the string in the table on top keeps it.
static const char *text_option(lua_State *L, const char *name, bool is_required)
{
    int type = lua_getfield(L, 1, name); // anchors value
    if (type == LUA_TNIL) {
        if (is_required) {
            luaL_error(L, "the option '%s' is missing", name);
        }
        lua_pop(L, 1);
        return NULL;
    }
    const char *text = luaL_checkstring(L, -1);
    lua_setfield(L, -2, name);
    return text;
}

static bool flag_option(lua_State *L, const char *name)
{
    lua_getfield(L, 1, name);
    bool value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

// With the table of anchors on top.
static void job_read(lua_State *L, struct pool_box *box)
{
    struct batch_job *job = &box->job;
    *job = (struct batch_job){
        .conn = {.url = text_option(L, "url", false),
                 .application_name = text_option(L, "application_name", false)},
        .sql = &box->sql,
        .backfill = text_option(L, "backfill", true),
        .code = text_option(L, "code", true),
        .work = text_option(L, "work", false),
        .read = text_option(L, "read", false),
        .probe = text_option(L, "probe", true),
        .stride = text_option(L, "stride", false),
        .middle = text_option(L, "middle", false),
        .vacuum = text_option(L, "vacuum", false),
        .after = text_option(L, "after", true),
        .from = text_option(L, "from", true),
        .search_path = text_option(L, "search_path", false),
        .role = text_option(L, "role", false),
        .synchronous_commit = text_option(L, "synchronous_commit", true),
        .counts_updates = flag_option(L, "counts_updates"),
        .is_compared = flag_option(L, "is_compared"),
        .waits_while_paused = flag_option(L, "waits_while_paused"),
    };
}

static void hooks_read(lua_State *L, struct pool_box *box)
{
    box->bundle = text_option(L, "bundle", false);
    box->hooks = (struct pool_hooks){.open = own_open, .close = own_close, .data = box};
    if (lua_getfield(L, 1, "transform") != LUA_TNIL) { // pool anchors transform
        box->shared = lua_newthread(L);                // pool anchors transform thread
        lua_setfield(L, -3, "thread");
        lua_xmove(L, box->shared, 1);
        garbage_is_young(L, true);
        box->hooks.open = shared_open;
        box->hooks.close = shared_close;
        return;
    }
    lua_pop(L, 1);
    luaL_argcheck(L, box->job.work || box->bundle, 1, "no work, transform or bundle");
}

static int lib_batch_pool(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    struct pool_box *box = lua_newuserdatauv(L, sizeof *box, 1);
    memset(box, 0, sizeof *box);
    luaL_setmetatable(L, POOL);
    struct fault *fault = lib_fault_box(L); // options pool fault
    lua_insert(L, 2);                       // options fault pool
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, -3, 1); // options fault pool anchors
    const char *schema = text_option(L, "schema", true);
    const char *table = text_option(L, "table", true);
    if (!batch_sql_init(&box->sql, schema, table, fault)) {
        lib_fault_raise(L, fault);
    }
    job_read(L, box);
    hooks_read(L, box);
    box->pool = pool_new(&box->job, box->job.work ? NULL : &box->hooks);
    if (!box->pool) {
        return luaL_error(L, "not enough memory");
    }
    pthread_mutex_init(&box->lock, NULL);
    state_take(box);
    lua_settop(L, 3);
    return 1;
}

static int lib_pool_resize(lua_State *L)
{
    struct pool_box *box = box_check(L);
    int workers = (int)luaL_checkinteger(L, 2);
    luaL_argcheck(L, !box->shared || workers <= 1, 2, "one worker shares this state");
    struct fault *fault = lib_fault_box(L);
    if (!pool_resize(box->pool, workers, fault)) {
        lib_fault_raise(L, fault);
    }
    return 0;
}

static int lib_pool_wait(lua_State *L)
{
    struct pool_box *box = box_check(L);
    lua_Integer ms = luaL_checkinteger(L, 2);
    state_give(box);
    bool runs = pool_wait(box->pool, ms);
    state_take(box);
    lua_pushboolean(L, runs);
    return 1;
}

static int lib_pool_hold(lua_State *L)
{
    pool_hold(box_check(L)->pool, lua_toboolean(L, 2));
    return 0;
}

static int lib_pool_slow(lua_State *L)
{
    pool_slow(box_check(L)->pool, (int)luaL_checkinteger(L, 2));
    return 0;
}

static int lib_pool_vacuum(lua_State *L)
{
    struct pool_box *box = box_check(L);
    if (box->job.vacuum) {
        pool_vacuum(box->pool);
    }
    return 0;
}

static int lib_pool_stop(lua_State *L)
{
    pool_stop(box_check(L)->pool);
    return 0;
}

static void integer_set(lua_State *L, const char *name, int64_t value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

static int lib_pool_status(lua_State *L)
{
    struct pool_status status = pool_status(box_check(L)->pool);
    lua_createtable(L, 0, 6);
    integer_set(L, "workers", status.workers);
    integer_set(L, "connecting", status.connecting);
    integer_set(L, "retrying", status.retrying);
    integer_set(L, "rows", status.rows);
    integer_set(L, "batches", status.batches);
    integer_set(L, "batch_ms", status.batch_ms);
    return 1;
}

static int lib_pool_finish(lua_State *L)
{
    static const char *const names[] = {
        [BATCH_END_DONE] = "done",       [BATCH_END_STOPPED] = "stopped",
        [BATCH_END_PAUSED] = "paused",   [BATCH_END_CLOSED] = "closed",
        [BATCH_END_CHANGED] = "changed", [BATCH_END_FAILED] = "failed",
    };
    struct pool_box *box = box_check(L);
    struct fault *fault = lib_fault_box(L);
    enum batch_end end = pool_end(box->pool, fault);
    if (end == BATCH_END_FAILED) {
        lib_fault_raise(L, fault);
    }
    lua_pushstring(L, names[end]);
    return 1;
}

static int lib_sql_clear(lua_State *L)
{
    batch_sql_clear(luaL_checkudata(L, 1, BOX));
    return 0;
}

static int lib_batch_sql(lua_State *L)
{
    const char *schema = luaL_checkstring(L, 1);
    const char *table = luaL_checkstring(L, 2);
    struct fault *fault = lib_fault_box(L);
    struct batch_sql *sql = lua_newuserdatauv(L, sizeof *sql, 0);
    memset(sql, 0, sizeof *sql);
    luaL_setmetatable(L, BOX);
    if (!batch_sql_init(sql, schema, table, fault)) {
        lib_fault_raise(L, fault);
    }
    lua_createtable(L, 0, BATCH_SQL_COUNT);
    for (int i = 0; i < BATCH_SQL_COUNT; i++) {
        lua_pushstring(L, sql->text[i]);
        lua_setfield(L, -2, batch_sql_name((enum batch_sql_text)i));
    }
    return 1;
}

static const luaL_Reg methods[] = {
    {"resize", lib_pool_resize}, {"wait", lib_pool_wait},     {"status", lib_pool_status},
    {"hold", lib_pool_hold},     {"slow", lib_pool_slow},     {"vacuum", lib_pool_vacuum},
    {"stop", lib_pool_stop},     {"finish", lib_pool_finish}, {"close", lib_pool_close},
    {"__gc", lib_pool_close},    {"__close", lib_pool_close}, {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"sql", lib_batch_sql},
    {"pool", lib_batch_pool},
    {NULL, NULL},
};

int luaopen_luamig_core_batch(lua_State *L);
int luaopen_luamig_core_batch(lua_State *L)
{
    luaL_newmetatable(L, POOL);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    luaL_newmetatable(L, BOX);
    lua_pushcfunction(L, lib_sql_clear);
    lua_setfield(L, -2, "__gc");
    luaL_newlib(L, functions);
    return 1;
}
