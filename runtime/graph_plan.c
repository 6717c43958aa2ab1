// The steps of an upgrade or a downgrade, and what each does to the version rows.
#include "graph_private.h"

#include <stdlib.h>
#include <string.h>

// ---- opening ----

static bool plan_reserve(struct graph_plan *plan, const struct graph_state *state,
                         struct fault *fault)
{
    const struct graph *graph = state->graph;
    size_t room = (size_t)graph->count + 1;
    *plan = (struct graph_plan){.graph = graph, .memory = calloc(5 * room, sizeof(int))};
    if (!plan->memory) {
        return graph_no_memory(fault);
    }
    plan->nodes = plan->memory;
    plan->followers = plan->memory + room;
    plan->rows.items = plan->memory + 2 * room;
    plan->remove.items = plan->memory + 3 * room;
    plan->add.items = plan->memory + 4 * room;
    // What others imply goes with the first step.
    for (int i = 0; i < state->rows.count; i++) {
        plan->rows.items[plan->rows.count++] = state->rows.items[i];
    }
    for (int i = 0; i < state->spare.count; i++) {
        plan->remove.items[plan->remove.count++] = state->spare.items[i];
    }
    return true;
}

static void followers_count(struct graph_plan *plan, const bool *applied)
{
    for (int i = 0; i < plan->graph->count; i++) {
        struct graph_slice parents = graph_parents(plan->graph, i, GRAPH_ALL);
        for (int j = 0; applied[i] && j < parents.count; j++) {
            plan->followers[parents.items[j]]++;
        }
    }
}

static void upgrade_plan(struct graph_plan *plan, const struct graph_state *state,
                         const struct graph_target *target, bool *wanted)
{
    const struct graph *graph = plan->graph;
    graph_mark_all(wanted, &target->nodes);
    graph_mark_ancestors(graph, wanted, GRAPH_ALL);
    for (int i = 0; i < graph->count; i++) {
        int node = graph->order[i];
        if (wanted[node] && !state->applied[node]) {
            plan->nodes[plan->count++] = node;
        }
    }
}

static bool not_below_fault(const struct graph_state *state, const char *text,
                            const struct graph_nodes *target, struct fault *fault)
{
    const struct graph *graph = state->graph;
    char *rows = graph_text_ids(graph, &state->rows);
    char *ids = graph_text_ids(graph, target);
    fault_set(fault, FAULT_GRAPH,
              "Destination %s is not a valid downgrade target from current head(s)", text);
    if (state->rows.count == 0) {
        fault_text(&fault->detail, "%s is not applied: the database is at base", ids ? ids : text);
    } else {
        fault_text(&fault->detail, "%s is not applied: the database is at %s", ids ? ids : text,
                   rows ? rows : "");
    }
    fault_text(&fault->attempt, "luamig upgrade %s", text);
    free(rows);
    free(ids);
    return false;
}

// Marks what a downgrade takes down first of all: what follows the target (in the branch).
static void roots_mark(const struct graph *graph, const struct graph_target *target,
                       const bool *lineage, bool *roots)
{
    if (target->undone >= 0) {
        roots[target->undone] = true;
        return;
    }
    for (int i = 0; i < graph->count; i++) {
        bool is_first = graph_parents(graph, i, GRAPH_FOLLOWED).count == 0;
        roots[i] = target->nodes.count == 0 && is_first && (!lineage || lineage[i]);
    }
    for (int i = 0; i < target->nodes.count; i++) {
        struct graph_slice children = graph_children(graph, target->nodes.items[i], GRAPH_FOLLOWED);
        for (int j = 0; j < children.count; j++) {
            roots[children.items[j]] |= !lineage || lineage[children.items[j]];
        }
    }
}

