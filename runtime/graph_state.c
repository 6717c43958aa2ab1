// What the version rows of a database say about the revisions.
#include "graph_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void graph_state_clear(struct graph_state *state)
{
    graph_nodes_clear(&state->rows);
    graph_nodes_clear(&state->spare);
    free(state->applied);
    *state = (struct graph_state){0};
}

static char *unknown_list(const struct graph *graph, struct graph_words rows)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out) {
        return NULL;
    }
    const char *comma = "";
    for (int i = 0; i < rows.count; i++) {
        if (graph_find(graph, rows.items[i]) < 0) {
            fprintf(out, "%s'%s'", comma, rows.items[i]);
            comma = ", ";
        }
    }
    fclose(out);
    return text;
}

static bool unknown_fault(const struct graph *graph, struct graph_words rows, const char *first,
                          struct fault *fault)
{
    char *list = unknown_list(graph, rows);
    fault_set(fault, FAULT_GRAPH,
              "Can't locate revision identified by %s: the database is there, but no file has it",
              list ? list : "");
    free(list);
    graph_name_suggest(graph, first, fault);
    fault_text(&fault->hint, "the files here are older than the database, or one was removed");
    fault_text(&fault->attempt, "luamig stamp --purge REVISION");
    return false;
}

// Whether something applied follows or needs the revision.
static bool is_implied(const struct graph *graph, const bool *applied, int node)
{
    struct graph_slice children = graph_children(graph, node, GRAPH_ALL);
    for (int i = 0; i < children.count; i++) {
        if (applied[children.items[i]]) {
            return true;
        }
    }
    return false;
}

static bool rows_sort(struct graph_state *state, const bool *is_row, struct fault *fault)
{
    const struct graph *graph = state->graph;
    struct graph_nodes all;
    if (!graph_nodes_marked(graph, is_row, &all, fault)) {
        return false;
    }
    bool ok = graph_nodes_reserve(&state->rows, all.count, fault) &&
              graph_nodes_reserve(&state->spare, all.count, fault);
    for (int i = 0; ok && i < all.count; i++) {
        bool spare = is_implied(graph, state->applied, all.items[i]);
        struct graph_nodes *list = spare ? &state->spare : &state->rows;
        list->items[list->count++] = all.items[i];
    }
    graph_nodes_clear(&all);
    return ok;
}

bool graph_state_open(const struct graph *graph, struct graph_words rows, struct graph_state *state,
                      struct fault *fault)
{
    *state = (struct graph_state){.graph = graph};
    bool *is_row = graph_marks(graph, 1, fault);
    state->applied = graph_marks(graph, 1, fault);
    bool ok = is_row && state->applied;
    for (int i = 0; ok && i < rows.count; i++) {
        int node = graph_find(graph, rows.items[i]);
        ok = node >= 0 || unknown_fault(graph, rows, rows.items[i], fault);
        if (ok) {
            is_row[node] = true;
        }
    }
    if (ok) {
        memcpy(state->applied, is_row, (size_t)graph->count * sizeof(bool));
        graph_mark_ancestors(graph, state->applied, GRAPH_ALL);
        ok = rows_sort(state, is_row, fault);
    }
    free(is_row);
    if (!ok) {
        graph_state_clear(state);
    }
    return ok;
}

bool graph_state_applied(const struct graph_state *state, struct graph_nodes *out,
                         struct fault *fault)
{
    return graph_nodes_marked(state->graph, state->applied, out, fault);
}

bool graph_state_tips(const struct graph_state *state, struct graph_nodes *out, struct fault *fault)
{
    const struct graph *graph = state->graph;
    struct graph_nodes tips;
    if (!graph_nodes_marked(graph, state->applied, &tips, fault)) {
        return false;
    }
    int kept = 0;
    for (int i = 0; i < tips.count; i++) {
        struct graph_slice children = graph_children(graph, tips.items[i], GRAPH_FOLLOWED);
        bool is_tip = true;
        for (int j = 0; j < children.count; j++) {
            is_tip = is_tip && !state->applied[children.items[j]];
        }
        if (is_tip) {
            tips.items[kept++] = tips.items[i];
        }
    }
    tips.count = kept;
    *out = tips;
    return true;
}
