--- Tables: created, dropped, renamed, commented, set up, and put together from partitions.

local clause = require("luamig.clause")
local partition = require("luamig.partition")
local quote = require("luamig.quote")
local rename = require("luamig.rename")
local table_definition = require("luamig.table_definition")

local function with_options(extra, options)
  local out = clause.copy(options)
  for name, option in pairs(extra) do
    out[name] = option
  end
  return out
end

-- What drop_table may know of the table, so that change() can bring it back.
local function definition_of(args)
  local definition = {}
  for name in pairs(table_definition.options) do
    definition[name] = args[name]
  end
  definition.columns = args.columns
  return definition
end

local function is_defined(args)
  return (args.columns and args.columns[1]) or args.partition_of or args.inherits
end

local function inverse_create(args)
  local back = definition_of(args)
  back.name, back.if_exists = args.name, args.if_not_exists
  return { op = "drop_table", args = back }
end

local function inverse_drop(args)
  if args.cascade then
    return nil, "what CASCADE drops along is not known"
  elseif not is_defined(args) then
    return nil, ("the definition of the table is not known: write op.drop_table(\"%s\", "
      .. "{ op.column(…), … }), as op.create_table has it"):format(args.name)
  end
  local back = definition_of(args)
  back.name, back.if_not_exists = args.name, args.if_exists
  return { op = "create_table", args = back }
end

local function render_drop(args)
  return {
    { sql = clause.words("DROP TABLE", args.if_exists and "IF EXISTS", quote.name(args.name),
      args.cascade and "CASCADE") },
  }
end

local function inverse_comment(args)
  if args.from == nil then
    return nil, "what the comment was is not known: give it as from = \"…\", or from = op.none"
  end
  return {
    op = "set_table_comment",
    args = { name = args.name, comment = args.from, from = args.comment },
  }
end

local function render_attach(args)
  return {
    { sql = clause.words("ALTER TABLE", quote.name(args.table), "ATTACH PARTITION",
      quote.name(args.partition), partition.bound(args)) },
  }
end

local function render_detach(args)
  local statement = {
    sql = clause.words("ALTER TABLE", quote.name(args.table), "DETACH PARTITION",
      quote.name(args.partition), args.concurrently and "CONCURRENTLY",
      args.finalize and "FINALIZE"),
  }
  return { args.concurrently and clause.concurrently(statement) or statement }
end

local function check_detach(args)
  if args.concurrently and args.finalize then
    return "concurrently and finalize exclude each other"
  end
  return partition.bound_of(args) and partition.bound_defect(args)
end

local function partition_args(args)
  local out = partition.bound_of(args) or {}
  out.table, out.partition = args.table, args.partition
  return out
end

local function inverse_detach(args)
  if not partition.bound_of(args) then
    return nil, ("what the partition held is not known: write op.detach_partition(\"%s\", \"%s\", "
      .. "{ from = …, to = … }), or values, or modulus and remainder, or default")
      :format(args.table, args.partition)
  end
  return { op = "attach_partition", args = partition_args(args) }
end

local function items(doc, is_optional)
  return {
    name = "columns",
    type = "list<column|constraint|sql>",
    optional = is_optional,
    doc = doc,
  }
end

local if_exists = { type = "boolean", doc = "pass over a table that does not exist" }
local table_name = { name = "name", type = "name", doc = "\"table\" or \"schema.table\"" }
local parent = { name = "table", type = "name", doc = "the partitioned table" }

