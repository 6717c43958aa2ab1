// The revision graph when memory runs out: every allocation of every call fails once, and each time
// the call says so, or has done its work, and nothing is lost.
#include "graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if !defined(__SANITIZE_ADDRESS__)
#define CAN_FAIL 1
#else
#define CAN_FAIL 0 // the sanitizer has an allocator of its own; it looks for what is lost
#endif

static long countdown; // allocations until one fails; 0: none does

#if CAN_FAIL
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *memory, size_t size);

static bool fails(void)
{
    return countdown > 0 && --countdown == 0;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return fails() ? NULL : __libc_realloc(memory, size);
}
#endif

#define WORDS(...)                                                                                 \
    {                                                                                              \
        (const char *const[]){__VA_ARGS__}, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *) \
    }

static const struct graph_source sound[] = {
    {.id = "t", .file = "v/t.lua"},
    {.id = "a1", .file = "v/a1.lua", .down = WORDS("t"), .labels = WORDS("shop")},
    {.id = "b1", .file = "v/b1.lua", .down = WORDS("t")},
    {.id = "b2", .file = "v/b2.lua", .down = WORDS("b1"), .needs = WORDS("shop")},
    {.id = "c1", .file = "v/c1.lua", .down = WORDS("t")},
};

static const struct graph_source unsound[] = {
    {.id = "a", .file = "v/a.lua", .down = WORDS("c")},
    {.id = "b", .file = "v/b.lua", .down = WORDS("a")},
    {.id = "c", .file = "v/c.lua", .down = WORDS("b")},
};

static const struct graph_source missing[] = {
    {.id = "abc", .file = "v/a.lua"},
    {.id = "b", .file = "v/b.lua", .down = WORDS("abd")},
};

static struct graph *graph; // of `sound`

static bool build(const struct graph_source *sources, int count, struct fault *fault)
{
    struct graph *built;
    if (!graph_build(sources, count, &built, fault)) {
        return false;
    }
    graph_free(built);
    return true;
}

static bool build_sound(struct fault *fault)
{
    return build(sound, 5, fault);
}

static bool build_unsound(struct fault *fault)
{
    return build(unsound, 3, fault);
}

static bool build_missing(struct fault *fault)
{
    return build(missing, 2, fault);
}

static bool resolve(const char *target, struct fault *fault)
{
    struct graph_target found;
    if (!graph_target_resolve(graph, target, NULL, GRAPH_READ, &found, fault)) {
        return false;
    }
    graph_target_clear(&found);
    return true;
}

static bool resolve_branch(struct fault *fault)
{
    return resolve("shop@head", fault);
}

static bool resolve_relative(struct fault *fault)
{
    return resolve("b2-2", fault);
}

static bool resolve_several(struct fault *fault)
{
    return resolve("head", fault);
}

static bool resolve_ambiguous(struct fault *fault)
{
    return resolve("b", fault);
}

static bool resolve_fork(struct fault *fault)
{
    return resolve("t+1", fault);
}

static bool range(struct fault *fault)
{
    struct graph_nodes nodes;
    bool ok = graph_range_select(graph, "t:b2", NULL, &nodes, fault);
    if (ok) {
        graph_nodes_clear(&nodes);
    }
    return ok;
}

static bool range_counted(struct fault *fault)
{
    struct graph_nodes nodes;
    bool ok = graph_range_select(graph, "-1:b2", NULL, &nodes, fault);
    if (ok) {
        graph_nodes_clear(&nodes);
    }
    return ok;
}

static bool plan(const char *row, const char *target, enum graph_direction direction,
                 struct fault *fault)
{
    struct graph_state state;
    struct graph_plan steps;
    struct graph_words rows = {&row, 1};
    if (!graph_state_open(graph, rows, &state, fault)) {
        return false;
    }
    bool ok = graph_plan_open(&state, target, direction, &steps, fault);
    if (ok) {
        struct graph_step step;
        while (graph_plan_next(&steps, &step)) {
        }
        graph_plan_clear(&steps);
    }
    graph_state_clear(&state);
    return ok;
}

