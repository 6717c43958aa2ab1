// Arrays put together as text: quotes, NULL, growth, and what is empty.
#include "array_text.h"

#include <stdio.h>
#include <string.h>

static int failures;

static void expect(const char *what, const char *found, const char *expected)
{
    if (!found || strcmp(found, expected) != 0) {
        printf("%s: expected %s, got %s\n", what, expected, found ? found : "nothing");
        failures++;
    }
}

static void every_kind_of_element(void)
{
    struct array_text array = {0};
    expect("empty", array_text_end(&array), "{}");
    array_text_reset(&array);
    array_text_add(&array, "a\"b\\c,{}", 8);
    array_text_add_null(&array);
    array_text_add_plain(&array, "12", 2);
    array_text_add(&array, "", 0);
    array_text_add(&array, "NULL", 4);
    expect("elements", array_text_end(&array), "{\"a\\\"b\\\\c,{}\",NULL,12,\"\",\"NULL\"}");
    array_text_reset(&array);
    array_text_add_null(&array);
    expect("reset", array_text_end(&array), "{NULL}");
    array_text_clear(&array);
    array_text_clear(&array);
}

static void growth(void)
{
    struct array_text array = {0};
    for (int i = 0; i < 100000; i++) {
        array_text_add(&array, "\\\\\\\\", 4);
    }
    const char *text = array_text_end(&array);
    if (!text || strlen(text) != 100000 * 11 + 1) {
        printf("growth: %zu bytes\n", text ? strlen(text) : 0);
        failures++;
    }
    array_text_clear(&array);
}

int main(void)
{
    every_kind_of_element();
    growth();
    return failures != 0;
}
