#include "graph_private.h"

#include <stdlib.h>
#include <string.h>

bool graph_no_memory(struct fault *fault)
{
    return fault_set(fault, FAULT_MEMORY, "not enough memory");
}

// ---- building ----

static void edges_clear(struct graph_edges *edges)
{
    free(edges->first);
    free(edges->middle);
    free(edges->to);
}

void graph_free(struct graph *graph)
{
    if (!graph) {
        return;
    }
    free(graph->nodes);
    free(graph->labels);
    free(graph->text);
    free(graph->slots);
    edges_clear(&graph->parents);
    edges_clear(&graph->children);
    free(graph->order);
    free(graph->rank);
    free(graph);
}

// What the sources add up to.
struct sizes {
    int labels;
    int edges;
    size_t text;
};

static struct sizes sizes_of(const struct graph_source *sources, int count)
{
    struct sizes sizes = {0};
    for (int i = 0; i < count; i++) {
        const struct graph_source *source = &sources[i];
        sizes.labels += source->labels.count;
        sizes.edges += source->down.count + source->needs.count;
        sizes.text += strlen(source->id) + strlen(source->file) + 2;
        for (int j = 0; j < source->labels.count; j++) {
            sizes.text += strlen(source->labels.items[j]) + 1;
        }
    }
    return sizes;
}

static bool edges_reserve(struct graph_edges *edges, int nodes, int count)
{
    edges->first = calloc((size_t)nodes + 1, sizeof(int));
    edges->middle = calloc((size_t)nodes + 1, sizeof(int));
    edges->to = calloc((size_t)count + 1, sizeof(int));
    return edges->first && edges->middle && edges->to;
}

static bool graph_reserve(struct graph *graph, int count, struct sizes sizes)
{
    size_t nodes = (size_t)count + 1; // an empty graph has memory too
    graph->slot_count = 16;
    while (graph->slot_count < 2 * (nodes + (size_t)sizes.labels)) {
        graph->slot_count *= 2;
    }
    graph->nodes = calloc(nodes, sizeof *graph->nodes);
    graph->labels = calloc((size_t)sizes.labels + 1, sizeof *graph->labels);
    graph->text = malloc(sizes.text + 1);
    graph->slots = calloc(graph->slot_count, sizeof *graph->slots);
    graph->order = calloc(nodes, sizeof(int));
    graph->rank = calloc(nodes, sizeof(int));
    return graph->nodes && graph->labels && graph->text && graph->slots && graph->order &&
           graph->rank && edges_reserve(&graph->parents, count, sizes.edges) &&
           edges_reserve(&graph->children, count, sizes.edges);
}

static const char *text_keep(char **at, const char *text)
{
    char *kept = *at;
    *at = stpcpy(kept, text) + 1;
    return kept;
}

static bool ids_load(struct graph *graph, const struct graph_source *sources, int count, char **at,
                     struct fault *fault)
{
    for (int i = 0; i < count; i++) {
        const struct graph_source *source = &sources[i];
        if (!graph_check_source(source, fault)) {
            return false;
        }
        graph->nodes[i] =
            (struct graph_node){text_keep(at, source->id), text_keep(at, source->file)};
        graph->count = i + 1;
        const struct graph_slot *taken;
        if (!graph_name_add(graph, graph->nodes[i].id, i, false, &taken)) {
            return graph_check_taken(graph, source, source->id, false, taken, fault);
        }
    }
    return true;
}

static bool labels_load(struct graph *graph, const struct graph_source *sources, char **at,
                        struct fault *fault)
{
    for (int i = 0; i < graph->count; i++) {
        for (int j = 0; j < sources[i].labels.count; j++) {
            const char *name = text_keep(at, sources[i].labels.items[j]);
            const struct graph_slot *taken;
            if (graph_name_add(graph, name, i, true, &taken)) {
                graph->labels[graph->label_count++] = (struct graph_label){name, i};
            } else if (!taken->is_label || taken->node != i) {
                return graph_check_taken(graph, &sources[i], name, true, taken, fault);
            }
        }
    }
    return true;
}

static bool edge_is_known(const struct graph_edges *edges, int first, int end, int to)
{
    for (int i = first; i < end; i++) {
        if (edges->to[i] == to) {
            return true;
        }
    }
    return false;
}

static bool parents_add(struct graph *graph, int node, const struct graph_source *source,
                        bool is_needed, struct fault *fault)
{
    struct graph_edges *edges = &graph->parents;
    const struct graph_words *words = is_needed ? &source->needs : &source->down;
    for (int i = 0; i < words->count; i++) {
        const struct graph_slot *slot = graph_name_find(graph, words->items[i]);
        if (!slot || slot->node == node || (slot->is_label && !is_needed)) {
            return graph_check_parent(graph, source, words->items[i], is_needed, fault);
        }
        int *end = &edges->first[node + 1];
        if (!edge_is_known(edges, edges->first[node], *end, slot->node)) {
            edges->to[(*end)++] = slot->node;
        }
    }
    return true;
}

static bool parents_link(struct graph *graph, const struct graph_source *sources,
                         struct fault *fault)
{
    struct graph_edges *edges = &graph->parents;
    for (int i = 0; i < graph->count; i++) {
        edges->first[i + 1] = edges->first[i];
        if (!parents_add(graph, i, &sources[i], false, fault)) {
            return false;
        }
        edges->middle[i] = edges->first[i + 1];
        if (!parents_add(graph, i, &sources[i], true, fault)) {
            return false;
        }
    }
    return true;
}

