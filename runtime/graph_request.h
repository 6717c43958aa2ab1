#pragma once
// A target taken apart: [BRANCH@](ID | head | heads | base | current)[+N | -N], or +N and -N alone.
// Shared by the files that say what targets mean.
#include "graph_private.h"

enum graph_symbol {
    GRAPH_SYMBOL_NAME, // id, beginning of an id, label
    GRAPH_SYMBOL_HEAD,
    GRAPH_SYMBOL_HEADS,
    GRAPH_SYMBOL_BASE,
    GRAPH_SYMBOL_CURRENT, // also when nothing stands before +N or -N
};

struct graph_request {
    const char *text;   // as the user wrote it; borrowed
    char *words;        // owns the words below
    const char *branch; // NULL: none
    const char *name;   // what the symbol is written as; "" when only +N or -N is there
    enum graph_symbol symbol;
    bool is_relative;
    int steps;           // up; negative: down
    const char *without; // text behind BRANCH@; within `text`
};

/// @param[out] request  valid only on true; the caller calls graph_request_clear()
/// @param[out] fault    FAULT_USAGE when the text is no target at all
bool graph_request_parse(const struct graph *graph, const char *text, struct graph_request *request,
                         struct fault *fault);
void graph_request_clear(struct graph_request *request);

/// The steps of a text that is only "+N" or "-N"; 0 for any other.
int graph_request_bare(const struct graph *graph, const char *text);
