// Sets and lists of nodes.
#include "graph_private.h"

#include <stdlib.h>
#include <string.h>

bool *graph_marks(const struct graph *graph, int sets, struct fault *fault)
{
    bool *marks = calloc((size_t)graph->count * (size_t)sets + 1, sizeof(bool));
    if (!marks) {
        graph_no_memory(fault);
    }
    return marks;
}

void graph_mark_all(bool *marks, const struct graph_nodes *nodes)
{
    for (int i = 0; i < nodes->count; i++) {
        marks[nodes->items[i]] = true;
    }
}

static void mark_slice(bool *marks, struct graph_slice slice)
{
    for (int i = 0; i < slice.count; i++) {
        marks[slice.items[i]] = true;
    }
}

void graph_mark_ancestors(const struct graph *graph, bool *marks, enum graph_reach reach)
{
    for (int i = graph->count - 1; i >= 0; i--) {
        if (marks[graph->order[i]]) {
            mark_slice(marks, graph_parents(graph, graph->order[i], reach));
        }
    }
}

void graph_mark_descendants(const struct graph *graph, bool *marks, enum graph_reach reach)
{
    for (int i = 0; i < graph->count; i++) {
        if (marks[graph->order[i]]) {
            mark_slice(marks, graph_children(graph, graph->order[i], reach));
        }
    }
}

bool *graph_lineage(const struct graph *graph, int node, struct fault *fault)
{
    bool *marks = graph_marks(graph, 2, fault);
    if (!marks) {
        return NULL;
    }
    bool *above = marks + graph->count;
    marks[node] = above[node] = true;
    graph_mark_ancestors(graph, marks, GRAPH_FOLLOWED);
    graph_mark_descendants(graph, above, GRAPH_FOLLOWED);
    for (int i = 0; i < graph->count; i++) {
        marks[i] |= above[i];
    }
    return marks;
}

void graph_nodes_clear(struct graph_nodes *nodes)
{
    free(nodes->items);
    *nodes = (struct graph_nodes){0};
}

bool graph_nodes_reserve(struct graph_nodes *nodes, int capacity, struct fault *fault)
{
    nodes->items = malloc(((size_t)capacity + 1) * sizeof(int));
    nodes->count = 0;
    return nodes->items || graph_no_memory(fault);
}

void graph_nodes_insert(const struct graph *graph, struct graph_nodes *nodes, int node)
{
    int at = nodes->count++;
    while (at > 0 && graph->rank[nodes->items[at - 1]] > graph->rank[node]) {
        nodes->items[at] = nodes->items[at - 1];
        at--;
    }
    nodes->items[at] = node;
}

bool graph_nodes_copy(struct graph_nodes *to, const struct graph_nodes *from, struct fault *fault)
{
    if (!graph_nodes_reserve(to, from->count, fault)) {
        return false;
    }
    memcpy(to->items, from->items, (size_t)from->count * sizeof(int));
    to->count = from->count;
    return true;
}

bool graph_nodes_marked(const struct graph *graph, const bool *marks, struct graph_nodes *out,
                        struct fault *fault)
{
    struct graph_nodes found = {0};
    if (!graph_nodes_reserve(&found, graph->count, fault)) {
        return false;
    }
    for (int i = 0; i < graph->count; i++) {
        if (marks[graph->order[i]]) {
            found.items[found.count++] = graph->order[i];
        }
    }
    *out = found;
    return true;
}

void graph_nodes_filter(struct graph_nodes *nodes, const bool *marks)
{
    int kept = 0;
    for (int i = 0; i < nodes->count; i++) {
        if (marks[nodes->items[i]]) {
            nodes->items[kept++] = nodes->items[i];
        }
    }
    nodes->count = kept;
}
