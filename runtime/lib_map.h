#pragma once
// The map function of a worker: rows of the server in, arrays of changed rows out. One Lua thread
// each; two must not run in one state at the same time (lib_batch.c sees to that).
#include "batch.h"

#include <lua.h>

struct lib_map;

/// Makes the mapper of a transform, the table that luamig.backfill.mapper builds:
///   map(row, ctx) -> changes | nil   name   is_key_plain (list)   is_compared
///   key_places (list of columns, from 0)   key_columns (so many come before the function's own)
///   column(name) -> is_plain, raises for an unknown one
///   text(value, name) -> text of a value that is no plain scalar
///   write(names, compares) -> SQL; parameters: keys, values in the order of names, old values
/// @param L  a Lua thread of its own, with the transform as the only thing on its stack
/// @param[out] mapper  valid only on true; the caller calls lib_map_free()
bool lib_map_new(lua_State *L, struct batch_mapper *mapper, struct fault *fault);
void lib_map_free(struct batch_mapper *mapper);
