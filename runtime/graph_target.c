// What a target means: from its words to revisions.
#include "graph_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BASE = -1,       // below the first revisions
    OFFER_LIMIT = 3, // branches offered when a target is ambiguous
};

// One target on its way to revisions.
struct search {
    const struct graph *graph;
    const struct graph_state *state; // NULL: not known
    enum graph_direction direction;
    struct graph_request request;
    int branch;                // the revision that BRANCH@ names, or -1
    bool *lineage;             // of that revision; NULL without
    struct graph_nodes choice; // room for what a step could go to
    struct graph_target *out;
};

// ---- faults ----

// Offers the target with each choice as its branch: commands to type, or a hint.
static void branches_offer(const struct search *search, const struct graph_nodes *choice,
                           struct fault *fault)
{
    bool is_hint = search->direction == GRAPH_READ;
    const char *verb = search->direction == GRAPH_UPGRADE ? "upgrade " : "downgrade ";
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out) {
        return;
    }
    for (int i = 0; i < choice->count && i < OFFER_LIMIT; i++) {
        fprintf(out, "%s%s", i == 0 ? "" : is_hint ? " or " : "\n", is_hint ? "" : "luamig ");
        fprintf(out, "%s%s@%s", is_hint ? "" : verb, graph_id(search->graph, choice->items[i]),
                search->request.without);
    }
    fclose(out);
    if (is_hint) {
        fault_text(&fault->hint, "name the branch: %s", text ? text : "");
    } else {
        fault_text(&fault->attempt, "%s", text ? text : "");
    }
    free(text);
}

static bool rows_unknown_fault(const struct search *search, struct fault *fault)
{
    fault_set(fault, FAULT_USAGE, "'%s' counts from where the database is, which is not known here",
              search->request.text);
    fault_text(&fault->hint, "name a revision: ID+1, ID-1, head-1, base+1");
    return false;
}

static bool several_rows_fault(const struct search *search, const struct graph_nodes *rows,
                               struct fault *fault)
{
    const char *text = search->request.text;
    char *ids = graph_text_ids(search->graph, rows);
    char *files = graph_text_files(search->graph, rows);
    const char *list = ids ? ids : "";
    if (search->direction == GRAPH_UPGRADE) {
        fault_set(fault, FAULT_GRAPH,
                  "Ambiguous upgrade from multiple current revisions: "
                  "'%s' could count from %s",
                  text, list);
    } else if (search->direction == GRAPH_DOWNGRADE) {
        fault_set(fault, FAULT_GRAPH,
                  "downgrade %s from multiple heads is ambiguous: it could count from %s", text,
                  list);
    } else {
        fault_set(fault, FAULT_GRAPH,
                  "'%s' is ambiguous with multiple current revisions: it could count from %s", text,
                  list);
    }
    fault_text(&fault->detail, "%s", files ? files : "");
    branches_offer(search, rows, fault);
    free(ids);
    free(files);
    return false;
}

static bool fork_fault(const struct search *search, int node, struct fault *fault)
{
    const struct graph *graph = search->graph;
    char *ids = graph_text_ids(graph, &search->choice);
    char *files = graph_text_files(graph, &search->choice);
    const char *list = ids ? ids : "";
    if (search->request.steps < 0) {
        fault_set(fault, FAULT_GRAPH, "Ambiguous walk: '%s' goes below %s, which merges %s",
                  search->request.text, graph_id(graph, node), list);
    } else if (node == BASE) {
        fault_set(fault, FAULT_GRAPH, "Ambiguous walk: '%s' could begin with %s",
                  search->request.text, list);
    } else {
        fault_set(fault, FAULT_GRAPH, "Ambiguous walk: '%s' goes above %s, which is followed by %s",
                  search->request.text, graph_id(graph, node), list);
    }
    fault_text(&fault->detail, "%s", files ? files : "");
    branches_offer(search, &search->choice, fault);
    free(ids);
    free(files);
    return false;
}

static bool too_few_fault(const struct search *search, int start, int found, struct fault *fault)
{
    const struct graph_request *request = &search->request;
    int steps = abs(request->steps);
    const char *from = start == BASE ? "base" : graph_id(search->graph, start);
    const char *verb = found == 1 ? "is" : "are";
    bool is_down = request->steps < 0;
    if (is_down && start == BASE && request->symbol == GRAPH_SYMBOL_CURRENT) {
        fault_set(fault, FAULT_GRAPH,
                  "Relative revision %s didn't produce %d migrations: nothing%s%s is applied",
                  request->text, steps, request->branch ? " of branch " : "",
                  request->branch ? request->branch : "");
    } else if (found == 0) {
        fault_set(fault, FAULT_GRAPH,
                  "Relative revision %s didn't produce %d migrations: there is none %s %s",
                  request->text, steps, is_down ? "below" : "above", from);
    } else if (is_down) {
        fault_set(
            fault, FAULT_GRAPH,
            "Relative revision %s didn't produce %d migrations: there %s only %d from %s down",
            request->text, steps, verb, found, from);
    } else {
        fault_set(fault, FAULT_GRAPH,
                  "Relative revision %s didn't produce %d migrations: there %s only %d above %s",
                  request->text, steps, verb, found, from);
    }
    fault_text(&fault->attempt, "luamig history");
    return false;
}

