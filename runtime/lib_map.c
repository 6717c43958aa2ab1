#include "lib_map_private.h"

#include "clock.h"
#include "interrupt.h"
#include "lib_value.h"
#include "tick.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

// Rows between two looks at the clock; how often it is looked at within a row.
enum { CLOCK_EVERY = 16, TICK_MS = 20, STOP_AFTER_MS = 1000 };
// Bytes of a statement's arrays: the server sorts them by their keys, within work_mem.
enum { SIZE_AT_MOST = 1 << 20 };

// The map that runs in this OS thread: a hook has nothing else to find it by.
static _Thread_local struct lib_map *current;

static enum map_kill kill_reason(struct lib_map *map)
{
    int64_t now = clock_now_ms();
    if (map->kill == MAP_KILL_NONE && map->watched_row != map->row) {
        map->watched_row = map->row;
        map->watched_ms = now;
    }
    if (interrupt_count() > 0 && now - map->start_ms > STOP_AFTER_MS) {
        return MAP_KILL_ALL;
    }
    return now - map->watched_ms > map->row_limit_ms ? MAP_KILL_ROW : map->kill;
}

// A pcall of the script can swallow the error once; it is raised again at the next instruction.
static void watch(lua_State *L, lua_Debug *activation)
{
    (void)activation;
    struct lib_map *map = current;
    if (!map) {
        return;
    }
    map->kill = kill_reason(map);
    if (map->kill == MAP_KILL_NONE) {
        lua_sethook(L, NULL, 0, 0);
        return;
    }
    lua_sethook(L, watch, LUA_MASKCOUNT, 1);
    luaL_error(L, "the map function did not return within %d ms", (int)map->row_limit_ms);
}

// Within a signal's handler, where lua_sethook() is allowed. A hook that stays would halve the
// speed of the function, for Lua then looks at it before every instruction.
static void on_tick(void)
{
    if (current && current->is_watched) {
        lua_sethook(current->L, watch, LUA_MASKCOUNT, 1);
    }
}

static void row_push(lua_State *L, const struct lib_map *map)
{
    int columns = result_columns(map->rows);
    lua_createtable(L, 0, columns - map->first_column);
    for (int column = map->first_column; column < columns; column++) {
        size_t size = 0;
        const char *text = result_value(map->rows, map->row, column, &size);
        if (text) {
            lua_pushvalue(L, AT_SLOTS + 1 + column - map->first_column);
            lib_value_push(L, result_type(map->rows, column), text, size); // row name value
            lua_rawset(L, -3);
        }
    }
}

// All rows from the one at hand on, until one fails, the time is over or the arrays are large.
static int rows_run(lua_State *L)
{
    struct lib_map *map = lua_touserdata(L, 1);
    int columns = result_columns(map->rows);
    lua_settop(L, 0);
    luaL_checkstack(L, columns + 20, NULL);
    for (int i = AT_TRANSFORM; i <= AT_SLOTS; i++) {
        lua_rawgetp(L, LUA_REGISTRYINDEX, (const char *)map + i);
    }
    for (int column = map->first_column; column < columns; column++) {
        lua_pushstring(L, result_name(map->rows, column));
    }
    int base = lua_gettop(L);
    for (; map->row < map->row_count; map->row++) {
        bool look = map->row % CLOCK_EVERY == 0 && map->row > 0;
        map->is_late = look && clock_now_ms() > map->end_ms;
        if (map->is_late || map->size > SIZE_AT_MOST) {
            break;
        }
        lua_pushvalue(L, AT_MAP);
        row_push(L, map);
        lua_pushvalue(L, AT_CTX);
        lua_call(L, 2, 1); // changes
        if (map->is_rejected) {
            lua_getfield(L, AT_CTX, "reason");
            return lua_error(L);
        }
        if (lua_istable(L, -1)) {
            map_row_add(L, map);
        } else if (lua_toboolean(L, -1)) {
            return luaL_error(L, "the map function returned a %s; expected a table or nil",
                              luaL_typename(L, -1));
        }
        lua_settop(L, base);
    }
    return 0;
}

// ctx.reject(why): the row is put aside, whatever the function returns.
static int ctx_reject(lua_State *L)
{
    struct lib_map *map = lua_touserdata(L, lua_upvalueindex(1));
    luaL_tolstring(L, 1, NULL);
    lua_setfield(L, lua_upvalueindex(2), "reason");
    map->is_rejected = true;
    return 0;
}

