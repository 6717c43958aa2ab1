// One head was asked for and there are several: a picture of where they part, and what mends it.
#include "graph_private.h"

#include <stdlib.h>
#include <string.h>

struct fork {
    const struct graph *graph;
    const struct graph_nodes *heads;
    int *shared;  // by node: how many heads have it below them
    bool *marks;  // room for what is below one head
    int *branch;  // of the head in work: what it alone has below it, and itself
    int count;    // of `branch`
    int point;    // of the head in work: the last that it shares; -1: nothing
    bool *is_out; // by number of the head: printed
};

static bool fork_reserve(struct fork *fork, const struct graph *graph,
                         const struct graph_nodes *heads, struct fault *fault)
{
    *fork = (struct fork){
        .graph = graph,
        .heads = heads,
        .shared = calloc(2 * (size_t)graph->count + 1, sizeof(int)),
        .marks = graph_marks(graph, 2, fault),
    };
    if (!fork->shared || !fork->marks) {
        return graph_no_memory(fault);
    }
    fork->branch = fork->shared + graph->count;
    fork->is_out = fork->marks + graph->count;
    return true;
}

static void fork_clear(struct fork *fork)
{
    free(fork->shared);
    free(fork->marks);
}

static void below_mark(struct fork *fork, int head)
{
    memset(fork->marks, false, (size_t)fork->graph->count);
    fork->marks[head] = true;
    graph_mark_ancestors(fork->graph, fork->marks, GRAPH_FOLLOWED);
}

static void shared_count(struct fork *fork)
{
    for (int i = 0; i < fork->heads->count; i++) {
        below_mark(fork, fork->heads->items[i]);
        for (int j = 0; j < fork->graph->count; j++) {
            fork->shared[j] += fork->marks[j];
        }
    }
}

// Takes up a head: what it has to itself, and where that parts from the others.
static void branch_take(struct fork *fork, int head)
{
    below_mark(fork, head);
    fork->count = 0;
    fork->point = -1;
    for (int i = 0; i < fork->graph->count; i++) {
        int node = fork->graph->order[i];
        if (fork->marks[node] && fork->shared[node] == 1) {
            fork->branch[fork->count++] = node;
        } else if (fork->marks[node]) {
            fork->point = node;
        }
    }
}

// ---- the picture ----

static void branch_print(FILE *out, const struct fork *fork)
{
    const struct graph *graph = fork->graph;
    if (fork->count > 3) {
        fprintf(out, "%s -> (%d more) -> ", graph_id(graph, fork->branch[0]), fork->count - 2);
    } else {
        for (int i = 0; i < fork->count - 1; i++) {
            fprintf(out, "%s -> ", graph_id(graph, fork->branch[i]));
        }
    }
    const struct graph_node *head = &graph->nodes[fork->branch[fork->count - 1]];
    fprintf(out, "%s (head)  %s", head->id, head->file);
}

// The heads that part at the same revision as the first of them:
// 002 -+- 003a -> 004a (head)  versions/004a.lua
//      +- 003b (head)  versions/003b.lua
static void group_print(FILE *out, struct fork *fork, int first)
{
    branch_take(fork, fork->heads->items[first]);
    int point = fork->point;
    const char *name = point < 0 ? "<base>" : graph_id(fork->graph, point);
    fprintf(out, "%s -+- ", name);
    branch_print(out, fork);
    for (int i = first + 1; i < graph_text_shown(fork->heads->count); i++) {
        branch_take(fork, fork->heads->items[i]);
        if (!fork->is_out[i] && fork->point == point) {
            fprintf(out, "\n%*s +- ", (int)strlen(name) + 1, "");
            branch_print(out, fork);
            fork->is_out[i] = true;
        }
    }
}

static void fork_print(FILE *out, struct fork *fork)
{
    for (int i = 0; i < graph_text_shown(fork->heads->count); i++) {
        if (!fork->is_out[i]) {
            fputs(i == 0 ? "" : "\n", out);
            group_print(out, fork, i);
        }
    }
    graph_text_more(out, "\n", fork->heads->count);
}

// ---- what mends it ----

// What could move: the last branch of which nothing is applied. Its first revision names another
// parent then, the last one of another branch.
static bool rebase_find(struct fork *fork, const struct graph_state *state, int *onto)
{
    for (int i = fork->heads->count - 1; i >= 0; i--) {
        branch_take(fork, fork->heads->items[i]);
        if (!state || !state->applied[fork->branch[0]]) {
            *onto = fork->heads->items[i == 0 ? 1 : 0];
            return true;
        }
    }
    return false;
}

static void remedy_print(FILE *out, struct fork *fork, bool is_part,
                         const struct graph_state *state)
{
    fprintf(out, "luamig merge");
    for (int i = 0; is_part && i < fork->heads->count; i++) {
        fprintf(out, " %s", graph_id(fork->graph, fork->heads->items[i]));
    }
    fprintf(out, "%s -m \"merge heads\"", is_part ? "" : " heads");
    int onto;
    if (rebase_find(fork, state, &onto)) {
        fprintf(out, "\nluamig rebase %s --onto %s", graph_id(fork->graph, fork->branch[0]),
                graph_id(fork->graph, onto));
    }
}

static void fork_explain(struct fork *fork, bool is_part, const struct graph_state *state,
                         struct fault *fault)
{
    size_t size;
    shared_count(fork);
    FILE *picture = open_memstream(&fault->detail, &size);
    if (picture) {
        fork_print(picture, fork);
        fclose(picture);
    }
    FILE *remedy = open_memstream(&fault->attempt, &size);
    if (remedy) {
        remedy_print(remedy, fork, is_part, state);
        fclose(remedy);
    }
}

bool graph_fork_fault(const struct graph *graph, const char *target,
                      const struct graph_nodes *heads, const struct graph_state *state,
                      struct fault *fault)
{
    struct fork fork;
    if (fork_reserve(&fork, graph, heads, fault)) {
        fault_set(fault, FAULT_GRAPH,
                  "Multiple head revisions are present for given argument '%s'; please specify a "
                  "specific target revision, '<branchname>@head' to narrow to a specific head, or "
                  "'heads' for all heads",
                  target);
        fork_explain(&fork, strchr(target, '@') != NULL, state, fault);
    }
    fork_clear(&fork);
    return false;
}
