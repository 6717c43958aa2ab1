// The order of a graph: parents first, and the order of the files between the rest.
#include "graph_private.h"

#include <stdlib.h>

// A heap of nodes: the first of the files is on top.
static void heap_push(int *heap, int *count, int node)
{
    int at = (*count)++;
    while (at > 0 && heap[(at - 1) / 2] > node) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = node;
}

static int heap_pop(int *heap, int *count)
{
    int top = heap[0];
    int last = heap[--*count];
    int at = 0;
    for (int child = 1; child < *count; child = 2 * at + 1) {
        if (child + 1 < *count && heap[child + 1] < heap[child]) {
            child++;
        }
        if (heap[child] >= last) {
            break;
        }
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return top;
}

// Of the revisions whose parents are all placed, the first of the files is placed next.
static bool nodes_place(struct graph *graph, int *waiting, int *heap, struct fault *fault)
{
    int ready = 0, placed = 0;
    for (int i = 0; i < graph->count; i++) {
        waiting[i] = graph_parents(graph, i, GRAPH_ALL).count;
        if (waiting[i] == 0) {
            heap_push(heap, &ready, i);
        }
    }
    while (ready > 0) {
        int node = heap_pop(heap, &ready);
        graph->order[placed] = node;
        graph->rank[node] = placed++;
        struct graph_slice children = graph_children(graph, node, GRAPH_ALL);
        for (int i = 0; i < children.count; i++) {
            if (--waiting[children.items[i]] == 0) {
                heap_push(heap, &ready, children.items[i]);
            }
        }
    }
    return placed == graph->count || graph_check_cycle(graph, waiting, fault);
}

bool graph_sort(struct graph *graph, struct fault *fault)
{
    int *memory = calloc(2 * (size_t)graph->count + 1, sizeof(int));
    if (!memory) {
        return graph_no_memory(fault);
    }
    bool ok = nodes_place(graph, memory, memory + graph->count, fault);
    free(memory);
    return ok;
}
