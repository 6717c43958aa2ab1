#pragma once
// The text form of a PostgreSQL array, {"a",NULL,1}, put together element by element. Memory that
// runs out is noticed once, at the end.
#include <stdbool.h>
#include <stddef.h>

struct array_text {
    char *text; // owned; NULL before the first element
    size_t size, capacity;
    bool is_broken; // no memory
};

/// Frees what it owns and makes it empty; may be called twice.
void array_text_clear(struct array_text *array);

/// Makes it empty, and keeps the memory.
void array_text_reset(struct array_text *array);

/// Adds any text, quoted.
void array_text_add(struct array_text *array, const char *text, size_t size);

/// Adds a text that needs no quotes: a number, a boolean, a UUID.
void array_text_add_plain(struct array_text *array, const char *text, size_t size);

void array_text_add_null(struct array_text *array);

/// @return the finished text, borrowed until the next change; NULL without memory
const char *array_text_end(struct array_text *array);
