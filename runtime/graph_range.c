// What "A:B" means to commands that read.
#include "graph_request.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

// A range taken apart. -N:B counts down from B, and A:+N up from A, as far as there is something.
struct range {
    const char *text; // borrowed
    char *words;      // owns the ends
    const char *from;
    const char *to;
    int down; // steps of -N: ; 0 without
    int up;   // steps of :+N
};

static bool range_parse(const struct graph *graph, const char *text, struct range *range,
                        struct fault *fault)
{
    const char *colon = strchr(text, ':');
    if (!colon || strchr(colon + 1, ':')) {
        fault_set(fault, FAULT_USAGE, "'%s' is no range of revisions", text);
        fault_text(&fault->hint, "History range requires [start]:[end], [start]:, or :[end]");
        return false;
    }
    char *words = strdup(text);
    if (!words) {
        return graph_no_memory(fault);
    }
    words[colon - text] = '\0';
    *range = (struct range){
        .text = text, .words = words, .from = words, .to = words + (colon - text) + 1};
    int from = graph_request_bare(graph, range->from);
    int to = graph_request_bare(graph, range->to);
    // With both ends bare there is nothing to count from but the database.
    range->down = from < 0 && to == 0 ? -from : 0;
    range->up = to > 0 && from == 0 ? to : 0;
    return true;
}

static bool end_needs_rows(const struct graph *graph, const char *end)
{
    struct graph_request request;
    struct fault fault;
    fault_init(&fault);
    bool needs = false;
    if (graph_request_parse(graph, end, &request, &fault)) {
        needs = request.symbol == GRAPH_SYMBOL_CURRENT;
        graph_request_clear(&request);
    }
    fault_clear(&fault); // what is no target is said when it is resolved
    return needs;
}

bool graph_needs_rows(const struct graph *graph, const char *text)
{
    if (!strchr(text, ':')) {
        return end_needs_rows(graph, text);
    }
    struct range range;
    struct fault fault;
    fault_init(&fault);
    bool needs = false;
    if (range_parse(graph, text, &range, &fault)) {
        needs = (range.down == 0 && end_needs_rows(graph, range.from)) ||
                (range.up == 0 && end_needs_rows(graph, range.to));
        free(range.words);
    }
    fault_clear(&fault);
    return needs;
}

// ---- counting from the other end ----

static void depth_spread(int *depths, struct graph_slice slice, int depth)
{
    for (int i = 0; i < slice.count; i++) {
        if (depths[slice.items[i]] > depth) {
            depths[slice.items[i]] = depth;
        }
    }
}

// Marks what is at most so many steps from a node of depth 0.
static void near_mark(const struct graph *graph, int *depths, int steps, bool is_up, bool *marks)
{
    for (int i = 0; i < graph->count; i++) {
        int node = graph->order[is_up ? i : graph->count - 1 - i];
        marks[node] = depths[node] <= steps;
        if (depths[node] < steps) {
            depth_spread(depths,
                         is_up ? graph_children(graph, node, GRAPH_FOLLOWED)
                               : graph_parents(graph, node, GRAPH_FOLLOWED),
                         depths[node] + 1);
        }
    }
}

static bool near_select(const struct graph *graph, const struct range *range,
                        const struct graph_nodes *from, const struct graph_nodes *to, bool *marks,
                        struct fault *fault)
{
    int *depths = malloc(((size_t)graph->count + 1) * sizeof(int));
    if (!depths) {
        return graph_no_memory(fault);
    }
    const struct graph_nodes *start = range->down ? to : from;
    for (int i = 0; i < graph->count; i++) {
        // Above base, the first revisions are one step away.
        bool is_first = graph_parents(graph, i, GRAPH_FOLLOWED).count == 0;
        depths[i] = range->up && start->count == 0 && is_first ? 1 : INT_MAX;
    }
    for (int i = 0; i < start->count; i++) {
        depths[start->items[i]] = 0;
    }
    near_mark(graph, depths, range->down ? range->down : range->up, range->up > 0, marks);
    free(depths);
    return true;
}

