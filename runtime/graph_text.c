// Pieces of messages: lists of revisions.
#include "graph_private.h"

#include <stdio.h>

enum {
    LIST_LIMIT = 8, // revisions named one by one
};

int graph_text_shown(int count)
{
    // "and 1 more" would take the place of the one.
    return count > LIST_LIMIT + 1 ? LIST_LIMIT : count;
}

void graph_text_more(FILE *out, const char *before, int count)
{
    if (count > graph_text_shown(count)) {
        fprintf(out, "%sand %d more", before, count - graph_text_shown(count));
    }
}

char *graph_text_ids(const struct graph *graph, const struct graph_nodes *nodes)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out) {
        return NULL;
    }
    for (int i = 0; i < graph_text_shown(nodes->count); i++) {
        fprintf(out, "%s%s", i == 0 ? "" : ", ", graph_id(graph, nodes->items[i]));
    }
    graph_text_more(out, " ", nodes->count);
    fclose(out);
    return text;
}

char *graph_text_file_names(const struct graph *graph, const struct graph_nodes *nodes)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out) {
        return NULL;
    }
    for (int i = 0; i < graph_text_shown(nodes->count); i++) {
        fprintf(out, "%s%s", i == 0 ? "" : ", ", graph->nodes[nodes->items[i]].file);
    }
    graph_text_more(out, " ", nodes->count);
    fclose(out);
    return text;
}

char *graph_text_files(const struct graph *graph, const struct graph_nodes *nodes)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out) {
        return NULL;
    }
    for (int i = 0; i < graph_text_shown(nodes->count); i++) {
        const struct graph_node *node = &graph->nodes[nodes->items[i]];
        fprintf(out, "%s%s  %s", i == 0 ? "" : "\n", node->id, node->file);
    }
    graph_text_more(out, "\n", nodes->count);
    fclose(out);
    return text;
}