return {
  {
    name = "create_table",
    family = "tables",
    summary = "Creates a table.",
    doc = "Columns, constraints and options stand in one table; op.sql in it takes what has no "
      .. "operation, such as \"LIKE other INCLUDING ALL\". primary_key on several columns makes "
      .. "one key of them all. Comments of columns become statements of their own. A foreign key "
      .. "locks the table it refers to (SHARE ROW EXCLUSIVE); else nobody waits.",
    raises = "server 42P07 when the table exists, 3F000 when its schema does not",
    example = [[
op.create_table("files", {
  op.column("id", "uuid", { primary_key = true, default = op.sql("gen_random_uuid()") }),
  op.column("user_id", "uuid", { nullable = false }),
  op.column("size", "bigint", { nullable = false, comment = "bytes" }),
  op.foreign_key({ "user_id" }, "users", { "id" }, { on_delete = "cascade" }),
  op.check("size >= 0"),
  comment = "What users sent us",
})]],
    parameters = {
      table_name,
      items("op.column, op.primary_key, op.unique, op.check, op.foreign_key, op.exclude …"),
    },
    options = with_options({
      if_not_exists = { type = "boolean", doc = "pass over a table that exists already" },
    }, table_definition.options),
    options_in = "columns",
    check = table_definition.defect,
    render = table_definition.statements,
    inverse = inverse_create,
  },
  {
    name = "drop_table",
    family = "tables",
    summary = "Drops a table and what it holds.",
    doc = "With the table that create_table takes, change() can bring the table back, but not its "
      .. "rows, nor the indexes that were made by themselves.",
    raises = "server 42P01 when there is no such table, 2BP01 when something depends on it",
    example = [[op.drop_table("files", { if_exists = true })]],
    parameters = {
      table_name,
      items("what the table was, for change(); options stand here too", true),
    },
    options = with_options({
      if_exists = if_exists,
      cascade = { type = "boolean", doc = "drop what depends on it too" },
    }, table_definition.options),
    options_in = "columns",
    check = table_definition.defect,
    render = render_drop,
    inverse = inverse_drop,
  },
  {
    name = "rename_table",
    family = "tables",
    summary = "Renames a table; it stays in its schema.",
    doc = "Running applications that know the old name fail at once. Indexes, sequences and "
      .. "constraints keep their names.",
    raises = "server 42P01 when there is no such table, 42P07 when the new name is taken",
    example = [[op.rename_table("people", "users")]],
    parameters = {
      { name = "name", type = "name", doc = "its name now" },
      { name = "new_name", type = "name", doc = "its name afterwards, without a schema" },
    },
    options = { if_exists = if_exists },
    check = rename.defect,
    render = function(args)
      return { rename.statement("TABLE", args) }
    end,
    inverse = function(args)
      return { op = "rename_table", args = rename.back(args) }
    end,
  },
  {
    name = "set_table_comment",
    family = "tables",
    summary = "Sets or takes away the comment of a table.",
    raises = "server 42P01 when there is no such table",
    example = [[op.set_table_comment("users", "People who sign in")]],
    parameters = {
      table_name,
      { name = "comment", type = "string|none", doc = "the text; op.none takes it away" },
    },
    options = {
      from = { type = "string|none", doc = "what it was, so that change() can go back" },
    },
    render = function(args)
      return { clause.comment("TABLE " .. quote.name(args.name), args.comment) }
    end,
    inverse = inverse_comment,
  },
  {
    name = "attach_partition",
    family = "tables",
    summary = "Makes a table a partition of another one.",
    doc = "Takes SHARE UPDATE EXCLUSIVE on the partitioned table and ACCESS EXCLUSIVE on the one "
      .. "attached, which is read whole to see that its rows belong there, unless a valid check "
      .. "constraint says so. The default partition is locked and read as well.",
    raises = "server 23514 when a row does not belong there, 42P17 when partitions would overlap, "
      .. "42804 when columns differ",
    example = [[
op.attach_partition("events", "events_2025", { from = "2025-01-01", to = "2026-01-01" })]],
    parameters = {
      parent,
      { name = "partition", type = "name", doc = "the table that becomes a partition" },
    },
    options = clause.copy(partition.bound_fields),
    check = partition.bound_defect,
    render = render_attach,
    inverse = function(args)
      return { op = "detach_partition", args = partition_args(args) }
    end,
  },
  {
    name = "detach_partition",
    family = "tables",
    summary = "Makes a partition a table of its own.",
    doc = "Takes ACCESS EXCLUSIVE on both. concurrently takes SHARE UPDATE EXCLUSIVE on the "
      .. "partitioned table instead; it runs outside a transaction and without lock_timeout, and "
      .. "not while there is a default partition. Stopped half-way, the partition hangs in "
      .. "between: finalize ends that. What the partition held may be given for change().",
    raises = "server 42P01 when it is no partition of the table, 55000 when another detach hangs",
    example = [[op.detach_partition("events", "events_2024", { concurrently = true })]],
    parameters = {
      parent,
      { name = "partition", type = "name", doc = "the partition" },
    },
    options = with_options({
      concurrently = { type = "boolean", doc = "let others read and write the table meanwhile" },
      finalize = { type = "boolean", doc = "finish a concurrent detach that was stopped" },
    }, partition.bound_fields),
    check = check_detach,
    render = render_detach,
    inverse = inverse_detach,
  },
}
