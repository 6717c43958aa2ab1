// Setting the version rows without running anything.
#include "graph_private.h"

#include <stdio.h>
#include <stdlib.h>

// Sets of a stamp, by node.
struct stamp {
    const struct graph *graph;
    bool *memory;
    bool *kept;    // the targets and all that they follow or need
    bool *doomed;  // above a target, so forgotten unless another target keeps it
    bool *related; // follows a target: what the user asked to forget
    bool *after;   // what counts as applied afterwards
};

static bool stamp_reserve(struct stamp *stamp, const struct graph *graph, struct fault *fault)
{
    *stamp = (struct stamp){.graph = graph, .memory = graph_marks(graph, 4, fault)};
    stamp->kept = stamp->memory;
    if (!stamp->memory) {
        return false;
    }
    stamp->doomed = stamp->kept + graph->count;
    stamp->related = stamp->doomed + graph->count;
    stamp->after = stamp->related + graph->count;
    return true;
}

// Base, or the base of a branch: all first revisions (of the branch) go.
static bool base_mark(struct stamp *stamp, const struct graph_target *target, struct fault *fault)
{
    bool *lineage = NULL;
    if (target->branch >= 0) {
        lineage = graph_lineage(stamp->graph, target->branch, fault);
        if (!lineage) {
            return false;
        }
    }
    for (int i = 0; i < stamp->graph->count; i++) {
        bool is_first = graph_parents(stamp->graph, i, GRAPH_FOLLOWED).count == 0;
        stamp->doomed[i] |= is_first && (!lineage || lineage[i]);
    }
    free(lineage);
    return true;
}

static void node_mark(struct stamp *stamp, int node)
{
    struct graph_slice children = graph_children(stamp->graph, node, GRAPH_FOLLOWED);
    stamp->kept[node] = true;
    for (int i = 0; i < children.count; i++) {
        stamp->doomed[children.items[i]] = true;
    }
}

static bool target_mark(struct stamp *stamp, const char *text, const struct graph_state *state,
                        struct fault *fault)
{
    struct graph_target target;
    if (!graph_target_resolve(stamp->graph, text, state, GRAPH_READ, &target, fault)) {
        return false;
    }
    bool ok = true;
    for (int i = 0; i < target.nodes.count; i++) {
        node_mark(stamp, target.nodes.items[i]);
    }
    // "heads" of a project without revisions names nothing either, and then there is nothing.
    if (target.nodes.count == 0) {
        ok = base_mark(stamp, &target, fault);
    }
    graph_target_clear(&target);
    return ok;
}

static void sets_spread(struct stamp *stamp, const struct graph_state *state)
{
    const struct graph *graph = stamp->graph;
    graph_mark_ancestors(graph, stamp->kept, GRAPH_ALL);
    for (int i = 0; i < graph->count; i++) {
        stamp->related[i] = stamp->doomed[i];
    }
    graph_mark_descendants(graph, stamp->related, GRAPH_FOLLOWED);
    graph_mark_descendants(graph, stamp->doomed, GRAPH_ALL);
    for (int i = 0; i < graph->count; i++) {
        bool stays = state && state->applied[i] && !stamp->doomed[i];
        stamp->after[i] = stamp->kept[i] || stays;
    }
}

// The rows that would go although no target is about their branch.
static bool forgotten_find(const struct stamp *stamp, const struct graph_state *state,
                           struct graph_nodes *lost, struct fault *fault)
{
    const struct graph *graph = stamp->graph;
    bool *marks = graph_marks(graph, 1, fault);
    if (!marks) {
        return false;
    }
    for (int i = 0; i < graph->count; i++) {
        marks[i] = state->applied[i] && !stamp->after[i] && !stamp->related[i];
    }
    graph_mark_descendants(graph, marks, GRAPH_ALL);
    bool ok = graph_nodes_copy(lost, &state->rows, fault);
    if (ok) {
        graph_nodes_filter(lost, marks);
    }
    free(marks);
    return ok;
}

static bool forget_fault(const struct stamp *stamp, const struct graph_nodes *lost,
                         struct graph_words targets, struct fault *fault)
{
    char *ids = graph_text_ids(stamp->graph, lost);
    char *files = graph_text_files(stamp->graph, lost);
    char *words = NULL;
    size_t size;
    FILE *out = open_memstream(&words, &size);
    for (int i = 0; out && i < targets.count; i++) {
        fprintf(out, " %s", targets.items[i]);
    }
    if (out) {
        fclose(out);
    }
    fault_set(fault, FAULT_GRAPH, "stamping%s would forget the version row%s %s, of another branch",
              words ? words : "", lost->count > 1 ? "s" : "", ids ? ids : "");
    fault_text(&fault->detail, "%s", files ? files : "");
    fault_text(&fault->hint,
               "%s on what would no longer be applied; name a revision of each branch "
               "to keep, or set the rows to the targets alone with --purge",
               lost->count > 1 ? "they depend" : "it depends");
    fault_text(&fault->attempt, "luamig stamp --purge%s", words ? words : "");
    free(ids);
    free(files);
    free(words);
    return false;
}

static bool forget_check(const struct stamp *stamp, const struct graph_state *state,
                         struct graph_words targets, struct fault *fault)
{
    struct graph_nodes lost;
    if (!forgotten_find(stamp, state, &lost, fault)) {
        return false;
    }
    bool ok = lost.count == 0 || forget_fault(stamp, &lost, targets, fault);
    graph_nodes_clear(&lost);
    return ok;
}

// One row for each that nothing else applied follows or needs.
static bool rows_make(const struct stamp *stamp, struct graph_nodes *out, struct fault *fault)
{
    const struct graph *graph = stamp->graph;
    struct graph_nodes rows;
    if (!graph_nodes_marked(graph, stamp->after, &rows, fault)) {
        return false;
    }
    int kept = 0;
    for (int i = 0; i < rows.count; i++) {
        struct graph_slice children = graph_children(graph, rows.items[i], GRAPH_ALL);
        bool is_implied = false;
        for (int j = 0; j < children.count; j++) {
            is_implied |= stamp->after[children.items[j]];
        }
        if (!is_implied) {
            rows.items[kept++] = rows.items[i];
        }
    }
    rows.count = kept;
    *out = rows;
    return true;
}

bool graph_stamp_rows(const struct graph *graph, const struct graph_state *state,
                      struct graph_words targets, struct graph_nodes *out, struct fault *fault)
{
    if (targets.count == 0) {
        return fault_set(fault, FAULT_USAGE, "no revision to stamp is named");
    }
    struct stamp stamp;
    bool ok = stamp_reserve(&stamp, graph, fault);
    for (int i = 0; ok && i < targets.count; i++) {
        ok = target_mark(&stamp, targets.items[i], state, fault);
    }
    if (ok) {
        sets_spread(&stamp, state);
        ok = (!state || forget_check(&stamp, state, targets, fault)) &&
             rows_make(&stamp, out, fault);
    }
    free(stamp.memory);
    return ok;
}