// ---- walking ----

static void choice_set(struct search *search, struct graph_slice slice)
{
    search->choice.count = 0;
    for (int i = 0; i < slice.count; i++) {
        if (!search->lineage || search->lineage[slice.items[i]]) {
            graph_nodes_insert(search->graph, &search->choice, slice.items[i]);
        }
    }
}

static void choice_set_bases(struct search *search)
{
    const struct graph *graph = search->graph;
    search->choice.count = 0;
    for (int i = 0; i < graph->count; i++) {
        int node = graph->order[i];
        bool is_base = graph_parents(graph, node, GRAPH_FOLLOWED).count == 0;
        if (is_base && (!search->lineage || search->lineage[node])) {
            search->choice.items[search->choice.count++] = node;
        }
    }
}

static bool walk_up(struct search *search, int start, struct fault *fault)
{
    int node = start;
    for (int i = 0; i < search->request.steps; i++) {
        if (node == BASE) {
            choice_set_bases(search);
        } else {
            choice_set(search, graph_children(search->graph, node, GRAPH_FOLLOWED));
        }
        if (search->choice.count == 0) {
            return too_few_fault(search, start, i, fault);
        }
        if (search->choice.count > 1) {
            return fork_fault(search, node, fault);
        }
        node = search->choice.items[0];
    }
    if (node != BASE) {
        graph_nodes_insert(search->graph, &search->out->nodes, node);
    }
    return true;
}

// The last step may go below a merge: what is left then are all that it merges.
static bool walk_down(struct search *search, int start, struct fault *fault)
{
    int node = start;
    int last = -search->request.steps - 1;
    for (int i = 0; i <= last; i++) {
        if (node == BASE) {
            return too_few_fault(search, start, i, fault);
        }
        choice_set(search, graph_parents(search->graph, node, GRAPH_FOLLOWED));
        if (search->choice.count > 1 && i < last) {
            return fork_fault(search, node, fault);
        }
        search->out->undone = node;
        node = search->choice.count == 0 ? BASE : search->choice.items[0];
    }
    for (int i = 0; i < search->choice.count; i++) {
        graph_nodes_insert(search->graph, &search->out->nodes, search->choice.items[i]);
    }
    // ID-N is the state to end at, so all above it goes; -N alone, or a merge undone, says what
    // goes.
    if (search->request.symbol != GRAPH_SYMBOL_CURRENT && search->choice.count == 1) {
        search->out->undone = -1;
    }
    return true;
}

// ---- where the walk starts ----

// Whether nothing applied follows a revision: on the way down, nothing at all; on the way up,
// nothing of the branch, so that a branch not begun yet starts where it forks off.
static bool is_tip(const struct search *search, int node)
{
    struct graph_slice children = graph_children(search->graph, node, GRAPH_FOLLOWED);
    for (int i = 0; i < children.count; i++) {
        int child = children.items[i];
        if (search->state->applied[child] &&
            (search->lineage[child] || search->request.steps <= 0)) {
            return false;
        }
    }
    return true;
}

// Where a branch stands that no row is of.
static bool branch_tips(const struct search *search, struct graph_nodes *tips, struct fault *fault)
{
    const struct graph *graph = search->graph;
    if (!graph_nodes_reserve(tips, graph->count, fault)) {
        return false;
    }
    for (int i = 0; i < graph->count; i++) {
        int node = graph->order[i];
        if (search->state->applied[node] && search->lineage[node] && is_tip(search, node)) {
            tips->items[tips->count++] = node;
        }
    }
    return true;
}

static bool current_find(const struct search *search, struct graph_nodes *found,
                         struct fault *fault)
{
    if (!search->state) {
        return rows_unknown_fault(search, fault);
    }
    if (!graph_nodes_copy(found, &search->state->rows, fault)) {
        return false;
    }
    if (search->lineage) {
        graph_nodes_filter(found, search->lineage);
        if (found->count == 0) {
            graph_nodes_clear(found);
            return branch_tips(search, found, fault);
        }
    }
    return true;
}

