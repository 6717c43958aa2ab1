// Changed rows as arrays: one statement for all rows that change the same columns.
#include "lib_map_private.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The text of a value that is no plain scalar, by the Lua function that knows all types.
static void text_add(lua_State *L, struct array_text *array, int slot)
{
    lua_getfield(L, AT_TRANSFORM, "text"); // value text
    lua_pushvalue(L, -2);
    lua_rawgeti(L, AT_SLOTS, slot + 1); // value text value name
    lua_call(L, 2, 1);                  // value string
    size_t size;
    const char *text = luaL_checklstring(L, -1, &size);
    array_text_add(array, text, size);
    lua_pop(L, 1);
}

static void string_add(lua_State *L, struct array_text *array)
{
    size_t size;
    const char *text = lua_tolstring(L, -1, &size);
    if (memchr(text, '\0', size)) {
        luaL_error(L, "a string with a NUL byte cannot be stored in PostgreSQL");
    }
    array_text_add(array, text, size);
}

static void value_add(lua_State *L, const struct lib_map *map, struct array_text *array, int slot)
{
    int type = lua_type(L, -1);
    if (type == LUA_TNUMBER && lua_isinteger(L, -1)) {
        char number[32];
        int size = snprintf(number, sizeof number, LUA_INTEGER_FMT, lua_tointeger(L, -1));
        array_text_add_plain(array, number, (size_t)size);
    } else if (type == LUA_TSTRING && map->slot_plain[slot]) {
        string_add(L, array);
    } else if (type == LUA_TLIGHTUSERDATA && !lua_touserdata(L, -1)) {
        array_text_add_null(array);
    } else if (type == LUA_TBOOLEAN) {
        const char *text = lua_toboolean(L, -1) ? "true" : "false";
        array_text_add_plain(array, text, strlen(text));
    } else {
        text_add(L, array, slot);
    }
}

// The slot of the column whose name is on top; a new one asks the transform whether there is such
// a column.
static int slot_of(lua_State *L, struct lib_map *map)
{
    lua_pushvalue(L, -1);
    if (lua_rawget(L, AT_SLOTS) == LUA_TNUMBER) { // name slot
        int slot = (int)lua_tointeger(L, -1);
        lua_pop(L, 1);
        return slot;
    }
    lua_pop(L, 1);
    if (map->slot_count == MAP_SLOTS_AT_MOST) {
        luaL_error(L, "the map function changes more than %d columns", MAP_SLOTS_AT_MOST);
    }
    lua_getfield(L, AT_TRANSFORM, "column"); // name column
    lua_pushvalue(L, -2);
    lua_call(L, 1, 1); // name is_plain
    int slot = map->slot_count++;
    map->slot_plain[slot] = lua_toboolean(L, -1);
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_pushinteger(L, slot);
    lua_rawset(L, AT_SLOTS); // by name …
    lua_pushvalue(L, -1);
    lua_rawseti(L, AT_SLOTS, slot + 1); // … and by number
    return slot;
}

static uint64_t slots_of(lua_State *L, struct lib_map *map)
{
    uint64_t slots = 0;
    lua_pushnil(L);
    while (lua_next(L, -2)) { // changes name value
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING) {
            luaL_error(L,
                       "the map function returned a table with a %s as key; "
                       "expected { column = value }",
                       luaL_typename(L, -1));
        }
        slots |= UINT64_C(1) << slot_of(L, map);
    }
    return slots;
}

// write(names, compares) -> SQL
static void sql_make(lua_State *L, struct lib_map *map, struct map_group *group)
{
    lua_getfield(L, AT_TRANSFORM, "write");
    lua_createtable(L, group->slot_count, 0);
    for (int i = 0; i < group->slot_count; i++) {
        lua_rawgeti(L, AT_SLOTS, group->slot[i] + 1);
        lua_rawseti(L, -2, i + 1);
    }
    lua_pushboolean(L, map->is_compared);
    lua_call(L, 2, 1);
    group->sql = strdup(luaL_checkstring(L, -1));
    lua_pop(L, 1);
}