static bool downgrade_plan(struct graph_plan *plan, const struct graph_state *state,
                           const char *text, const struct graph_target *target, bool *roots,
                           struct fault *fault)
{
    const struct graph *graph = plan->graph;
    for (int i = 0; i < target->nodes.count; i++) {
        if (!state->applied[target->nodes.items[i]]) {
            return not_below_fault(state, text, &target->nodes, fault);
        }
    }
    bool *lineage = NULL;
    if (target->branch >= 0) {
        lineage = graph_lineage(graph, target->branch, fault);
        if (!lineage) {
            return false;
        }
    }
    roots_mark(graph, target, lineage, roots);
    free(lineage);
    graph_mark_descendants(graph, roots, GRAPH_ALL);
    for (int i = graph->count - 1; i >= 0; i--) {
        int node = graph->order[i];
        if (roots[node] && state->applied[node]) {
            plan->nodes[plan->count++] = node;
        }
    }
    return true;
}

static bool plan_fill(struct graph_plan *plan, const struct graph_state *state, const char *text,
                      const struct graph_target *target, struct fault *fault)
{
    bool *marks = graph_marks(plan->graph, 1, fault);
    if (!marks) {
        return false;
    }
    bool ok = true;
    if (plan->is_upgrade) {
        upgrade_plan(plan, state, target, marks);
    } else {
        followers_count(plan, state->applied);
        ok = downgrade_plan(plan, state, text, target, marks, fault);
    }
    free(marks);
    return ok;
}

void graph_plan_clear(struct graph_plan *plan)
{
    free(plan->memory);
    *plan = (struct graph_plan){0};
}

bool graph_plan_open(const struct graph_state *state, const char *text,
                     enum graph_direction direction, struct graph_plan *plan, struct fault *fault)
{
    struct graph_target target;
    if (!graph_target_resolve(state->graph, text, state, direction, &target, fault)) {
        return false;
    }
    bool ok = plan_reserve(plan, state, fault);
    if (ok) {
        plan->is_upgrade = direction == GRAPH_UPGRADE;
        ok = plan_fill(plan, state, text, &target, fault);
        if (!ok) {
            graph_plan_clear(plan);
        }
    }
    graph_target_clear(&target);
    return ok;
}

// ---- stepping ----

static bool nodes_take(struct graph_nodes *nodes, int node)
{
    for (int i = 0; i < nodes->count; i++) {
        if (nodes->items[i] == node) {
            nodes->count--;
            memmove(nodes->items + i, nodes->items + i + 1,
                    (size_t)(nodes->count - i) * sizeof(int));
            return true;
        }
    }
    return false;
}

// An applied revision takes the rows of what it follows or needs: it implies them now.
static void step_up(struct graph_plan *plan, int node)
{
    struct graph_slice parents = graph_parents(plan->graph, node, GRAPH_ALL);
    for (int i = 0; i < parents.count; i++) {
        if (nodes_take(&plan->rows, parents.items[i])) {
            graph_nodes_insert(plan->graph, &plan->remove, parents.items[i]);
        }
    }
    graph_nodes_insert(plan->graph, &plan->add, node);
}

// An undone revision brings back the rows that nothing else implies.
static void step_down(struct graph_plan *plan, int node)
{
    struct graph_slice parents = graph_parents(plan->graph, node, GRAPH_ALL);
    if (nodes_take(&plan->rows, node)) {
        graph_nodes_insert(plan->graph, &plan->remove, node);
    }
    for (int i = 0; i < parents.count; i++) {
        if (--plan->followers[parents.items[i]] == 0) {
            graph_nodes_insert(plan->graph, &plan->add, parents.items[i]);
        }
    }
}

bool graph_plan_next(struct graph_plan *plan, struct graph_step *step)
{
    if (plan->at == plan->count) {
        return false;
    }
    int node = plan->nodes[plan->at];
    if (plan->at > 0) {
        plan->remove.count = 0;
    }
    plan->at++;
    plan->add.count = 0;
    if (plan->is_upgrade) {
        step_up(plan, node);
    } else {
        step_down(plan, node);
    }
    for (int i = 0; i < plan->add.count; i++) {
        graph_nodes_insert(plan->graph, &plan->rows, plan->add.items[i]);
    }
    *step = (struct graph_step){node, &plan->remove, &plan->add, &plan->rows};
    return true;
}