static bool heads_find(const struct search *search, struct graph_nodes *found, struct fault *fault)
{
    bool is_one = search->request.symbol == GRAPH_SYMBOL_HEAD || search->request.is_relative ||
                  search->direction == GRAPH_DOWNGRADE;
    bool is_effective = search->request.symbol == GRAPH_SYMBOL_HEADS && !search->lineage;
    if (!graph_select(search->graph, is_effective ? GRAPH_EFFECTIVE_HEADS : GRAPH_HEADS, found,
                      fault)) {
        return false;
    }
    if (search->lineage) {
        graph_nodes_filter(found, search->lineage);
    }
    if (is_one && found->count > 1) {
        graph_fork_fault(search->graph, search->request.text, found, search->state, fault);
        graph_nodes_clear(found);
        return false;
    }
    return true;
}

static bool name_find(const struct search *search, struct graph_nodes *found, struct fault *fault)
{
    int node;
    if (!graph_name_resolve(search->graph, search->request.name, search->lineage,
                            search->request.branch, &node, fault) ||
        !graph_nodes_reserve(found, 1, fault)) {
        return false;
    }
    graph_nodes_insert(search->graph, found, node);
    return true;
}

static bool symbol_find(const struct search *search, struct graph_nodes *found, struct fault *fault)
{
    switch (search->request.symbol) {
    case GRAPH_SYMBOL_NAME:
        return name_find(search, found, fault);
    case GRAPH_SYMBOL_HEAD:
    case GRAPH_SYMBOL_HEADS:
        return heads_find(search, found, fault);
    case GRAPH_SYMBOL_BASE:
        return graph_nodes_reserve(found, 0, fault);
    case GRAPH_SYMBOL_CURRENT:
        return current_find(search, found, fault);
    }
    return false;
}

static bool direction_check(const struct search *search, struct fault *fault)
{
    const struct graph_request *request = &search->request;
    bool is_bare = request->is_relative && request->symbol == GRAPH_SYMBOL_CURRENT;
    bool is_wrong = (search->direction == GRAPH_UPGRADE && request->steps < 0) ||
                    (search->direction == GRAPH_DOWNGRADE && request->steps > 0);
    if (!is_bare || !is_wrong) {
        return true;
    }
    fault_set(fault, FAULT_USAGE, "Relative revision %s didn't produce %d migrations: it goes %s",
              request->text, abs(request->steps),
              request->steps < 0 ? "down, and upgrade goes up" : "up, and downgrade goes down");
    fault_text(&fault->attempt, "luamig %s %s", request->steps < 0 ? "downgrade" : "upgrade",
               request->text);
    return false;
}

static bool branch_find(struct search *search, struct fault *fault)
{
    const char *branch = search->request.branch;
    if (!branch) {
        return true;
    }
    if (!graph_name_resolve(search->graph, branch, NULL, NULL, &search->branch, fault)) {
        // The same text as for a revision, and which part of the target it is about.
        char *message = fault->message;
        fault->message = NULL;
        fault_text(&fault->message, "%s, as the branch of '%s'", message ? message : "",
                   search->request.text);
        free(message);
        return false;
    }
    search->lineage = graph_lineage(search->graph, search->branch, fault);
    return search->lineage != NULL;
}

static bool search_run(struct search *search, struct fault *fault)
{
    struct graph_nodes found = {0};
    if (!direction_check(search, fault) || !branch_find(search, fault) ||
        !symbol_find(search, &found, fault)) {
        return false;
    }
    bool ok = true;
    if (!search->request.is_relative) {
        ok = graph_nodes_copy(&search->out->nodes, &found, fault);
    } else if (found.count > 1 && search->request.steps != 0) {
        ok = several_rows_fault(search, &found, fault);
    } else if (search->request.steps == 0) {
        ok = graph_nodes_copy(&search->out->nodes, &found, fault);
    } else {
        int start = found.count == 0 ? BASE : found.items[0];
        ok = graph_nodes_reserve(&search->out->nodes, search->graph->count, fault) &&
             (search->request.steps > 0 ? walk_up(search, start, fault)
                                        : walk_down(search, start, fault));
    }
    graph_nodes_clear(&found);
    return ok;
}

void graph_target_clear(struct graph_target *target)
{
    graph_nodes_clear(&target->nodes);
}

bool graph_target_resolve(const struct graph *graph, const char *text,
                          const struct graph_state *state, enum graph_direction direction,
                          struct graph_target *target, struct fault *fault)
{
    struct graph_target found = {.branch = -1, .undone = -1};
    struct search search = {
        .graph = graph, .state = state, .direction = direction, .branch = -1, .out = &found};
    bool ok = graph_request_parse(graph, text, &search.request, fault) &&
              graph_nodes_reserve(&search.choice, graph->count, fault) &&
              search_run(&search, fault);
    found.branch = search.branch;
    free(search.lineage);
    graph_nodes_clear(&search.choice);
    graph_request_clear(&search.request);
    if (ok) {
        *target = found;
    } else {
        graph_target_clear(&found);
    }
    return ok;
}
