--- Indexes: created, dropped, renamed, attached and rebuilt.

local clause = require("luamig.clause")
local index = require("luamig.index")
local quote = require("luamig.quote")
local rename = require("luamig.rename")

local function check_create(args)
  local schema, name
  if args.name then
    schema, name = quote.split_name(args.name)
  end
  if schema and schema ~= quote.split_name(args.table) then
    return ("an index lives in the schema of its table: write '%s'"):format(name)
  elseif args.concurrently and args.only then
    return "concurrently has no meaning with only: an index without its partitions takes no time"
  end
  return index.defect(args)
end

-- The name as DROP INDEX and COMMENT ON INDEX need it.
local function full_name(table_name, name)
  return clause.dotted(quote.split_name(table_name), name)
end

local function check_name(args, name)
  if name then
    return
  elseif args.concurrently then
    clause.refuse("concurrently needs a name, by which a half-made index is found again")
  elseif args.if_not_exists or args.comment then
    clause.refuse("%s needs a name for the index", args.comment and "comment" or "if_not_exists")
  end
end

local function render_create(args, context)
  local name = index.name(args, context)
  check_name(args, name)
  local statement = {
    sql = clause.words("CREATE", args.unique and "UNIQUE", "INDEX",
      args.concurrently and "CONCURRENTLY", args.if_not_exists and "IF NOT EXISTS",
      name and quote.ident(name), index.body(args, context)),
  }
  if args.concurrently then
    clause.concurrently(statement)
    statement.leftover = { index = name, table = quote.name(args.table) }
  end
  local statements = { statement }
  if args.comment then
    local full = quote.name(full_name(args.table, name))
    statements[2] = clause.comment("INDEX " .. full, args.comment)
  end
  return statements
end

local function definition_of(args)
  local definition = { table = args.table, columns = args.columns }
  for name in pairs(index.fields) do
    definition[name] = args[name]
  end
  return definition
end

local function inverse_create(args)
  if not args.name then
    return nil, ("the index has no name here: give one, op.create_index(\"…\", \"%s\", …)")
      :format(args.table)
  end
  local _, name = quote.split_name(args.name)
  return {
    op = "drop_index",
    args = {
      name = full_name(args.table, name),
      concurrently = args.concurrently,
      if_exists = args.if_not_exists,
      definition = definition_of(args),
    },
  }
end

local function render_drop(args)
  local statement = {
    sql = clause.words("DROP INDEX", args.concurrently and "CONCURRENTLY",
      args.if_exists and "IF EXISTS", quote.name(args.name), args.cascade and "CASCADE"),
  }
  return { args.concurrently and clause.concurrently(statement) or statement }
end

local function check_drop(args)
  if args.concurrently and args.cascade then
    return "PostgreSQL has no CASCADE for a concurrent drop"
  end
  return args.definition and index.defect(args.definition)
end

local function inverse_drop(args)
  if args.cascade then
    return nil, "what CASCADE drops along is not known"
  elseif not args.definition then
    return nil, ("what the index was is not known: write op.drop_index(\"%s\", "
      .. "{ definition = { table = …, columns = { … } } })"):format(args.name)
  end
  local back = definition_of(args.definition)
  back.name = clause.dotted(nil, select(2, quote.split_name(args.name)))
  back.concurrently, back.if_not_exists = args.concurrently, args.if_exists
  return { op = "create_index", args = back }
end

-- These go through all the tables of a schema or a database, each in a transaction of its own.
local many = { schema = true, database = true, system = true }

local function render_reindex(args)
  local statement = {
    sql = clause.words("REINDEX",
      args.tablespace and "(TABLESPACE " .. quote.ident(args.tablespace) .. ")",
      args.kind:upper(), args.concurrently and "CONCURRENTLY", quote.name(args.name)),
  }
  if args.concurrently or many[args.kind] then
    clause.concurrently(statement)
  end
  return { statement }
end

local function check_reindex(args)
  if many[args.kind] and #quote.parts(args.name) > 1 then
    return ("the name of a %s has one part"):format(args.kind)
  elseif args.kind == "system" and args.concurrently then
    return "PostgreSQL cannot rebuild the indexes of its catalogs concurrently"
  end
  return nil
end

local keys = {
  type = "list<identifier|sql|fields>",
  fields = index.ordered_key_fields,
  class = "IndexKey",
  doc = "names, op.sql for expressions, or { \"at\", order = \"desc\", nulls = \"last\" }",
}

local function parameter(field, name)
  field = clause.copy(field)
  field.name = name
  return field
end

local function with_fields(extra)
  local out = clause.copy(extra)
  for name, field in pairs(index.fields) do
    out[name] = field
  end
  return out
end

local function definition_fields()
  local columns = clause.copy(keys)
  columns.required = true
  return with_fields({
    table = { type = "name", required = true, doc = "its table" },
    columns = columns,
  })
end

local if_exists = { type = "boolean", doc = "pass over an index that does not exist" }
local index_name = { name = "name", type = "name", doc = "\"index\" or \"schema.index\"" }

