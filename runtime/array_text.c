#include "array_text.h"

#include <stdlib.h>
#include <string.h>

void array_text_clear(struct array_text *array)
{
    free(array->text);
    memset(array, 0, sizeof *array);
}

void array_text_reset(struct array_text *array)
{
    array->size = 0;
    array->is_broken = false;
}

// Room for so many bytes, and a NUL behind them.
static bool room_make(struct array_text *array, size_t size)
{
    size_t needed = array->size + size + 1;
    if (needed <= array->capacity) {
        return true;
    }
    size_t capacity = array->capacity ? array->capacity : 256;
    while (capacity < needed) {
        capacity *= 2;
    }
    char *text = realloc(array->text, capacity);
    if (!text) {
        array->is_broken = true;
        return false;
    }
    array->text = text;
    array->capacity = capacity;
    return true;
}

static void separator_put(struct array_text *array)
{
    array->text[array->size] = array->size == 0 ? '{' : ',';
    array->size++;
}

void array_text_add(struct array_text *array, const char *text, size_t size)
{
    if (!room_make(array, 2 * size + 4)) {
        return;
    }
    separator_put(array);
    char *out = array->text + array->size;
    *out++ = '"';
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '"' || text[i] == '\\') {
            *out++ = '\\';
        }
        *out++ = text[i];
    }
    *out++ = '"';
    array->size = (size_t)(out - array->text);
}

void array_text_add_plain(struct array_text *array, const char *text, size_t size)
{
    if (room_make(array, size + 2)) {
        separator_put(array);
        memcpy(array->text + array->size, text, size);
        array->size += size;
    }
}

void array_text_add_null(struct array_text *array)
{
    array_text_add_plain(array, "NULL", 4);
}

const char *array_text_end(struct array_text *array)
{
    if (!room_make(array, 3) || array->is_broken) {
        return NULL;
    }
    if (array->size == 0) {
        array->text[array->size++] = '{';
    }
    array->text[array->size] = '}';
    array->text[array->size + 1] = '\0';
    return array->text;
}