static void keys_setup(lua_State *L, struct lib_map *map)
{
    lua_getfield(L, 1, "key_columns");
    map->first_column = (int)luaL_checkinteger(L, -1);
    lua_getfield(L, 1, "is_key_plain");
    lua_getfield(L, 1, "key_places"); // … plain places
    map->key_count = (int)luaL_len(L, -1);
    luaL_argcheck(L, map->key_count > 0 && map->key_count <= MAP_KEYS_AT_MOST, 1, "key_places");
    for (int i = 0; i < map->key_count; i++) {
        lua_rawgeti(L, -1, i + 1);
        map->key_place[i] = (int)luaL_checkinteger(L, -1);
        lua_rawgeti(L, -3, i + 1);
        map->key_plain[i] = lua_toboolean(L, -1);
        lua_pop(L, 2);
    }
    lua_pop(L, 3);
}

static int setup(lua_State *L) // transform map
{
    struct lib_map *map = lua_touserdata(L, 2);
    keys_setup(L, map);
    lua_getfield(L, 1, "is_compared");
    map->is_compared = lua_toboolean(L, -1);
    lua_pushvalue(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, (const char *)map + AT_TRANSFORM);
    lua_getfield(L, 1, "map");
    luaL_checktype(L, -1, LUA_TFUNCTION);
    lua_rawsetp(L, LUA_REGISTRYINDEX, (const char *)map + AT_MAP);
    lua_newtable(L); // ctx
    lua_getfield(L, 1, "name");
    lua_setfield(L, -2, "name");
    lua_pushlightuserdata(L, map);
    lua_pushvalue(L, -2);
    lua_pushcclosure(L, ctx_reject, 2);
    lua_setfield(L, -2, "reject");
    lua_rawsetp(L, LUA_REGISTRYINDEX, (const char *)map + AT_CTX);
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, (const char *)map + AT_SLOTS);
    return 0;
}

// Bytes that are no UTF-8 cannot be stored: a message that has any loses all that are not ASCII.
static void bytes_tame(char *text)
{
    size_t size = strlen(text), need = 0;
    bool is_sound = true;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (need > 0) {
            is_sound = is_sound && (c & 0xC0) == 0x80;
            need--;
        } else if (c >= 0x80) {
            is_sound = is_sound && c >= 0xC2 && c <= 0xF4;
            need = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : 1;
        }
    }
    for (size_t i = 0; (!is_sound || need > 0) && i < size; i++) {
        text[i] = (unsigned char)text[i] >= 0x80 ? '?' : text[i];
    }
}

static bool message_add(lua_State *L, struct lib_map *map)
{
    char *text = strdup(luaL_tolstring(L, -1, NULL));
    if (!text) {
        return false;
    }
    bytes_tame(text);
    array_text_add(&map->messages, text, strlen(text));
    if (!map->first) {
        map->first = text;
        text = NULL;
        map->first_kind = map->is_rejected ? FAULT_OPERATION : FAULT_SCRIPT;
    }
    free(text);
    lua_settop(L, 0);
    return true;
}

// The row at hand is put aside. The error value is on top.
static int row_reject(lua_State *L)
{
    struct lib_map *map = lua_touserdata(L, lua_upvalueindex(1));
    struct array_text key = {0};
    map_key_add(map, &key);
    const char *text = array_text_end(&key);
    if (text) {
        array_text_add(&map->keys, text, strlen(text));
        array_text_add_null(&map->states);
    }
    if (text && map->rejected == 0) {
        array_text_reset(&map->first_key);
        map_key_add(map, &map->first_key);
    }
    array_text_clear(&key);
    map->rejected++;
    if (!text || !message_add(L, map)) {
        return luaL_error(L, "not enough memory");
    }
    return 0;
}

static bool no_memory(struct fault *fault)
{
    return fault_set(fault, FAULT_MEMORY, "not enough memory");
}

// The error value is on top. False: the whole batch is given up.
static bool failure_answer(struct lib_map *map, int status, struct fault *fault)
{
    lua_State *L = map->L;
    if (map->kill == MAP_KILL_ALL) {
        return fault_set(fault, FAULT_INTERRUPTED, "interrupted");
    } else if (status == LUA_ERRMEM) {
        return no_memory(fault);
    }
    map_row_undo(map);
    lua_pushlightuserdata(L, map);
    lua_pushcclosure(L, row_reject, 1);
    lua_insert(L, -2);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        return no_memory(fault);
    }
    map->row++;
    return true;
}

