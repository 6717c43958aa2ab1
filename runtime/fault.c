#include "fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fault_init(struct fault *fault)
{
    memset(fault, 0, sizeof *fault);
}

void fault_clear(struct fault *fault)
{
    free(fault->message);
    free(fault->detail);
    free(fault->hint);
    free(fault->context);
    free(fault->constraint);
    free(fault->statement);
    free(fault->file);
    free(fault->revision);
    free(fault->state);
    free(fault->attempt);
    fault_init(fault);
}

// A fault whose text could not be allocated is still a fault: its kind says enough to stop.
static void text_format(char **field, const char *format, va_list arguments)
{
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0) {
        text = NULL;
    }
    *field = text;
}

bool fault_set(struct fault *fault, enum fault_kind kind, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fault_clear(fault);
    fault->kind = kind;
    text_format(&fault->message, format, arguments);
    va_end(arguments);
    return false;
}

void fault_text(char **field, const char *format, ...)
{
    if (*field) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    text_format(field, format, arguments);
    va_end(arguments);
}

void fault_move(struct fault *to, struct fault *from)
{
    fault_clear(to);
    *to = *from;
    fault_init(from);
}

const char *fault_kind_name(enum fault_kind kind)
{
    switch (kind) {
    case FAULT_NONE:
        return "none";
    case FAULT_SERVER:
        return "server";
    case FAULT_CONNECTION:
        return "connection";
    case FAULT_INTERRUPTED:
        return "interrupted";
    case FAULT_LOCK:
        return "lock";
    case FAULT_GRAPH:
        return "graph";
    case FAULT_USAGE:
        return "usage";
    case FAULT_CONFIG:
        return "config";
    case FAULT_OPERATION:
        return "operation";
    case FAULT_SCRIPT:
        return "script";
    case FAULT_MEMORY:
        return "memory";
    }
    return "unknown";
}