// The same edges from the other side. Those of one node get in file order.
static void children_link(struct graph *graph)
{
    const struct graph_edges *parents = &graph->parents;
    struct graph_edges *edges = &graph->children;
    int n = graph->count;
    for (int i = 0; i < n; i++) {
        for (int e = parents->first[i]; e < parents->first[i + 1]; e++) {
            edges->first[parents->to[e] + 1]++;
            edges->middle[parents->to[e]] += e < parents->middle[i];
        }
    }
    for (int i = 0; i < n; i++) {
        edges->first[i + 1] += edges->first[i];
        edges->middle[i] += edges->first[i];
    }
    // Filled from the back: `middle` and the next `first` count down as the ends of the two parts.
    for (int i = n - 1; i >= 0; i--) {
        for (int e = parents->first[i + 1] - 1; e >= parents->first[i]; e--) {
            int parent = parents->to[e];
            int *end = e < parents->middle[i] ? &edges->middle[parent] : &edges->first[parent + 1];
            edges->to[--*end] = i;
        }
    }
    // Now they are where the two parts begin.
    for (int i = 0; i < n; i++) {
        edges->first[i] = edges->middle[i];
        edges->middle[i] = edges->first[i + 1];
    }
    edges->first[n] = parents->first[n];
}

static bool graph_fill(struct graph *graph, const struct graph_source *sources, int count,
                       struct fault *fault)
{
    char *at = graph->text;
    if (!ids_load(graph, sources, count, &at, fault) || !labels_load(graph, sources, &at, fault) ||
        !parents_link(graph, sources, fault)) {
        return false;
    }
    children_link(graph);
    return graph_sort(graph, fault);
}

bool graph_build(const struct graph_source *sources, int count, struct graph **out,
                 struct fault *fault)
{
    struct graph *graph = calloc(1, sizeof *graph);
    if (!graph || !graph_reserve(graph, count, sizes_of(sources, count))) {
        graph_free(graph);
        return graph_no_memory(fault);
    }
    if (!graph_fill(graph, sources, count, fault)) {
        graph_free(graph);
        return false;
    }
    *out = graph;
    return true;
}

// ---- reading ----

int graph_count(const struct graph *graph)
{
    return graph->count;
}

const char *graph_id(const struct graph *graph, int node)
{
    return graph->nodes[node].id;
}

int graph_find(const struct graph *graph, const char *id)
{
    const struct graph_slot *slot = graph_name_find(graph, id);
    return slot && !slot->is_label ? slot->node : -1;
}

const int *graph_order(const struct graph *graph)
{
    return graph->order;
}

static struct graph_slice slice(const struct graph_edges *edges, int node, enum graph_reach reach)
{
    int first = edges->first[node];
    int end = reach == GRAPH_ALL ? edges->first[node + 1] : edges->middle[node];
    return (struct graph_slice){edges->to + first, end - first};
}

struct graph_slice graph_parents(const struct graph *graph, int node, enum graph_reach reach)
{
    return slice(&graph->parents, node, reach);
}

struct graph_slice graph_children(const struct graph *graph, int node, enum graph_reach reach)
{
    return slice(&graph->children, node, reach);
}

static bool has_role(const struct graph *graph, int node, enum graph_role role)
{
    switch (role) {
    case GRAPH_HEADS:
        return graph_children(graph, node, GRAPH_FOLLOWED).count == 0;
    case GRAPH_EFFECTIVE_HEADS:
        return graph_children(graph, node, GRAPH_ALL).count == 0;
    case GRAPH_BASES:
        return graph_parents(graph, node, GRAPH_FOLLOWED).count == 0;
    case GRAPH_BRANCH_POINTS:
        return graph_children(graph, node, GRAPH_FOLLOWED).count > 1;
    }
    return false;
}

bool graph_select(const struct graph *graph, enum graph_role role, struct graph_nodes *out,
                  struct fault *fault)
{
    struct graph_nodes found = {0};
    if (!graph_nodes_reserve(&found, graph->count, fault)) {
        return false;
    }
    for (int i = 0; i < graph->count; i++) {
        if (has_role(graph, graph->order[i], role)) {
            found.items[found.count++] = graph->order[i];
        }
    }
    *out = found;
    return true;
}

bool graph_followers(const struct graph *graph, int node, struct graph_nodes *out,
                     struct fault *fault)
{
    struct graph_slice children = graph_children(graph, node, GRAPH_FOLLOWED);
    struct graph_nodes found = {0};
    if (!graph_nodes_reserve(&found, children.count, fault)) {
        return false;
    }
    for (int i = 0; i < children.count; i++) {
        graph_nodes_insert(graph, &found, children.items[i]);
    }
    *out = found;
    return true;
}

int graph_label_count(const struct graph *graph)
{
    return graph->label_count;
}

const char *graph_label(const struct graph *graph, int label)
{
    return graph->labels[label].name;
}

bool graph_label_members(const struct graph *graph, int label, struct graph_nodes *out,
                         struct fault *fault)
{
    bool *marks = graph_marks(graph, 1, fault);
    if (!marks) {
        return false;
    }
    int node = graph->labels[label].node;
    marks[node] = true;
    graph_mark_descendants(graph, marks, GRAPH_FOLLOWED);
    struct graph_slice before = graph_parents(graph, node, GRAPH_FOLLOWED);
    // As in Alembic, what several revisions follow or need is a fork.
    while (graph_children(graph, node, GRAPH_ALL).count <= 1 && before.count <= 1) {
        marks[node] = true;
        if (before.count == 0) {
            break;
        }
        node = before.items[0];
        before = graph_parents(graph, node, GRAPH_FOLLOWED);
    }
    bool ok = graph_nodes_marked(graph, marks, out, fault);
    free(marks);
    return ok;
}
