#include "template.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *template_ident(const char *name)
{
    char *quoted = malloc(2 * strlen(name) + 3), *out = quoted;
    if (!quoted) {
        return NULL;
    }
    *out++ = '"';
    for (const char *c = name; *c; c++) {
        if (*c == '"') {
            *out++ = '"';
        }
        *out++ = *c;
    }
    *out++ = '"';
    *out = '\0';
    return quoted;
}

char *template_qualify(const char *schema, const char *table, const char *suffix)
{
    char *joined = NULL, *quoted_table = NULL, *quoted_schema = template_ident(schema), *out = NULL;
    if (asprintf(&joined, "%s%s", table, suffix) >= 0) {
        quoted_table = template_ident(joined);
        free(joined);
    }
    if (quoted_schema && quoted_table && asprintf(&out, "%s.%s", quoted_schema, quoted_table) < 0) {
        out = NULL;
    }
    free(quoted_schema);
    free(quoted_table);
    return out;
}

char *template_expand(const char *text, const char *(*name_of)(const void *data, char code),
                      const void *data)
{
    char *out = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&out, &size);
    if (!stream) {
        return NULL;
    }
    for (const char *c = text; *c; c++) {
        const char *name = *c == '%' ? name_of(data, c[1]) : NULL;
        if (!name) {
            fputc(*c, stream);
            continue;
        }
        bool literal = c > text && c[-1] == '\'';
        for (const char *n = name; *n; n++) {
            if (literal && *n == '\'') {
                fputc('\'', stream);
            }
            fputc(*n, stream);
        }
        c++;
    }
    if (fclose(stream) != 0) {
        free(out);
        return NULL;
    }
    return out;
}
