#include "graph_request.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    STEPS_LIMIT = 1000000000, // more than there can be
};

void graph_request_clear(struct graph_request *request)
{
    free(request->words);
    *request = (struct graph_request){0};
}

// Where "+N" or "-N" begins at the end of a text, or NULL.
static const char *offset_find(const char *text)
{
    const char *end = text + strlen(text);
    const char *at = end;
    while (at > text && isdigit((unsigned char)at[-1])) {
        at--;
    }
    bool has_sign = at > text && (at[-1] == '+' || at[-1] == '-');
    return at < end && has_sign ? at - 1 : NULL;
}

static int steps_read(const char *offset)
{
    errno = 0;
    long steps = strtol(offset, NULL, 10);
    if (errno || steps > STEPS_LIMIT || steps < -STEPS_LIMIT) {
        return *offset == '-' ? -STEPS_LIMIT : STEPS_LIMIT;
    }
    return (int)steps;
}

static enum graph_symbol symbol_of(const char *name)
{
    static const struct {
        const char *name;
        enum graph_symbol symbol;
    } symbols[] = {
        {"head", GRAPH_SYMBOL_HEAD}, {"heads", GRAPH_SYMBOL_HEADS},
        {"base", GRAPH_SYMBOL_BASE}, {"current", GRAPH_SYMBOL_CURRENT},
        {"", GRAPH_SYMBOL_CURRENT},
    };
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        if (strcmp(symbols[i].name, name) == 0) {
            return symbols[i].symbol;
        }
    }
    return GRAPH_SYMBOL_NAME;
}

static bool form_check(const char *text, struct fault *fault)
{
    const char *at = strchr(text, '@');
    if (*text == '\0') {
        fault_set(fault, FAULT_USAGE, "the target is empty");
    } else if (strchr(text, ':')) {
        fault_set(fault, FAULT_USAGE, "Range revision not allowed here: '%s'", text);
        fault_text(&fault->hint, "FROM:TO stands with --sql and with history -r");
        return false;
    } else if (at && strchr(at + 1, '@')) {
        fault_set(fault, FAULT_USAGE, "'%s' has more than one @", text);
    } else if (at == text) {
        fault_set(fault, FAULT_USAGE, "'%s' has no branch before its @", text);
    } else if (at && at[1] == '\0') {
        fault_set(fault, FAULT_USAGE, "'%s' has no revision behind its @", text);
        fault_text(&fault->hint, "for the last revision of the branch write %shead", text);
    } else {
        return true;
    }
    fault_text(&fault->hint, "targets: head, heads, base, an id or its beginning, a label, +1, -1, "
                             "ID+1, ID-1, BRANCH@head");
    return false;
}

bool graph_request_parse(const struct graph *graph, const char *text, struct graph_request *request,
                         struct fault *fault)
{
    if (!form_check(text, fault)) {
        return false;
    }
    char *words = strdup(text);
    if (!words) {
        return graph_no_memory(fault);
    }
    *request = (struct graph_request){.text = text, .words = words, .name = words};
    char *at = strchr(words, '@');
    if (at) {
        *at = '\0';
        request->branch = words;
        request->name = at + 1;
    }
    request->without = text + (request->name - words);
    // A label may look like an offset: "v1-2".
    const char *offset = graph_name_find(graph, request->name) ? NULL : offset_find(request->name);
    if (offset) {
        request->is_relative = true;
        request->steps = steps_read(offset);
        words[offset - words] = '\0';
    }
    request->symbol = symbol_of(request->name);
    return true;
}

int graph_request_bare(const struct graph *graph, const char *text)
{
    return offset_find(text) == text && !graph_name_find(graph, text) ? steps_read(text) : 0;
}
