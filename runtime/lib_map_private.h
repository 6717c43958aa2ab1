#pragma once
// Shared by lib_map*.c.
#include "array_text.h"
#include "lib_map.h"

#include <signal.h>
#include <stdint.h>

// A slot is a column that some row has changed; a group is a set of slots, and becomes a statement.
enum { MAP_SLOTS_AT_MOST = 64, MAP_GROUPS_AT_MOST = 64, MAP_KEYS_AT_MOST = 32 };

// The Lua thread's stack: what every row needs stays there. Behind it, the names of the columns.
enum { AT_TRANSFORM = 1, AT_MAP, AT_CTX, AT_SLOTS };

struct map_group {
    uint64_t slots; // a bit each
    int slot_count;
    unsigned char slot[MAP_SLOTS_AT_MOST]; // in the order of the SQL
    char *sql;                             // owned
    int array_count;
    struct array_text *arrays; // keys, values, old values
    size_t *marks;             // their sizes before the row at hand
    const char **params;
    int64_t rows;
};

enum map_kill { MAP_KILL_NONE, MAP_KILL_ROW, MAP_KILL_ALL };

struct lib_map {
    lua_State *L;
    int key_count;
    int key_place[MAP_KEYS_AT_MOST];    // column of the result
    int first_column;                   // of those that the function sees
    bool key_plain[MAP_KEYS_AT_MOST];   // needs no quotes in an array
    bool slot_plain[MAP_SLOTS_AT_MOST]; // a string of Lua's is the text form of the column
    int slot_count;
    struct map_group groups[MAP_GROUPS_AT_MOST];
    int group_count, last_group;
    struct map_group *open; // the row at hand is in it, perhaps in part
    struct batch_write writes[MAP_GROUPS_AT_MOST];
    // rows put aside
    struct array_text keys, states, messages, first_key;
    int64_t rejected;
    char *first;
    enum fault_kind first_kind;
    // the batch at hand
    const struct result *rows;
    int first_row, row, row_count;
    size_t size;  // bytes of its arrays
    bool is_late; // the time was over
    bool is_compared;
    bool is_rejected;        // ctx.reject was called for this row
    struct array_text upper; // the key of the last row dealt with
    int64_t start_ms, end_ms, row_limit_ms;
    // the watch over the function
    volatile sig_atomic_t is_watched; // it is at work
    int watched_row;
    int64_t watched_ms;
    enum map_kill kill;
};

/// Adds the changes of the row at hand, the table on top of the stack, to their group. May raise:
/// map_row_undo() then takes back what was added.
void map_row_add(lua_State *L, struct lib_map *map);
void map_row_undo(struct lib_map *map);

/// The key of the row at hand as text[].
void map_key_add(const struct lib_map *map, struct array_text *array);

/// The statements of all groups that have rows; false without memory.
bool map_writes_make(struct lib_map *map, struct batch_output *out);
void map_groups_reset(struct lib_map *map);
void map_groups_clear(struct lib_map *map);