static struct map_group *group_new(lua_State *L, struct lib_map *map, uint64_t slots)
{
    if (map->group_count == MAP_GROUPS_AT_MOST) {
        luaL_error(L, "the map function changes more than %d different sets of columns",
                   MAP_GROUPS_AT_MOST);
    }
    struct map_group *group = &map->groups[map->group_count];
    *group = (struct map_group){.slots = slots};
    for (int slot = 0; slot < map->slot_count; slot++) {
        if (slots >> slot & 1) {
            group->slot[group->slot_count++] = (unsigned char)slot;
        }
    }
    int old = map->is_compared ? result_columns(map->rows) - map->first_column : 0;
    group->array_count = map->key_count + group->slot_count + old;
    map->group_count++; // from here on map_groups_clear() frees it
    size_t count = (size_t)group->array_count;
    group->arrays = calloc(count, sizeof *group->arrays);
    group->marks = calloc(count, sizeof *group->marks);
    group->params = calloc(count, sizeof *group->params);
    sql_make(L, map, group);
    if (!group->arrays || !group->marks || !group->params || !group->sql) {
        luaL_error(L, "not enough memory");
    }
    return group;
}

// Nearly always the group of the row before.
static struct map_group *group_of(lua_State *L, struct lib_map *map, uint64_t slots)
{
    for (int i = 0; i < map->group_count; i++) {
        int at = (map->last_group + i) % map->group_count;
        if (map->groups[at].slots == slots) {
            map->last_group = at;
            return &map->groups[at];
        }
    }
    struct map_group *group = group_new(L, map, slots);
    map->last_group = map->group_count - 1;
    return group;
}

static void text_of_column_add(const struct lib_map *map, struct array_text *array, int column,
                               bool is_plain)
{
    size_t size = 0;
    const char *text = result_value(map->rows, map->row, column, &size);
    if (!text) {
        array_text_add_null(array);
    } else if (is_plain) {
        array_text_add_plain(array, text, size);
    } else {
        array_text_add(array, text, size);
    }
}

void map_key_add(const struct lib_map *map, struct array_text *array)
{
    for (int i = 0; i < map->key_count; i++) {
        text_of_column_add(map, array, map->key_place[i], map->key_plain[i]);
    }
}

void map_row_add(lua_State *L, struct lib_map *map)
{
    uint64_t slots = slots_of(L, map);
    if (slots == 0) {
        return;
    }
    struct map_group *group = group_of(L, map, slots);
    for (int i = 0; i < group->array_count; i++) {
        group->marks[i] = group->arrays[i].size;
    }
    map->open = group;
    struct array_text *array = group->arrays;
    for (int i = 0; i < map->key_count; i++) {
        text_of_column_add(map, array++, map->key_place[i], map->key_plain[i]);
    }
    for (int i = 0; i < group->slot_count; i++) {
        lua_rawgeti(L, AT_SLOTS, group->slot[i] + 1);
        lua_rawget(L, -2); // changes value
        value_add(L, map, array++, group->slot[i]);
        lua_pop(L, 1);
    }
    if (map->is_compared) {
        for (int column = map->first_column; column < result_columns(map->rows); column++) {
            text_of_column_add(map, array++, column, false);
        }
    }
    for (int i = 0; i < group->array_count; i++) {
        map->size += group->arrays[i].size - group->marks[i];
    }
    group->rows++;
    map->open = NULL;
}

void map_row_undo(struct lib_map *map)
{
    struct map_group *group = map->open;
    for (int i = 0; group && i < group->array_count; i++) {
        group->arrays[i].size = group->marks[i];
    }
    map->open = NULL;
}

bool map_writes_make(struct lib_map *map, struct batch_output *out)
{
    bool ok = true;
    out->writes = map->writes;
    out->write_count = 0;
    for (int i = 0; i < map->group_count; i++) {
        struct map_group *group = &map->groups[i];
        if (group->rows == 0) {
            continue;
        }
        for (int k = 0; k < group->array_count; k++) {
            group->params[k] = array_text_end(&group->arrays[k]);
            ok = ok && group->params[k];
        }
        map->writes[out->write_count++] = (struct batch_write){.sql = group->sql,
                                                               .params = group->params,
                                                               .param_count = group->array_count,
                                                               .row_count = group->rows};
    }
    return ok;
}

void map_groups_reset(struct lib_map *map)
{
    for (int i = 0; i < map->group_count; i++) {
        struct map_group *group = &map->groups[i];
        group->rows = 0;
        for (int k = 0; k < group->array_count; k++) {
            array_text_reset(&group->arrays[k]);
        }
    }
}

void map_groups_clear(struct lib_map *map)
{
    for (int i = 0; i < map->group_count; i++) {
        struct map_group *group = &map->groups[i];
        for (int k = 0; group->arrays && k < group->array_count; k++) {
            array_text_clear(&group->arrays[k]);
        }
        free(group->arrays);
        free(group->marks);
        free(group->params);
        free(group->sql);
    }
    map->group_count = 0;
    map->last_group = 0;
}
