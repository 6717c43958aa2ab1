#pragma once
// Shared by graph*.c.
#include "graph.h"

#include <stdio.h>

struct graph_node {
    const char *id;
    const char *file;
};

struct graph_label {
    const char *name;
    int node;
};

/// Edges out of every node: those by down_revision, then those by depends_on.
struct graph_edges {
    int *first;  // by node, and one more
    int *middle; // by node: where depends_on begins
    int *to;
};

/// A word of the index: an id or a label.
struct graph_slot {
    const char *word; // NULL: free
    int node;
    bool is_label;
};

struct graph {
    int count;
    int label_count;
    struct graph_node *nodes;
    struct graph_label *labels;
    char *text; // of all ids, files and labels
    struct graph_slot *slots;
    size_t slot_count; // a power of two
    struct graph_edges parents;
    struct graph_edges children;
    int *order;
    int *rank; // by node: its place in order
};

enum graph_reach {
    GRAPH_FOLLOWED, // down_revision only
    GRAPH_ALL,      // and depends_on
};

/// Neighbours of a node; borrowed from the graph.
struct graph_slice {
    const int *items;
    int count;
};

struct graph_slice graph_parents(const struct graph *graph, int node, enum graph_reach reach);
struct graph_slice graph_children(const struct graph *graph, int node, enum graph_reach reach);

bool graph_no_memory(struct fault *fault);

/// Fills `order` and `rank`. Fault: a cycle.
bool graph_sort(struct graph *graph, struct fault *fault);

// ---- sets: one bool a node ----

/// Empty sets, one behind the other; the caller frees.
bool *graph_marks(const struct graph *graph, int sets, struct fault *fault);
void graph_mark_all(bool *marks, const struct graph_nodes *nodes);

/// Adds all that the marked ones follow (or need).
void graph_mark_ancestors(const struct graph *graph, bool *marks, enum graph_reach reach);

/// Adds all that follows (or needs) the marked ones.
void graph_mark_descendants(const struct graph *graph, bool *marks, enum graph_reach reach);

/// The lineage of a revision: itself, all that it follows and all that follows it. NULL on fault.
bool *graph_lineage(const struct graph *graph, int node, struct fault *fault);

// ---- lists ----

bool graph_nodes_reserve(struct graph_nodes *nodes, int capacity, struct fault *fault);

/// Puts a node in its place; the list has room and does not hold it yet.
void graph_nodes_insert(const struct graph *graph, struct graph_nodes *nodes, int node);
bool graph_nodes_copy(struct graph_nodes *to, const struct graph_nodes *from, struct fault *fault);
bool graph_nodes_marked(const struct graph *graph, const bool *marks, struct graph_nodes *out,
                        struct fault *fault);

/// Keeps those that are marked.
void graph_nodes_filter(struct graph_nodes *nodes, const bool *marks);

// ---- graph_name.c ----

/// @param[out] taken  what has the word already, when false
bool graph_name_add(struct graph *graph, const char *word, int node, bool is_label,
                    const struct graph_slot **taken);

/// An exact id or label, or NULL.
const struct graph_slot *graph_name_find(const struct graph *graph, const char *word);

/// What a user may call a revision: an exact id or label, else the beginning of just one.
/// @param within  only these are looked at for a beginning; NULL: all
/// @param branch  the name of that set, for messages; NULL when `within` is
bool graph_name_resolve(const struct graph *graph, const char *word, const bool *within,
                        const char *branch, int *node, struct fault *fault);

/// Sets the hint: the names nearest to a mistyped one, when any is near.
void graph_name_suggest(const struct graph *graph, const char *word, struct fault *fault);

// ---- graph_text.c: pieces of messages; the caller frees ----

/// "a, b, c and 4 more"
char *graph_text_ids(const struct graph *graph, const struct graph_nodes *nodes);

/// "versions/a.lua, versions/b.lua and 3 more"
char *graph_text_file_names(const struct graph *graph, const struct graph_nodes *nodes);

/// A line each: id and file.
char *graph_text_files(const struct graph *graph, const struct graph_nodes *nodes);

/// How many of so many are named one by one, and the "and N more" behind them.
int graph_text_shown(int count);
void graph_text_more(FILE *out, const char *before, int count);

// ---- graph_fork.c ----

/// Fills the fault: one head was asked for and there are several.
/// @param state  NULL when not known
bool graph_fork_fault(const struct graph *graph, const char *target,
                      const struct graph_nodes *heads, const struct graph_state *state,
                      struct fault *fault);

// ---- graph_check.c: what can be wrong with a project's revisions ----

bool graph_check_source(const struct graph_source *source, struct fault *fault);
bool graph_check_taken(const struct graph *graph, const struct graph_source *source,
                       const char *word, bool is_label, const struct graph_slot *taken,
                       struct fault *fault);

/// Fills the fault: a parent that is not there, or is the revision itself.
bool graph_check_parent(const struct graph *graph, const struct graph_source *source,
                        const char *word, bool is_needed, struct fault *fault);

/// Fills the fault: some revisions come round to themselves.
/// @param waiting  by node: parents that could not be put in order
bool graph_check_cycle(const struct graph *graph, const int *waiting, struct fault *fault);
