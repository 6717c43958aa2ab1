// require("luamig.core.json"): reads JSON without a loss that Lua could avoid.
//   json.decode(text) -> any    integers stay integers, an empty array is told from an empty object
//   json.empty_array            metatable of an empty array
#include "lib_json.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char EMPTY_ARRAY[] = "luamig.json.empty_array";

enum { DEPTH_AT_MOST = 1000 }; // as types.json

// The text ends with a NUL byte that is not counted, so one character may always be looked at.
struct reader {
    lua_State *L;
    const char *start, *at, *end;
    int depth;
};

static int refuse(struct reader *reader, const char *what)
{
    return luaL_error(reader->L, "the JSON value %s, at byte %d", what,
                      (int)(reader->at - reader->start) + 1);
}

static char next_character(struct reader *reader)
{
    while (reader->at < reader->end && strchr(" \t\r\n", *reader->at)) {
        reader->at++;
    }
    return reader->at < reader->end ? *reader->at : '\0';
}

static void expect(struct reader *reader, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(reader->end - reader->at) < size || memcmp(reader->at, word, size) != 0) {
        refuse(reader, "has no form of JSON");
    }
    reader->at += size;
}

static unsigned hex_read(struct reader *reader)
{
    unsigned code = 0;
    for (int i = 0; i < 4; i++) {
        char c = reader->at < reader->end ? *reader->at : '\0';
        const char *digits = "0123456789abcdef";
        const char *digit = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c) : NULL;
        if (!digit) {
            refuse(reader, "has no form of JSON");
            return 0;
        }
        code = code << 4 | (unsigned)(digit - digits);
        reader->at++;
    }
    return code;
}

// Behind \u. Two halves of a pair are one character.
static void unicode_add(struct reader *reader, luaL_Buffer *buffer)
{
    unsigned code = hex_read(reader);
    if (code >= 0xD800 && code <= 0xDBFF && reader->end - reader->at >= 6 &&
        reader->at[0] == '\\' && reader->at[1] == 'u') {
        reader->at += 2;
        unsigned low = hex_read(reader);
        if (low < 0xDC00 || low > 0xDFFF) {
            refuse(reader, "has half of a surrogate pair, which is no character");
        }
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xD800 && code <= 0xDFFF) {
        refuse(reader, "has half of a surrogate pair, which is no character");
    }
    lua_pushfstring(reader->L, "%U", (unsigned long)code);
    luaL_addvalue(buffer);
}

static void escape_add(struct reader *reader, luaL_Buffer *buffer)
{
    static const char marks[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    char c = *++reader->at;
    const char *mark = reader->at < reader->end && c ? strchr(marks, c) : NULL;
    if (reader->at < reader->end && c == 'u') {
        reader->at++;
        unicode_add(reader, buffer);
    } else if (mark) {
        luaL_addchar(buffer, meanings[mark - marks]);
        reader->at++;
    } else {
        refuse(reader, "has no form of JSON");
    }
}

static void string_push(struct reader *reader)
{
    luaL_Buffer buffer;
    luaL_buffinit(reader->L, &buffer);
    expect(reader, "\"");
    while (true) {
        const char *start = reader->at;
        while (reader->at < reader->end && *reader->at != '"' && *reader->at != '\\') {
            reader->at++;
        }
        luaL_addlstring(&buffer, start, (size_t)(reader->at - start));
        if (reader->at == reader->end) {
            refuse(reader, "has no form of JSON");
        } else if (*reader->at == '"') {
            break;
        }
        escape_add(reader, &buffer);
    }
    reader->at++;
    luaL_pushresult(&buffer);
}

static void number_push(struct reader *reader)
{
    const char *start = reader->at;
    size_t size = strspn(start, "+-0123456789.eE");
    if (size == 0 || size > (size_t)(reader->end - start)) {
        refuse(reader, "has no form of JSON");
    }
    char *stop = NULL;
    errno = 0;
    long long integer = strtoll(start, &stop, 10);
    if (stop == start + size && errno == 0) {
        lua_pushinteger(reader->L, integer);
    } else {
        lua_pushnumber(reader->L, strtod(start, &stop));
    }
    if (stop != start + size) {
        refuse(reader, "has no form of JSON");
    }
    reader->at += size;
}

static void value_push(struct reader *reader);

static void object_push(struct reader *reader)
{
    lua_newtable(reader->L);
    reader->at++;
    if (next_character(reader) == '}') {
        reader->at++;
        return;
    }
    while (true) {
        next_character(reader);
        string_push(reader); // object key
        next_character(reader);
        expect(reader, ":");
        value_push(reader); // object key value
        lua_rawset(reader->L, -3);
        if (next_character(reader) == '}') {
            break;
        }
        expect(reader, ",");
    }
    reader->at++;
}

static void array_push(struct reader *reader)
{
    lua_newtable(reader->L);
    reader->at++;
    if (next_character(reader) == ']') {
        reader->at++;
        luaL_newmetatable(reader->L, EMPTY_ARRAY);
        lua_setmetatable(reader->L, -2);
        return;
    }
    for (lua_Integer i = 1;; i++) {
        value_push(reader); // array value
        lua_rawseti(reader->L, -2, i);
        if (next_character(reader) == ']') {
            break;
        }
        expect(reader, ",");
    }
    reader->at++;
}

static void container_push(struct reader *reader, void (*push)(struct reader *))
{
    if (++reader->depth > DEPTH_AT_MOST) {
        refuse(reader, "is nested more than 1000 levels deep");
    }
    luaL_checkstack(reader->L, 8, "JSON too deep");
    push(reader);
    reader->depth--;
}

static void value_push(struct reader *reader)
{
    switch (next_character(reader)) {
    case '{':
        container_push(reader, object_push);
        return;
    case '[':
        container_push(reader, array_push);
        return;
    case '"':
        string_push(reader);
        return;
    case 't':
        expect(reader, "true");
        lua_pushboolean(reader->L, 1);
        return;
    case 'f':
        expect(reader, "false");
        lua_pushboolean(reader->L, 0);
        return;
    case 'n':
        expect(reader, "null");
        lua_pushlightuserdata(reader->L, NULL);
        return;
    default:
        number_push(reader);
    }
}

void lib_json_push(lua_State *L, const char *text, size_t size)
{
    struct reader reader = {.L = L, .start = text, .at = text, .end = text + size};
    luaL_checkstack(L, 8, NULL);
    value_push(&reader);
    if (next_character(&reader) != '\0' || reader.at != reader.end) {
        refuse(&reader, "has no form of JSON");
    }
}

static int lib_json_decode(lua_State *L)
{
    size_t size;
    const char *text = luaL_checklstring(L, 1, &size);
    lib_json_push(L, text, size);
    return 1;
}

static const luaL_Reg functions[] = {
    {"decode", lib_json_decode},
    {NULL, NULL},
};

int luaopen_luamig_core_json(lua_State *L);
int luaopen_luamig_core_json(lua_State *L)
{
    luaL_newlib(L, functions);
    luaL_newmetatable(L, EMPTY_ARRAY);
    lua_setfield(L, -2, "empty_array");
    return 1;
}
