// What can be wrong with the revisions of a project, in words that name the files.
#include "graph_private.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CYCLE_LIMIT = 12, // lines of a cycle that are shown
};

// ---- names ----

static bool name_is_reserved(const char *name)
{
    static const char *const words[] = {"head", "heads", "base", "current", NULL};
    for (const char *const *word = words; *word; word++) {
        if (strcmp(name, *word) == 0) {
            return true;
        }
    }
    return false;
}

static bool character_fault(const struct graph_source *source, const char *what, const char *name,
                            unsigned char c, struct fault *fault)
{
    if (isspace(c) || iscntrl(c)) {
        fault_set(fault, FAULT_GRAPH, "white space is not allowed in %s '%s'", what, name);
    } else {
        fault_set(fault, FAULT_GRAPH, "character '%c' is not allowed in %s '%s'", c, what, name);
    }
    fault_text(&fault->file, "%s", source->file);
    fault_text(&fault->hint, "in a target, @ - + : and spaces have meanings of their own; use _");
    return false;
}

// A label may hold what an id may not: Alembic projects have labels such as "web-shop".
static bool name_check(const struct graph_source *source, const char *what, const char *name,
                       const char *forbidden, struct fault *fault)
{
    if (*name == '\0') {
        fault_set(fault, FAULT_GRAPH, "the %s is empty", what);
    } else if (name_is_reserved(name)) {
        fault_set(fault, FAULT_GRAPH, "'%s' cannot be a %s: as a target it means something else",
                  name, what);
    } else {
        for (const char *at = name; *at; at++) {
            unsigned char c = (unsigned char)*at;
            if (isspace(c) || iscntrl(c) || strchr(forbidden, c)) {
                return character_fault(source, what, name, c, fault);
            }
        }
        return true;
    }
    fault_text(&fault->file, "%s", source->file);
    return false;
}

bool graph_check_source(const struct graph_source *source, struct fault *fault)
{
    bool ok = name_check(source, "revision id", source->id, "@-+:", fault);
    for (int i = 0; ok && i < source->labels.count; i++) {
        ok = name_check(source, "branch label", source->labels.items[i], "@:", fault);
    }
    if (!ok) {
        fault_text(&fault->revision, "%s", source->id);
    }
    return ok;
}

bool graph_check_taken(const struct graph *graph, const struct graph_source *source,
                       const char *word, bool is_label, const struct graph_slot *taken,
                       struct fault *fault)
{
    const struct graph_node *other = &graph->nodes[taken->node];
    if (!is_label) {
        fault_set(fault, FAULT_GRAPH, "revision %s is present more than once: in %s and in %s",
                  word, other->file, source->file);
        fault_text(&fault->hint, "give one of them another id, and name that in what follows it");
    } else if (taken->is_label) {
        fault_set(fault, FAULT_GRAPH,
                  "branch name '%s' in revision %s (%s) is already used by revision %s (%s)", word,
                  source->id, source->file, other->id, other->file);
    } else {
        fault_set(fault, FAULT_GRAPH,
                  "branch name '%s' in revision %s (%s) is the id of a revision (%s)", word,
                  source->id, source->file, other->file);
    }
    fault_text(&fault->file, "%s", other->file);
    fault_text(&fault->revision, "%s", other->id);
    return false;
}

// ---- parents ----

bool graph_check_parent(const struct graph *graph, const struct graph_source *source,
                        const char *word, bool is_needed, struct fault *fault)
{
    const char *field = is_needed ? "depends_on" : "down_revision";
    const struct graph_slot *slot = graph_name_find(graph, word);
    if (slot && strcmp(graph_id(graph, slot->node), source->id) == 0) {
        fault_set(fault, FAULT_GRAPH, "%s is detected in revisions (%s): %s names itself in its %s",
                  is_needed ? "dependency self-loop" : "self-loop", source->id, source->file,
                  field);
    } else {
        fault_set(fault, FAULT_GRAPH, "revision %s referenced from %s (%s) is not present",
                  *word ? word : "''", source->file, field);
        if (slot) {
            fault_text(&fault->hint, "'%s' is a branch label; its revision is '%s'", word,
                       graph_id(graph, slot->node));
        }
        graph_name_suggest(graph, word, fault);
    }
    fault_text(&fault->file, "%s", source->file);
    fault_text(&fault->revision, "%s", source->id);
    return false;
}

