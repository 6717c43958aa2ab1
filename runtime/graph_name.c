// What revisions are called: the index of ids and labels, and finding what a user meant.
#include "graph_private.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    WORD_LIMIT = 64,      // longer words are not compared for likeness
    SUGGESTION_LIMIT = 3, // names offered for a mistyped one
};

// ---- index: open addressing, FNV-1a ----

static struct graph_slot *slot_of(const struct graph *graph, const char *word)
{
    uint64_t hash = 14695981039346656037u;
    for (const char *at = word; *at; at++) {
        hash = (hash ^ (unsigned char)*at) * 1099511628211u;
    }
    size_t mask = graph->slot_count - 1;
    size_t at = (size_t)(hash ^ (hash >> 32)) & mask;
    while (graph->slots[at].word && strcmp(graph->slots[at].word, word) != 0) {
        at = (at + 1) & mask;
    }
    return &graph->slots[at];
}

bool graph_name_add(struct graph *graph, const char *word, int node, bool is_label,
                    const struct graph_slot **taken)
{
    struct graph_slot *slot = slot_of(graph, word);
    if (slot->word) {
        *taken = slot;
        return false;
    }
    *slot = (struct graph_slot){word, node, is_label};
    return true;
}

const struct graph_slot *graph_name_find(const struct graph *graph, const char *word)
{
    const struct graph_slot *slot = slot_of(graph, word);
    return slot->word ? slot : NULL;
}

// ---- likeness ----

static int least(int a, int b)
{
    return a < b ? a : b;
}

// Edits that turn one word into the other: insert, delete, replace, swap of two neighbours.
static int distance(const char *a, int a_size, const char *b, int b_size)
{
    int rows[3][WORD_LIMIT + 1];
    for (int j = 0; j <= b_size; j++) {
        rows[0][j] = j;
    }
    for (int i = 1; i <= a_size; i++) {
        int *this = rows[i % 3];
        const int *last = rows[(i - 1) % 3];
        const int *before = rows[(i + 1) % 3];
        this[0] = i;
        for (int j = 1; j <= b_size; j++) {
            int x = tolower((unsigned char)a[i - 1]);
            int y = tolower((unsigned char)b[j - 1]);
            this[j] = least(least(last[j], this[j - 1]) + 1, last[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
                y == tolower((unsigned char)a[i - 2])) {
                this[j] = least(this[j], before[j - 2] + 1);
            }
        }
    }
    return rows[a_size % 3][b_size];
}

struct suggestion {
    const char *word;
    int edits;
};

static void suggestion_take(struct suggestion *list, int *count, const char *word, int edits)
{
    int at = *count < SUGGESTION_LIMIT ? (*count)++ : SUGGESTION_LIMIT - 1;
    if (list[at].word && list[at].edits <= edits) {
        return;
    }
    for (; at > 0 && list[at - 1].edits > edits; at--) {
        list[at] = list[at - 1];
    }
    list[at] = (struct suggestion){word, edits};
}

// Whether two words are the same number: "3" and "003".
static bool is_same_number(const char *a, const char *b)
{
    a += strspn(a, "0");
    b += strspn(b, "0");
    return strcmp(a, b) == 0 && a[strspn(a, "0123456789")] == '\0';
}

static void suggestion_try(struct suggestion *list, int *count, const char *word, const char *known)
{
    int size = (int)strlen(word);
    size_t known_size = strlen(known);
    int limit = size < 6 ? 1 : size / 3;
    if (is_same_number(word, known)) {
        suggestion_take(list, count, known, 0);
        return;
    }
    if (known_size > WORD_LIMIT || abs((int)known_size - size) > limit) {
        return;
    }
    int edits = distance(word, size, known, (int)known_size);
    if (edits <= limit && edits < size) {
        suggestion_take(list, count, known, edits);
    }
}

// People type the name of a file, which begins with the id as a rule.
static bool file_suggest(const struct graph *graph, const char *word, struct fault *fault)
{
    size_t size = strlen(word);
    for (int i = 0; i < graph->count; i++) {
        const char *slash = strrchr(graph->nodes[i].file, '/');
        const char *name = slash ? slash + 1 : graph->nodes[i].file;
        bool is_name = strncmp(name, word, size) == 0 &&
                       (name[size] == '\0' || strcmp(name + size, ".lua") == 0);
        if (is_name || strcmp(graph->nodes[i].file, word) == 0) {
            fault_text(&fault->hint, "that is a file; its revision is '%s'", graph_id(graph, i));
            return true;
        }
    }
    return false;
}

void graph_name_suggest(const struct graph *graph, const char *word, struct fault *fault)
{
    if (*word == '\0' || file_suggest(graph, word, fault) || strlen(word) > WORD_LIMIT) {
        return;
    }
    struct suggestion list[SUGGESTION_LIMIT] = {{NULL, 0}};
    int count = 0;
    for (int i = 0; i < graph->count; i++) {
        suggestion_try(list, &count, word, graph_id(graph, i));
    }
    for (int i = 0; i < graph->label_count; i++) {
        suggestion_try(list, &count, word, graph->labels[i].name);
    }
    if (count == 3) {
        fault_text(&fault->hint, "did you mean '%s', '%s' or '%s'?", list[0].word, list[1].word,
                   list[2].word);
    } else if (count == 2) {
        fault_text(&fault->hint, "did you mean '%s' or '%s'?", list[0].word, list[1].word);
    } else if (count == 1) {
        fault_text(&fault->hint, "did you mean '%s'?", list[0].word);
    }
}

// ---- finding ----

static bool begins_with(const char *word, const char *beginning)
{
    return strncmp(word, beginning, strlen(beginning)) == 0;
}

// The revisions that have an id or a label with this beginning.
static bool beginnings_find(const struct graph *graph, const char *word, const bool *within,
                            struct graph_nodes *found, struct fault *fault)
{
    bool *marks = graph_marks(graph, 1, fault);
    if (!marks) {
        return false;
    }
    for (int i = 0; i < graph->count; i++) {
        marks[i] = (!within || within[i]) && begins_with(graph_id(graph, i), word);
    }
    for (int i = 0; i < graph->label_count; i++) {
        const struct graph_label *label = &graph->labels[i];
        marks[label->node] |= (!within || within[label->node]) && begins_with(label->name, word);
    }
    bool ok = graph_nodes_marked(graph, marks, found, fault);
    free(marks);
    return ok;
}

// A mistyped "head", or one in capitals.
static void symbol_suggest(const char *word, struct fault *fault)
{
    static const char *const symbols[] = {"head", "heads", "base", "current"};
    struct suggestion list[SUGGESTION_LIMIT] = {{NULL, 0}};
    int count = 0;
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        if (strcasecmp(word, symbols[i]) == 0) {
            suggestion_take(list, &count, symbols[i], 0);
        } else {
            suggestion_try(list, &count, word, symbols[i]);
        }
    }
    if (count > 0) {
        fault_text(&fault->hint, "did you mean '%s'?", list[0].word);
    }
}