static bool rows_map(struct lib_map *map, struct fault *fault)
{
    lua_State *L = map->L;
    bool goes_on = true;
    while (goes_on && map->row < map->row_count) {
        map->kill = MAP_KILL_NONE;
        map->is_rejected = false;
        map->watched_row = -1;
        lua_settop(L, 0);
        lua_pushcfunction(L, rows_run);
        lua_pushlightuserdata(L, map);
        map->is_watched = 1;
        int status = lua_pcall(L, 1, 0, 0);
        map->is_watched = 0;
        lua_sethook(L, NULL, 0, 0);
        if (status == LUA_OK) {
            break;
        }
        goes_on = failure_answer(map, status, fault);
    }
    lua_settop(L, 0);
    return goes_on;
}

static void batch_reset(struct lib_map *map, const struct result *rows,
                        const struct batch_limits *limits)
{
    map_groups_reset(map);
    array_text_reset(&map->keys);
    array_text_reset(&map->states);
    array_text_reset(&map->messages);
    free(map->first);
    map->first = NULL;
    map->rejected = 0;
    map->size = 0;
    map->is_late = false;
    map->rows = rows;
    map->first_row = map->row = limits->first;
    map->row_count = limits->first + limits->count;
    map->end_ms = limits->end_ms;
    map->row_limit_ms = limits->row_ms;
    map->start_ms = clock_now_ms();
    if (map->is_compared != limits->is_compared) { // other statements
        map_groups_clear(map);
        map->is_compared = limits->is_compared;
    }
}

static bool output_make(struct lib_map *map, struct batch_output *out)
{
    *out = (struct batch_output){
        .row_count = map->row - map->first_row, .is_late = map->is_late, .rejected = map->rejected};
    bool ok = map_writes_make(map, out);
    if (map->rejected > 0) {
        out->keys = array_text_end(&map->keys);
        out->sqlstates = array_text_end(&map->states);
        out->messages = array_text_end(&map->messages);
        out->first = map->first;
        out->first_key = array_text_end(&map->first_key);
        out->first_kind = map->first_kind;
        ok = ok && out->keys && out->sqlstates && out->messages && out->first_key;
    }
    map->row--;
    array_text_reset(&map->upper);
    map_key_add(map, &map->upper);
    out->upper = array_text_end(&map->upper);
    return ok && out->upper;
}

static bool map_call(void *data, const struct result *rows, const struct batch_limits *limits,
                     struct batch_output *out, struct fault *fault)
{
    struct lib_map *map = data;
    batch_reset(map, rows, limits);
    struct tick tick;
    current = map;
    tick_start(&tick, TICK_MS, on_tick);
    bool ok = rows_map(map, fault);
    tick_stop(&tick);
    current = NULL;
    return ok && (output_make(map, out) || no_memory(fault));
}

bool lib_map_new(lua_State *L, struct batch_mapper *mapper, struct fault *fault)
{
    struct lib_map *map = calloc(1, sizeof *map);
    if (!map) {
        return no_memory(fault);
    }
    map->L = L;
    lua_pushcfunction(L, setup);
    lua_insert(L, 1);
    lua_pushlightuserdata(L, map);
    if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
        const char *text = lua_tostring(L, -1);
        fault_set(fault, FAULT_SCRIPT, "%s", text ? text : "the map function cannot be prepared");
        lua_settop(L, 0);
        free(map);
        return false;
    }
    *mapper = (struct batch_mapper){.map = map_call, .data = map};
    return true;
}

void lib_map_free(struct batch_mapper *mapper)
{
    struct lib_map *map = mapper->data;
    if (map) {
        for (int i = AT_TRANSFORM; i <= AT_SLOTS; i++) {
            lua_pushnil(map->L);
            lua_rawsetp(map->L, LUA_REGISTRYINDEX, (const char *)map + i);
        }
        map_groups_clear(map);
        array_text_clear(&map->keys);
        array_text_clear(&map->states);
        array_text_clear(&map->messages);
        array_text_clear(&map->upper);
        array_text_clear(&map->first_key);
        free(map->first);
        free(map);
    }
    mapper->data = NULL;
}
