#include "lib_value.h"

#include "lib_json.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

static const char BOX[] = "luamig.result.box";

// OIDs of pg_type.dat: fixed since the type exists.
enum type_oid {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_OID = 26,
    OID_JSON = 114,
    OID_VOID = 2278,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701,
    OID_JSONB = 3802,
};

// The built-in array types; an element type of 25 (text) stands for "leave as it is".
static const struct {
    unsigned array, element;
} array_types[] = {
    {199, OID_JSON},  {1000, OID_BOOL},   {1001, OID_BYTEA},  {1005, OID_INT2}, {1007, OID_INT4},
    {1016, OID_INT8}, {1021, OID_FLOAT4}, {1022, OID_FLOAT8}, {1028, OID_OID},  {3807, OID_JSONB},
    {1002, 25},       {1003, 25},         {1009, 25},         {1014, 25},       {1015, 25},
    {1115, 25},       {1182, 25},         {1183, 25},         {1185, 25},       {1187, 25},
    {1231, 25},       {1041, 25},         {651, 25},          {2951, 25},       {1270, 25},
};

static unsigned element_type(unsigned type)
{
    for (size_t i = 0; i < sizeof array_types / sizeof *array_types; i++) {
        if (array_types[i].array == type) {
            return array_types[i].element;
        }
    }
    return 0;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 0;
}

// bytea arrives as \x0123 (bytea_output = hex, the default).
static void bytea_push(lua_State *L, const char *text, size_t size)
{
    if (size < 2 || text[0] != '\\' || text[1] != 'x') {
        lua_pushlstring(L, text, size);
        return;
    }
    luaL_Buffer buffer;
    char *bytes = luaL_buffinitsize(L, &buffer, size / 2);
    size_t count = (size - 2) / 2;
    for (size_t i = 0; i < count; i++) {
        bytes[i] = (char)(hex_digit(text[2 + 2 * i]) << 4 | hex_digit(text[3 + 2 * i]));
    }
    luaL_pushresultsize(&buffer, count);
}

static void scalar_push(lua_State *L, unsigned type, const char *text, size_t size)
{
    switch (type) {
    case OID_BOOL:
        lua_pushboolean(L, text[0] == 't');
        return;
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
    case OID_OID:
        lua_pushinteger(L, strtoll(text, NULL, 10));
        return;
    case OID_FLOAT4:
    case OID_FLOAT8:
        lua_pushnumber(L, strtod(text, NULL));
        return;
    case OID_JSON:
    case OID_JSONB:
        lib_json_push(L, text, size);
        return;
    case OID_BYTEA:
        bytea_push(L, text, size);
        return;
    default:
        lua_pushlstring(L, text, size);
    }
}

struct array_reader {
    const char *at, *end;
    unsigned type;
};

// The text of one element, without quotes and backslashes; pushes it.
static void array_element_push(lua_State *L, struct array_reader *reader)
{
    bool quoted = reader->at < reader->end && *reader->at == '"';
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    reader->at += quoted;
    while (reader->at < reader->end) {
        char c = *reader->at;
        if (quoted ? c == '"' : c == ',' || c == '}') {
            break;
        }
        if (c == '\\' && reader->at + 1 < reader->end) {
            c = *++reader->at;
        }
        luaL_addchar(&buffer, c);
        reader->at++;
    }
    reader->at += quoted;
    luaL_pushresult(&buffer); // text
    if (!quoted && strcmp(lua_tostring(L, -1), "NULL") == 0) {
        lua_pop(L, 1);
        lua_pushlightuserdata(L, NULL);
        return;
    }
    size_t size;
    const char *text = lua_tolstring(L, -1, &size);
    scalar_push(L, reader->type, text, size); // text value
    lua_remove(L, -2);
}

// {1,2,{3}}; a lower bound "[0:2]=" is passed over.
static void array_push(lua_State *L, struct array_reader *reader)
{
    lua_Integer count = 0;
    luaL_checkstack(L, 8, "array too deep");
    lua_newtable(L);
    reader->at++; // {
    while (reader->at < reader->end && *reader->at != '}') {
        if (*reader->at == ',') {
            reader->at++;
        }
        if (*reader->at == '{') {
            array_push(L, reader);
        } else {
            array_element_push(L, reader);
        }
        lua_rawseti(L, -2, ++count);
    }
    reader->at++; // }
}

void lib_value_push(lua_State *L, unsigned type, const char *text, size_t size)
{
    unsigned element = element_type(type);
    const char *start = element ? memchr(text, '{', size) : NULL;
    if (!start) {
        scalar_push(L, type, text, size);
        return;
    }
    struct array_reader reader = {.at = start, .end = text + size, .type = element};
    array_push(L, &reader);
}

static void row_push(lua_State *L, const struct result *result, int row, int columns)
{
    lua_createtable(L, 0, columns);
    for (int column = 0; column < columns; column++) {
        size_t size = 0;
        const char *text = result_value(result, row, column, &size);
        if (text) {
            lib_value_push(L, result_type(result, column), text, size);
            lua_setfield(L, -2, result_name(result, column));
        }
    }
}

void lib_value_push_rows(lua_State *L, const struct result *result)
{
    int rows = result_rows(result), columns = result_columns(result);
    luaL_checkstack(L, 12, NULL);
    lua_createtable(L, rows, 3); // rows
    lua_createtable(L, columns, 0);
    for (int column = 0; column < columns; column++) {
        lua_pushstring(L, result_name(result, column));
        lua_rawseti(L, -2, column + 1);
    }
    lua_setfield(L, -2, "columns");
    lua_pushstring(L, result_tag(result));
    lua_setfield(L, -2, "tag");
    const char *sqlstate = result_sqlstate(result);
    if (*sqlstate) {
        lua_pushstring(L, sqlstate);
        lua_setfield(L, -2, "sqlstate");
    }
    for (int row = 0; row < rows; row++) {
        row_push(L, result, row, columns);
        lua_rawseti(L, -2, row + 1);
    }
}

static int lib_box_clear(lua_State *L)
{
    result_clear(luaL_checkudata(L, 1, BOX));
    return 0;
}

struct result *lib_value_box(lua_State *L)
{
    struct result *result = lua_newuserdatauv(L, sizeof *result, 0);
    memset(result, 0, sizeof *result);
    if (luaL_newmetatable(L, BOX)) {
        lua_pushcfunction(L, lib_box_clear);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return result;
}