static bool upgrade(struct fault *fault)
{
    return plan("t", "heads", GRAPH_UPGRADE, fault);
}

static bool downgrade(struct fault *fault)
{
    return plan("b2", "shop@base", GRAPH_DOWNGRADE, fault);
}

static bool downgrade_above(struct fault *fault)
{
    return plan("t", "b2", GRAPH_DOWNGRADE, fault);
}

static bool rows_unknown(struct fault *fault)
{
    return plan("zap", "heads", GRAPH_UPGRADE, fault);
}

static bool stamp(const char *row, const char *target, struct fault *fault)
{
    struct graph_state state;
    struct graph_nodes nodes;
    struct graph_words rows = {&row, 1}, targets = {&target, 1};
    if (!graph_state_open(graph, rows, &state, fault)) {
        return false;
    }
    bool ok = graph_stamp_rows(graph, &state, targets, &nodes, fault);
    if (ok) {
        graph_nodes_clear(&nodes);
    }
    graph_state_clear(&state);
    return ok;
}

static bool stamp_down(struct fault *fault)
{
    return stamp("b2", "b1", fault);
}

static bool labels(struct fault *fault)
{
    struct graph_nodes nodes;
    bool ok = graph_label_members(graph, 0, &nodes, fault);
    if (ok) {
        graph_nodes_clear(&nodes);
    }
    return ok;
}

static const struct {
    const char *name;
    bool (*run)(struct fault *fault);
    enum fault_kind expected; // when nothing fails
} calls[] = {
    {"build", build_sound, FAULT_NONE},
    {"build a cycle", build_unsound, FAULT_GRAPH},
    {"build without a parent", build_missing, FAULT_GRAPH},
    {"resolve a branch", resolve_branch, FAULT_NONE},
    {"resolve a walk", resolve_relative, FAULT_NONE},
    {"resolve several heads", resolve_several, FAULT_GRAPH},
    {"resolve a beginning of two", resolve_ambiguous, FAULT_GRAPH},
    {"resolve past a fork", resolve_fork, FAULT_GRAPH},
    {"range", range, FAULT_NONE},
    {"range from its end", range_counted, FAULT_NONE},
    {"upgrade", upgrade, FAULT_NONE},
    {"downgrade", downgrade, FAULT_NONE},
    {"downgrade upwards", downgrade_above, FAULT_GRAPH},
    {"rows unknown", rows_unknown, FAULT_GRAPH},
    {"stamp", stamp_down, FAULT_NONE},
    {"labels", labels, FAULT_NONE},
};

static int complain(const char *name, long step, const char *what)
{
    printf("%s, allocation %ld: %s\n", name, step, what);
    return 1;
}

// Runs a call with its n-th allocation failing, for each n until none fails any more.
static int call_try(size_t which)
{
    for (long step = CAN_FAIL;; step++) {
        struct fault fault;
        fault_init(&fault);
        countdown = step;
        bool ok = calls[which].run(&fault);
        bool is_over = countdown > 0 || step == 0;
        countdown = 0;
        enum fault_kind kind = fault.kind;
        fault_clear(&fault);
        if (ok != (kind == FAULT_NONE)) {
            return complain(calls[which].name, step, "the result and the fault do not agree");
        }
        // A text of a fault that could not be made is left out, and the fault stays what it is.
        if (kind != calls[which].expected && (is_over || kind != FAULT_MEMORY)) {
            return complain(calls[which].name, step, fault_kind_name(kind));
        }
        if (is_over) {
            return 0;
        }
    }
}

int main(void)
{
    struct fault fault;
    fault_init(&fault);
    if (!graph_build(sound, 5, &graph, &fault)) {
        printf("%s\n", fault.message);
        return 1;
    }
    int failures = 0;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        failures += call_try(i);
    }
    graph_free(graph);
    printf("%zu calls, %d failures\n", sizeof calls / sizeof calls[0], failures);
    return failures > 0;
}