// ---- between two ends ----

static bool apart_fault(const struct graph *graph, const struct range *range,
                        const struct graph_nodes *from, const struct graph_nodes *to, bool *marks,
                        struct fault *fault)
{
    fault_set(fault, FAULT_GRAPH,
              "Requested range %s does not refer to ancestor/descendant revisions along the same "
              "branch",
              range->text);
    memset(marks, false, (size_t)graph->count);
    graph_mark_all(marks, from);
    graph_mark_ancestors(graph, marks, GRAPH_ALL);
    if (to->count > 0 && marks[to->items[0]]) {
        fault_text(&fault->hint, "the older end comes first: %s:%s", range->to, range->from);
    }
    return false;
}

static bool between_select(const struct graph *graph, const struct range *range,
                           const struct graph_nodes *from, const struct graph_nodes *to,
                           bool *marks, bool *above, struct fault *fault)
{
    graph_mark_all(marks, to);
    graph_mark_ancestors(graph, marks, GRAPH_ALL);
    for (int i = 0; i < from->count; i++) {
        if (!marks[from->items[i]]) {
            return apart_fault(graph, range, from, to, marks, fault);
        }
    }
    if (from->count > 0) {
        graph_mark_all(above, from);
        graph_mark_descendants(graph, above, GRAPH_ALL);
        for (int i = 0; i < graph->count; i++) {
            marks[i] &= above[i];
        }
    }
    return true;
}

// ---- ends ----

// An open end is base, or what nothing follows: of every branch, also of those that others need.
static bool end_resolve(const struct graph *graph, const char *end, bool is_upper,
                        const struct graph_state *state, struct graph_target *target,
                        struct fault *fault)
{
    if (*end || !is_upper) {
        return graph_target_resolve(graph, *end ? end : "base", state, GRAPH_READ, target, fault);
    }
    *target = (struct graph_target){.branch = -1, .undone = -1};
    return graph_select(graph, GRAPH_HEADS, &target->nodes, fault);
}

// BRANCH@A: keeps to the branch: of several ends, those that belong to it.
static bool range_run(const struct graph *graph, const struct range *range,
                      const struct graph_target *from, struct graph_target *to, bool *marks,
                      const bool *lineage, struct fault *fault)
{
    if (lineage) {
        graph_nodes_filter(&to->nodes, lineage);
    }
    if (!range->down && !range->up) {
        return between_select(graph, range, &from->nodes, &to->nodes, marks, marks + graph->count,
                              fault);
    }
    if (!near_select(graph, range, &from->nodes, &to->nodes, marks, fault)) {
        return false;
    }
    for (int i = 0; lineage && i < graph->count; i++) {
        marks[i] &= lineage[i];
    }
    return true;
}

static bool range_collect(const struct graph *graph, const struct range *range,
                          const struct graph_target *from, struct graph_target *to,
                          struct graph_nodes *out, struct fault *fault)
{
    bool *lineage = from->branch < 0 ? NULL : graph_lineage(graph, from->branch, fault);
    bool *marks = graph_marks(graph, 2, fault);
    bool ok = marks && (lineage || from->branch < 0) &&
              range_run(graph, range, from, to, marks, lineage, fault) &&
              graph_nodes_marked(graph, marks, out, fault);
    free(lineage);
    free(marks);
    return ok;
}

bool graph_range_select(const struct graph *graph, const char *text,
                        const struct graph_state *state, struct graph_nodes *out,
                        struct fault *fault)
{
    struct range range;
    struct graph_target from = {0}, to = {0};
    if (!range_parse(graph, text, &range, fault)) {
        return false;
    }
    bool ok = end_resolve(graph, range.down ? "" : range.from, false, state, &from, fault) &&
              end_resolve(graph, range.up ? "" : range.to, true, state, &to, fault) &&
              range_collect(graph, &range, &from, &to, out, fault);
    graph_target_clear(&from);
    graph_target_clear(&to);
    free(range.words);
    return ok;
}
