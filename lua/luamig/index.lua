--- The definition of an index as SQL: its keys, and CREATE INDEX. Pure.

local clause = require("luamig.clause")
local naming = require("luamig.naming")
local quote = require("luamig.quote")
local value = require("luamig.value")

local index = {}

local key_target = {
  type = "identifier|sql",
  required = true,
  doc = "a column, or op.sql with an expression",
}

---A key with more to say than its name: `{ "email", collation = "C" }`. Class luamig.Key.
index.key_fields = {
  key_target,
  opclass = { type = "name|sql", doc = "operator class; op.sql when it has parameters" },
  collation = { type = "name", doc = "collation" },
}

---The same, where it has an order: `{ "at", order = "desc" }`. Class luamig.IndexKey.
index.ordered_key_fields = {
  key_target,
  opclass = index.key_fields.opclass,
  collation = index.key_fields.collation,
  order = { type = "enum{asc,desc}", doc = "order of the key" },
  nulls = { type = "enum{first,last}", doc = "where NULLs go" },
}

---What an index is, beside its table and its keys.
index.fields = {
  unique = { type = "boolean", doc = "no two rows with the same key" },
  using = { type = "identifier", doc = "access method: btree (default), gin, gist, brin, hash …" },
  where = { type = "sql_or_string", doc = "condition of the rows in it: a partial index" },
  include = { type = "list<identifier>", doc = "columns carried along, for index-only scans" },
  with = { type = "map<string|number|boolean>", doc = "storage parameters: { fillfactor = 70 }" },
  opclass = {
    type = "name|sql|map<name|sql>",
    doc = "operator class of every key, or { column = class }",
  },
  tablespace = { type = "identifier", doc = "tablespace" },
  nulls_not_distinct = { type = "boolean", doc = "unique: two NULLs are the same (PostgreSQL 15)" },
  only = { type = "boolean", doc = "on a partitioned table: not on its partitions (attach_index)" },
  comment = { type = "string", doc = "comment" },
}

---The names and op.sql of a list of keys, for a naming convention.
---@param keys table
---@return table
function index.targets(keys)
  local targets = {}
  for i, key in ipairs(keys) do
    targets[i] = type(key) == "table" and not value.is(key) and key[1] or key
  end
  return targets
end

local function class_text(class)
  return type(class) == "string" and quote.name(class) or class.sql
end

---One key of an index, of an exclusion constraint or of a partitioned table.
---@param key string|table  a name, op.sql, or { name or op.sql, opclass=, collation=, order=, … }
---@param class? string|table  the operator class when the key has none of its own
---@return string
function index.key(key, class)
  if type(key) == "string" or value.is(key, "sql") then
    key = { key }
  end
  class = key.opclass or class
  return clause.words(clause.columns({ key[1] }),
    key.collation and "COLLATE " .. quote.name(key.collation),
    class and class_text(class),
    key.order and key.order:upper(),
    key.nulls and "NULLS " .. key.nulls:upper())
end

---Keys with commas between them.
---@param keys table
---@param classes? string|table  one operator class for all, or by column
---@return string
function index.keys(keys, classes)
  local is_map = type(classes) == "table" and not value.is(classes)
  local out = {}
  for i, target in ipairs(index.targets(keys)) do
    local class = classes
    if is_map then
      class = type(target) == "string" and classes[target] or nil
    end
    out[i] = index.key(keys[i], class)
  end
  return table.concat(out, ", ")
end

---What does not go together in an index, or nil.
---@param spec table  columns and index.fields
---@return string|nil
function index.defect(spec)
  if not spec.columns[1] then
    return "the list of columns is empty"
  elseif spec.nulls_not_distinct and not spec.unique then
    return "nulls_not_distinct goes with unique = true"
  elseif type(spec.opclass) == "table" and not value.is(spec.opclass) then
    local known = {}
    for _, target in ipairs(index.targets(spec.columns)) do
      known[target] = true
    end
    for column in pairs(spec.opclass) do
      if not known[column] then
        return ("opclass.%s: the index has no such column"):format(column)
      end
    end
  end
  return nil
end

---The name that the script gave, without a schema, else the one of the naming convention, else nil.
---@return string|nil
function index.name(spec, context)
  if spec.name then
    return select(2, quote.split_name(spec.name))
  end
  return naming.name(context, "ix", {
    table = spec.table,
    columns = index.targets(spec.columns),
    expression = spec.where and clause.sql(spec.where),
  })
end

---CREATE INDEX, from behind its name.
---@param spec table  table, columns and index.fields
---@return string
function index.body(spec, context)
  if spec.nulls_not_distinct then
    clause.need(context, 15, "nulls_not_distinct")
  end
  return clause.words(
    "ON", spec.only and "ONLY", quote.name(spec.table),
    spec.using and "USING " .. quote.ident(spec.using),
    "(" .. index.keys(spec.columns, spec.opclass) .. ")",
    spec.include and "INCLUDE (" .. quote.idents(spec.include) .. ")",
    spec.nulls_not_distinct and "NULLS NOT DISTINCT",
    spec.with and "WITH (" .. clause.settings(spec.with) .. ")",
    spec.tablespace and "TABLESPACE " .. quote.ident(spec.tablespace),
    spec.where and "WHERE " .. clause.sql(spec.where))
end

return index
