#pragma once
// The revision graph: what follows what, what a target means, and which steps lead from the rows of
// a database to it. Pure: it knows neither libpq nor Lua, reads no file, and never changes once it
// is built. Grammar and row rules are Alembic's; `followers` of a revision name it in their
// down_revision, `dependents` in their depends_on.
//
// A node is the number of a revision in file order. Every list of nodes is in graph order: what a
// revision follows or needs comes before it, and the order of the files decides between the rest.
// Faults are FAULT_GRAPH or FAULT_USAGE (and FAULT_MEMORY, as everywhere).
#include "fault.h"

struct graph;

struct graph_words {
    const char *const *items;
    int count;
};

/// One revision as its file declares it; borrowed.
struct graph_source {
    const char *id;
    const char *file;          // as users should see it
    struct graph_words down;   // ids
    struct graph_words needs;  // depends_on: ids or labels
    struct graph_words labels; // branch_labels
};

struct graph_nodes {
    int *items;
    int count;
};

void graph_nodes_clear(struct graph_nodes *nodes);

/// Builds a graph of the revisions in file order; the sources may go away afterwards.
/// @param[out] out    valid only on true; the caller calls graph_free()
/// @param[out] fault  valid only on false: FAULT_GRAPH, the first defect; `file` is the first file
bool graph_build(const struct graph_source *sources, int count, struct graph **out,
                 struct fault *fault);
void graph_free(struct graph *graph);

int graph_count(const struct graph *graph);
const char *graph_id(const struct graph *graph, int node);

/// The node with exactly this id, or -1.
int graph_find(const struct graph *graph, const char *id);

/// All nodes, graph_count() of them.
const int *graph_order(const struct graph *graph);

enum graph_role {
    GRAPH_HEADS,           // nothing follows
    GRAPH_EFFECTIVE_HEADS, // nothing follows or needs
    GRAPH_BASES,           // follow nothing
    GRAPH_BRANCH_POINTS,   // several follow
};

/// @param[out] out  valid only on true; the caller calls graph_nodes_clear()
bool graph_select(const struct graph *graph, enum graph_role role, struct graph_nodes *out,
                  struct fault *fault);

/// What follows a revision.
bool graph_followers(const struct graph *graph, int node, struct graph_nodes *out,
                     struct fault *fault);

int graph_label_count(const struct graph *graph);
const char *graph_label(const struct graph *graph, int label);

/// The revisions that a label holds for: its own, all that follow, and what is before it down to
/// the last fork or merge.
bool graph_label_members(const struct graph *graph, int label, struct graph_nodes *out,
                         struct fault *fault);

/// What the version rows of a database say.
struct graph_state {
    const struct graph *graph;
    struct graph_nodes rows;  // one for each applied revision that no other applied one implies
    struct graph_nodes spare; // rows that others imply; no harm, and gone after the next step
    bool *applied;            // by node: the rows and all that they follow or need
};

/// @param rows        ids, in any order
/// @param[out] state  valid only on true; the caller calls graph_state_clear()
/// @param[out] fault  valid only on false: FAULT_GRAPH when no revision has one of the ids
bool graph_state_open(const struct graph *graph, struct graph_words rows, struct graph_state *state,
                      struct fault *fault);
void graph_state_clear(struct graph_state *state);

/// All that counts as applied.
bool graph_state_applied(const struct graph_state *state, struct graph_nodes *out,
                         struct fault *fault);

/// The tips of what is applied: the rows, and what ends a branch and is implied by depends_on.
bool graph_state_tips(const struct graph_state *state, struct graph_nodes *out,
                      struct fault *fault);

enum graph_direction {
    GRAPH_READ,
    GRAPH_UPGRADE,
    GRAPH_DOWNGRADE,
};

/// What a target means.
struct graph_target {
    struct graph_nodes nodes; // empty: base
    int branch;               // the revision that BRANCH@ names, or -1
    int undone;               // what a relative downgrade undoes with all above it, or -1
};

/// @param state        NULL when the rows are not known; then what counts from them is a fault
/// @param[out] target  valid only on true; the caller calls graph_target_clear()
bool graph_target_resolve(const struct graph *graph, const char *text,
                          const struct graph_state *state, enum graph_direction direction,
                          struct graph_target *target, struct fault *fault);
void graph_target_clear(struct graph_target *target);

/// Whether a target or a range can be told only with the rows of the database.
bool graph_needs_rows(const struct graph *graph, const char *text);

/// The revisions of "A:B", both ends included; an empty end is open. -N: counts from the other end,
/// and so does :+N.
bool graph_range_select(const struct graph *graph, const char *text,
                        const struct graph_state *state, struct graph_nodes *out,
                        struct fault *fault);

/// The steps from a state to a target. Holds the rows as they are between two steps.
struct graph_plan {
    const struct graph *graph;
    bool is_upgrade;
    int count; // of steps
    int at;
    int *memory;    // of all lists
    int *nodes;     // in the order they run
    int *followers; // by node: applied revisions that follow or need it
    struct graph_nodes rows, remove, add;
};

/// One revision to run, with what becomes of the version rows; the lists live until the next step.
struct graph_step {
    int node;
    const struct graph_nodes *remove;
    const struct graph_nodes *add;
    const struct graph_nodes *rows; // afterwards
};

/// @param direction   GRAPH_UPGRADE or GRAPH_DOWNGRADE
/// @param[out] plan   valid only on true; the caller calls graph_plan_clear(). No steps: the state
///                    is what the target asks for
bool graph_plan_open(const struct graph_state *state, const char *target,
                     enum graph_direction direction, struct graph_plan *plan, struct fault *fault);

/// @return false when there are no more steps
bool graph_plan_next(struct graph_plan *plan, struct graph_step *step);
void graph_plan_clear(struct graph_plan *plan);

/// The rows after stamping: what an upgrade or downgrade to each target would leave. Refuses to
/// forget revisions of a branch that no target names.
/// @param state  NULL to set the rows to the targets alone, whatever they are now
bool graph_stamp_rows(const struct graph *graph, const struct graph_state *state,
                      struct graph_words targets, struct graph_nodes *out, struct fault *fault);
