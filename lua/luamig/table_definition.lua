--- The definition of a table as SQL: CREATE TABLE and the statements that belong to it. Pure.

local clause = require("luamig.clause")
local column_sql = require("luamig.column")
local constraint = require("luamig.constraint")
local partition = require("luamig.partition")
local quote = require("luamig.quote")
local value = require("luamig.value")

local table_definition = {}

local partition_of_fields = {
  table = { type = "name", required = true, doc = "the partitioned table" },
}
for name, field in pairs(partition.bound_fields) do
  partition_of_fields[name] = field
end

---Everything about a table that is neither column nor constraint.
table_definition.options = {
  comment = { type = "string", doc = "comment" },
  unlogged = { type = "boolean", doc = "not in the WAL: fast, and empty after a crash" },
  temporary = { type = "boolean", doc = "gone when the connection ends" },
  on_commit = {
    type = "enum{preserve rows,delete rows,drop}",
    doc = "what COMMIT does to a temporary table",
  },
  inherits = { type = "name|list<name>", doc = "tables whose columns it has too" },
  partition_by = {
    type = "fields",
    fields = partition.by_fields,
    class = "PartitionBy",
    doc = "how its rows are split: { range = { \"at\" } }, { list = … } or { hash = … }",
  },
  partition_of = {
    type = "fields",
    fields = partition_of_fields,
    class = "PartitionOf",
    doc = "make it a partition: { table = \"events\", from = …, to = … }",
  },
  with = { type = "map<string|number|boolean>", doc = "storage parameters: { fillfactor = 70 }" },
  tablespace = { type = "identifier", doc = "tablespace" },
  using = { type = "identifier", doc = "table access method" },
  renamed_from = { type = "name", doc = "its former name, in a declared schema" },
}

local function items_of(args, tag)
  local out = {}
  for _, item in ipairs(args.columns or {}) do
    if value.is(item, tag) then
      out[#out + 1] = item
    end
  end
  return out
end

local function key_columns(columns)
  local names = {}
  for _, column in ipairs(columns) do
    names[#names + 1] = column.primary_key and column.name or nil
  end
  return names
end

local function defect_of_columns(args)
  local seen = {}
  for _, column in ipairs(items_of(args, "column")) do
    if seen[column.name] then
      return ("column '%s' is there twice"):format(column.name)
    end
    seen[column.name] = true
  end
  return nil
end

local function defect_of_constraints(args)
  local has_key = key_columns(items_of(args, "column"))[1] ~= nil
  for _, spec in ipairs(items_of(args, "constraint")) do
    if spec.not_valid then
      return ("not_valid of the %s: a new table has no rows to pass over")
        :format((spec.kind:gsub("_", " ")))
    elseif spec.kind == "primary_key" and has_key then
      return "there are two primary keys"
    end
    has_key = has_key or spec.kind == "primary_key"
  end
  return nil
end

local function defect_of_partition(args)
  if not args.partition_of then
    return nil
  elseif items_of(args, "column")[1] then
    return "a partition has the columns of its table: leave them out (constraints may stay)"
  elseif args.inherits then
    return "partition_of and inherits exclude each other"
  end
  local defect = partition.bound_defect(args.partition_of)
  return defect and "partition_of: " .. defect
end

---What does not go together in a table, or nil.
---@param args table  columns and table_definition.options
---@return string|nil
function table_definition.defect(args)
  if args.temporary and args.unlogged then
    return "a temporary table is never in the WAL: leave unlogged out"
  elseif args.on_commit and not args.temporary then
    return "on_commit goes with temporary = true"
  end
  return args.partition_by and partition.by_defect(args.partition_by)
    or defect_of_partition(args)
    or defect_of_columns(args)
    or defect_of_constraints(args)
end

local function composite_key(names, table_name, context)
  return constraint.definition({ kind = "primary_key", columns = names }, table_name, context)
end

local element = {}

function element.column(column, args, context, is_composite)
  if is_composite and column.primary_key then
    column = clause.copy(column)
    column.primary_key = nil
  end
  return column_sql.definition(column, args.name, context)
end

function element.constraint(spec, args, context)
  return constraint.definition(spec, args.name, context)
end

function element.sql(text)
  return text.sql
end

-- One line each, in the order of the script; a primary key of several columns comes last.
local function elements(args, context)
  local keys = key_columns(items_of(args, "column"))
  local is_composite = keys[2] ~= nil
  local out = {}
  for _, item in ipairs(args.columns or {}) do
    out[#out + 1] = element[item.tag](item, args, context, is_composite)
  end
  if is_composite then
    out[#out + 1] = composite_key(keys, args.name, context)
  end
  return out
end

local function list_text(args, context)
  local list = elements(args, context)
  if not list[1] then
    return not args.partition_of and "()"
  end
  return "(\n  " .. table.concat(list, ",\n  ") .. "\n)"
end

local function names_text(names)
  names = type(names) == "table" and names or { names }
  local out = {}
  for i, name in ipairs(names) do
    out[i] = quote.name(name)
  end
  return table.concat(out, ", ")
end

local function create(args, context)
  local of = args.partition_of
  return clause.words(
    "CREATE", args.temporary and "TEMPORARY", args.unlogged and "UNLOGGED", "TABLE",
    args.if_not_exists and "IF NOT EXISTS", quote.name(args.name),
    of and "PARTITION OF " .. quote.name(of.table),
    list_text(args, context),
    of and partition.bound(of),
    args.inherits and "INHERITS (" .. names_text(args.inherits) .. ")",
    args.partition_by and partition.by(args.partition_by),
    args.using and "USING " .. quote.ident(args.using),
    args.with and "WITH (" .. clause.settings(args.with) .. ")",
    args.on_commit and "ON COMMIT " .. args.on_commit:upper(),
    args.tablespace and "TABLESPACE " .. quote.ident(args.tablespace))
end

-- Before PostgreSQL 16 the storage of a column was no part of its definition.
local function storage(args, context)
  local actions = {}
  for _, column in ipairs(items_of(args, "column")) do
    if column.storage and not clause.since(context, 16) then
      actions[#actions + 1] = column_sql.storage_action(column)
    end
  end
  if not actions[1] then
    return nil
  end
  return { sql = ("ALTER TABLE %s %s"):format(quote.name(args.name), table.concat(actions, ", ")) }
end

local function comments(args, context)
  local out = {}
  local name = quote.name(args.name)
  if args.comment then
    out[1] = clause.comment("TABLE " .. name, args.comment)
  end
  for _, column in ipairs(items_of(args, "column")) do
    if column.comment then
      out[#out + 1] = clause.comment(("COLUMN %s.%s"):format(name, quote.ident(column.name)),
        column.comment)
    end
  end
  for _, spec in ipairs(items_of(args, "constraint")) do
    out[#out + 1] = constraint.comment(spec, args.name, context)
  end
  return out
end

---CREATE TABLE, and what can only be said behind it.
---@param args table  name, columns, if_not_exists and table_definition.options
---@return table[]  statements
function table_definition.statements(args, context)
  local statements = { { sql = create(args, context) } }
  statements[2] = storage(args, context)
  local behind = comments(args, context)
  return table.move(behind, 1, #behind, #statements + 1, statements)
end

return table_definition