static bool unknown_fault(const struct graph *graph, const char *word, const char *branch,
                          struct fault *fault)
{
    if (branch) {
        fault_set(fault, FAULT_GRAPH,
                  "Can't locate revision identified by '%s@%s': "
                  "no revision of branch '%s' has this id or begins so",
                  branch, word, branch);
    } else {
        fault_set(fault, FAULT_GRAPH, "Can't locate revision identified by '%s'", word);
    }
    if (graph->count == 0) {
        fault_text(&fault->hint, "the project has no revisions yet");
    }
    graph_name_suggest(graph, word, fault);
    if (!fault->hint && strlen(word) <= WORD_LIMIT) {
        symbol_suggest(word, fault);
    }
    fault_text(&fault->attempt, "luamig history");
    return false;
}

static bool ambiguous_fault(const struct graph *graph, const char *word, const char *branch,
                            const struct graph_nodes *found, struct fault *fault)
{
    char *files = graph_text_files(graph, found);
    fault_set(fault, FAULT_GRAPH,
              "Can't locate revision identified by '%s%s%s': %d revisions begin so",
              branch ? branch : "", branch ? "@" : "", word, found->count);
    fault_text(&fault->detail, "%s", files ? files : "");
    fault_text(&fault->hint, "write more of the id");
    free(files);
    return false;
}

bool graph_name_resolve(const struct graph *graph, const char *word, const bool *within,
                        const char *branch, int *node, struct fault *fault)
{
    const struct graph_slot *slot = graph_name_find(graph, word);
    if (slot && within && !within[slot->node]) {
        fault_set(fault, FAULT_GRAPH,
                  "Can't locate revision identified by '%s@%s': "
                  "revision %s is not a member of branch '%s'",
                  branch, word, graph_id(graph, slot->node), branch);
        fault_text(&fault->attempt, "luamig history");
        return false;
    }
    if (slot) {
        *node = slot->node;
        return true;
    }
    struct graph_nodes found;
    if (!beginnings_find(graph, word, within, &found, fault)) {
        return false;
    }
    bool ok = found.count == 1 && *word;
    if (ok) {
        *node = found.items[0];
    } else if (found.count == 0 || !*word) {
        unknown_fault(graph, word, branch, fault);
    } else {
        ambiguous_fault(graph, word, branch, &found, fault);
    }
    graph_nodes_clear(&found);
    return ok;
}
