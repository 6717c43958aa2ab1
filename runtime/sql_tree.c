#include "sql.h"

#include <pg_query.h>
#include <stdlib.h>
#include <string.h>

bool sql_tree(const char *text, char **out, struct fault *fault)
{
    char *tree = NULL;
    PgQueryParseResult result = pg_query_parse(text);
    bool known = !result.error && result.parse_tree;
    if (known) {
        tree = strdup(result.parse_tree);
    }
    pg_query_free_parse_result(result);
    if (known && !tree) {
        return fault_set(fault, FAULT_MEMORY, "not enough memory");
    }
    *out = tree;
    return true;
}