return {
  {
    name = "create_index",
    family = "indexes",
    summary = "Creates an index.",
    doc = "Takes SHARE on the table: nobody writes until it is built. concurrently lets others "
      .. "write meanwhile; it runs outside a transaction and without lock_timeout, and an invalid "
      .. "index that an earlier try left under this name is dropped first. A partitioned table "
      .. "takes no CONCURRENTLY: create the index with only, build one on each partition "
      .. "concurrently, and attach them with op.attach_index.",
    raises = "server 42P07 when the name is taken, 42703 when there is no such column, 23505 when "
      .. "two rows have the same key",
    example = [[
op.create_index("users_email", "users", { op.sql("lower(email)") }, { unique = true })]],
    parameters = {
      {
        name = "name",
        type = "name",
        optional = true,
        doc = "its name; nil: the naming convention's, or PostgreSQL's own choice",
      },
      { name = "table", type = "name", doc = "\"table\" or \"schema.table\"" },
      parameter(keys, "columns"),
    },
    options = with_fields({
      concurrently = { type = "boolean", doc = "let others write to the table meanwhile" },
      if_not_exists = { type = "boolean", doc = "pass over a name that is taken" },
    }),
    check = check_create,
    render = render_create,
    inverse = inverse_create,
  },
  {
    name = "drop_index",
    family = "indexes",
    summary = "Drops an index.",
    doc = "Takes ACCESS EXCLUSIVE on the table for the catalogue change. concurrently waits for "
      .. "those who use the index instead; it runs outside a transaction and without lock_timeout. "
      .. "An index of a constraint goes with op.drop_constraint.",
    raises = "server 42704 when there is no such index, 2BP01 when a constraint needs it",
    example = [[op.drop_index("users_email", { concurrently = true })]],
    parameters = { index_name },
    options = {
      concurrently = { type = "boolean", doc = "block nobody" },
      if_exists = if_exists,
      cascade = { type = "boolean", doc = "drop what depends on it too" },
      definition = {
        type = "fields",
        fields = definition_fields(),
        doc = "what it was, { table = …, columns = { … } }, so that change() can go back",
      },
    },
    check = check_drop,
    render = render_drop,
    inverse = inverse_drop,
  },
  {
    name = "rename_index",
    family = "indexes",
    summary = "Renames an index; it stays in its schema.",
    doc = "Takes SHARE UPDATE EXCLUSIVE on the index: nobody waits. The constraint of an index is "
      .. "renamed with it.",
    raises = "server 42P01 when there is no such index, 42P07 when the new name is taken",
    example = [[op.rename_index("ix_users_mail", "ix_users_email")]],
    parameters = {
      { name = "name", type = "name", doc = "its name now" },
      { name = "new_name", type = "name", doc = "its name afterwards, without a schema" },
    },
    options = { if_exists = if_exists },
    check = rename.defect,
    render = function(args)
      return { rename.statement("INDEX", args) }
    end,
    inverse = function(args)
      return { op = "rename_index", args = rename.back(args) }
    end,
  },
  {
    name = "attach_index",
    family = "indexes",
    summary = "Makes the index of a partition part of the index of the partitioned table.",
    doc = "With an index made by op.create_index (only) and one on each partition, the last one "
      .. "attached makes the whole valid.",
    raises = "server 42P17 when the definitions differ, 55000 when it is no partition's index",
    example = [[op.attach_index("events_at", "events_2025_at")]],
    parameters = {
      { name = "index", type = "name", doc = "the index of the partitioned table" },
      { name = "partition_index", type = "name", doc = "the index of the partition" },
    },
    render = function(args)
      return {
        { sql = ("ALTER INDEX %s ATTACH PARTITION %s"):format(quote.name(args.index),
          quote.name(args.partition_index)) },
      }
    end,
    inverse = function(args)
      return nil, ("PostgreSQL cannot take an index off again: write downgrade() with "
        .. "op.drop_index(\"%s\")"):format(args.index)
    end,
  },
  {
    name = "reindex",
    family = "indexes",
    summary = "Builds an index, or all those of a table, a schema or a database, anew.",
    doc = "Nobody writes to the table until it is done. concurrently lets others write; it runs "
      .. "outside a transaction and without lock_timeout, as do schema, database and system. A "
      .. "concurrent one that was stopped leaves an invalid index with the ending _ccnew. Its "
      .. "inverse does the same again.",
    raises = "server 42P01 when there is no such index or table",
    example = [[op.reindex("table", "users", { concurrently = true })]],
    parameters = {
      {
        name = "kind",
        type = "enum{index,table,schema,database,system}",
        doc = "what the name is the name of",
      },
      { name = "name", type = "name", doc = "its name" },
    },
    options = {
      concurrently = { type = "boolean", doc = "let others write to the table meanwhile" },
      tablespace = { type = "identifier", doc = "move the indexes there" },
    },
    check = check_reindex,
    render = render_reindex,
    inverse = function(args)
      if args.tablespace then
        return nil, "which tablespace the indexes were in is not known: write downgrade()"
      end
      return { op = "reindex", args = args }
    end,
  },
}
