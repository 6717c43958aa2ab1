--- Renames that a declared schema speaks of with renamed_from: which of them are still to be done,
-- and what the database would be if they were. That is tried in a scratch database, made like the
-- one at hand, for only the server knows all the texts that a new name gets into.

local clause = require("luamig.clause")
local fault = require("luamig.fault")
local quote = require("luamig.quote")
local rehearsal = require("luamig.rehearsal")

local renames = {}

local function identity_of(schema, name)
  return ("table %s.%s"):format(quote.ident(schema), quote.ident(name))
end

-- The identity of a table that a script calls by its name, which may lack the schema.
local function find(value, name, plain_schema)
  local schema, plain = quote.split_name(name)
  if schema or plain_schema then
    local identity = identity_of(schema or plain_schema, plain)
    return value.objects[identity] and identity, schema or plain_schema, plain
  end
  for identity, object in pairs(value.objects) do
    if object.kind == "table" and object.name == plain then
      return identity, object.schema, plain
    end
  end
  return nil
end

local function has_column(object, name)
  for _, column in ipairs(object and object.columns or {}) do
    if column.name == name then
      return true
    end
  end
  return false
end

local function unseen_table(entry, a, b, plain_schema)
  local identity, schema, name = find(b, entry.table, plain_schema)
  local from_schema, from_name = quote.split_name(entry.from)
  local old = identity and identity_of(from_schema or schema, from_name)
  local is_unseen = identity and a.objects[old] and not b.objects[old] and not a.objects[identity]
  return is_unseen and { old = old, new = identity, schema = schema, from = from_name, to = name }
end

local function unseen_column(entry, a, b, plain_schema, renamed)
  local identity, schema, name = find(b, entry.table, plain_schema)
  local before = identity and a.objects[renamed[identity] or identity]
  local after = identity and b.objects[identity]
  local is_unseen = before and has_column(before, entry.from)
    and not has_column(before, entry.column) and not has_column(after, entry.from)
  return is_unseen and {
    new = identity, schema = schema, table = name, from = entry.from, to = entry.column,
  }
end

---The renames that the database has not seen yet: tables first, then columns.
---@param list table[]    of luamig.schema_file
---@param a table         snapshot of what is
---@param b table         snapshot of what shall be
---@param plain_schema? string
---@return table[]
function renames.unseen(list, a, b, plain_schema)
  local out, renamed = {}, {}
  for _, entry in ipairs(list) do
    local one = not entry.column and unseen_table(entry, a, b, plain_schema)
    if one then
      out[#out + 1] = one
      renamed[one.new] = one.old
    end
  end
  for _, entry in ipairs(list) do
    out[#out + 1] = entry.column and unseen_column(entry, a, b, plain_schema, renamed) or nil
  end
  return out
end

local function dotted(schema, name, plain_schema)
  return clause.dotted(schema ~= plain_schema and schema or nil, name)
end

---The records that rename, or rename back.
---@param list table[]       of renames.unseen
---@param is_back? boolean
---@return table[] changes   as those of luamig.diff
function renames.changes(list, plain_schema, is_back)
  local out = {}
  for _, one in ipairs(list) do
    local from, to = one.from, one.to
    if is_back then
      from, to = to, from
    end
    local record
    if one.old then
      record = {
        op = "rename_table",
        args = { name = dotted(one.schema, from, plain_schema), new_name = to },
      }
    else
      record = {
        op = "rename_column",
        args = {
          table = dotted(one.schema, one.table, plain_schema), column = from, new_name = to,
        },
      }
    end
    table.insert(out, is_back and 1 or #out + 1, { identity = one.new, records = { record } })
  end
  return out
end

local function refuse(why)
  fault.raise({
    kind = "operation",
    message = "renamed_from cannot be followed: a copy of the schema at hand would not be the same",
    detail = why,
    hint = "write the rename as a revision of its own, apply it, and take renamed_from away",
  })
end

local function take_words(from, to)
  to.owner, to.acl = from.owner, from.acl
  for i, column in ipairs(to.columns or {}) do
    if type(column) == "table" then
      column.acl = from.columns[i].acl
      if column.sequence then
        column.sequence.acl = from.columns[i].sequence.acl
      end
    end
  end
end

-- What the copy is not told, taken from the original under the new names.
local function complete(copy, a, list)
  local old_name = {}
  for _, one in ipairs(list) do
    old_name[one.new] = one.old
  end
  for identity, object in pairs(copy.objects) do
    local parent = object.parent and old_name[object.parent]
    local original = a.objects[old_name[identity] or identity]
    if not original and parent then
      local suffix = #object.parent - object.parent:find(" ")
      original = a.objects[identity:sub(1, -suffix - 1) .. parent:match(" (.*)$")]
    end
    if original then
      take_words(original, object)
    end
  end
  for identity, object in pairs(a.objects) do
    if object.kind == "default privileges" then
      copy.objects[identity] = object
    end
  end
  copy.unmodelled = a.unmodelled
end

---The snapshot as it would be with the renames done.
---@param place table   of luamig.scratch
---@param a table       snapshot of what is
---@param list table[]  of renames.unseen
---@param context table  of a rendering
---@return table snapshot
function renames.rehearse(place, a, list, context)
  if not list[1] then
    return a
  end
  local copy, why = rehearsal.copy(place, a, context)
  if not copy then
    refuse(why)
  end
  local close <close> = copy -- luacheck: no unused
  copy:run(renames.changes(list))
  local value = copy:read()
  complete(value, a, list)
  return value
end

return renames