// ---- cycles ----

// A parent that waits too; of those it follows, before those it needs. Every one that waits has
// one.
static int waiting_parent(const struct graph *graph, const int *waiting, int node)
{
    struct graph_slice parents = graph_parents(graph, node, GRAPH_ALL);
    for (int i = 0; i < parents.count; i++) {
        if (waiting[parents.items[i]] > 0) {
            return parents.items[i];
        }
    }
    return -1;
}

static bool is_followed(const struct graph *graph, int node, int parent)
{
    struct graph_slice parents = graph_parents(graph, node, GRAPH_FOLLOWED);
    for (int i = 0; i < parents.count; i++) {
        if (parents.items[i] == parent) {
            return true;
        }
    }
    return false;
}

// A revision that comes round to itself: after as many steps as there are revisions, a walk from
// one that waits is in a cycle. Of the cycle, the first in file order.
static int cycle_start(const struct graph *graph, const int *waiting)
{
    int node = 0;
    while (waiting[node] <= 0) {
        node++;
    }
    for (int i = 0; i < graph->count; i++) {
        node = waiting_parent(graph, waiting, node);
    }
    int start = node;
    for (int at = waiting_parent(graph, waiting, node); at != node;
         at = waiting_parent(graph, waiting, at)) {
        start = at < start ? at : start;
    }
    return start;
}

// The cycle in the order of the walk, and how each gets to the next.
static bool cycle_collect(const struct graph *graph, const int *waiting, int start,
                          struct graph_nodes *cycle, struct fault *fault)
{
    if (!graph_nodes_reserve(cycle, graph->count, fault)) {
        return false;
    }
    int node = start;
    do {
        cycle->items[cycle->count++] = node;
        node = waiting_parent(graph, waiting, node);
    } while (node != start);
    return true;
}

static char *cycle_lines(const struct graph *graph, const struct graph_nodes *cycle,
                         bool *is_dependency)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out) {
        return NULL;
    }
    for (int i = 0; i < cycle->count; i++) {
        int node = cycle->items[i];
        int parent = cycle->items[(i + 1) % cycle->count];
        bool follows = is_followed(graph, node, parent);
        *is_dependency |= !follows;
        if (i < CYCLE_LIMIT) {
            fprintf(out, "%s%s  %s  %s %s", i == 0 ? "" : "\n", graph_id(graph, node),
                    graph->nodes[node].file, follows ? "follows" : "depends on",
                    graph_id(graph, parent));
        }
    }
    if (cycle->count > CYCLE_LIMIT) {
        fprintf(out, "\nand %d more", cycle->count - CYCLE_LIMIT);
    }
    fclose(out);
    return text;
}

bool graph_check_cycle(const struct graph *graph, const int *waiting, struct fault *fault)
{
    struct graph_nodes cycle;
    int start = cycle_start(graph, waiting);
    if (!cycle_collect(graph, waiting, start, &cycle, fault)) {
        return false;
    }
    bool is_dependency = false;
    char *lines = cycle_lines(graph, &cycle, &is_dependency);
    char *ids = graph_text_ids(graph, &cycle);
    char *files = graph_text_file_names(graph, &cycle);
    fault_set(fault, FAULT_GRAPH, "%s is detected in revisions (%s): %s",
              is_dependency ? "dependency cycle" : "cycle", ids ? ids : "", files ? files : "");
    fault_text(&fault->detail, "%s", lines ? lines : "");
    fault_text(&fault->file, "%s", graph->nodes[start].file);
    fault_text(&fault->revision, "%s", graph_id(graph, start));
    free(lines);
    free(ids);
    free(files);
    graph_nodes_clear(&cycle);
    return false;
}
