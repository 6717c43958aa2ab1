--- Tables spread over the nodes of a Citus cluster. The functions are Citus's own, in pg_catalog.

local quote = require("luamig.quote")
local undo = require("luamig.undo")

local table_parameter = { name = "table", type = "name", doc = "\"table\" or \"schema.table\"" }

-- A table as a constant of type regclass.
local function regclass(name)
  return quote.string(quote.name(name)) .. "::pg_catalog.regclass"
end

local function call(name, arguments)
  return { sql = ("SELECT pg_catalog.%s(%s)"):format(name, table.concat(arguments, ", ")) }
end

-- "none" and "default" are words of the function, and no tables.
local function colocate_with(name)
  return quote.string((name == "none" or name == "default") and name or quote.name(name))
end

local function render_distribute(args)
  local arguments = { regclass(args.table), quote.string(args.column) }
  if args.colocate_with then
    arguments[#arguments + 1] = "colocate_with => " .. colocate_with(args.colocate_with)
  end
  if args.shard_count then
    arguments[#arguments + 1] = ("shard_count => %d"):format(args.shard_count)
  end
  if not args.concurrently then
    return { call("create_distributed_table", arguments) }
  end
  local statement = call("create_distributed_table_concurrently", arguments)
  statement.transactional = false
  statement.lock_timeout = false -- it waits for writers as CREATE INDEX CONCURRENTLY does
  return { statement }
end

local definition = {
  column = { type = "identifier", doc = "the distribution column, of a distributed table" },
  colocate_with = {
    type = "name",
    doc = "a table whose rows of the same key are kept on the same node; \"none\": no table",
  },
  shard_count = { type = "integer", doc = "number of shards; citus.shard_count when left out" },
  reference = { type = "boolean", doc = "it was a reference table" },
}

local shared = undo.without(definition, { "column", "reference" })

local function inverse_undistribute(args)
  local was = args.definition
  if args.cascade_via_foreign_keys then
    return nil, "which tables the foreign keys take along is not known"
  elseif not was then
    return nil, "how the table was distributed is not known: give it as "
      .. "definition = { column = … } or definition = { reference = true }"
  elseif was.reference then
    return { op = "reference_table", args = { table = args.table } }
  end
  return { op = "distribute_table", args = undo.with(was, { table = args.table }) }
end

return {
  {
    name = "distribute_table",
    family = "citus",
    summary = "Spreads the rows of a table over the nodes of a Citus cluster.",
    doc = "By the hash of one column, which every unique key of the table must hold. Rows that are "
      .. "there already move under a lock; with concurrently (Citus 11.1) writers go on, outside "
      .. "a transaction.",
    raises = "server 42883 when the database has no Citus, 0A000 when a unique key lacks "
      .. "the column",
    example = [[op.distribute_table("orders", "tenant", { colocate_with = "tenants" })]],
    parameters = {
      table_parameter,
      { name = "column", type = "identifier", doc = "the distribution column" },
    },
    options = undo.with(shared, {
      concurrently = { type = "boolean", doc = "writers go on while rows move" },
    }),
    check = function(args)
      return args.shard_count and args.shard_count < 1
        and ("shard_count: expected 1 or more, got %d"):format(args.shard_count) or nil
    end,
    render = render_distribute,
    inverse = function(args)
      return undo.created("undistribute_table", args, { table = args.table },
        undo.without(definition, { "reference" }))
    end,
  },
  {
    name = "reference_table",
    family = "citus",
    summary = "Keeps a whole copy of a table on every node of a Citus cluster.",
    doc = "For small tables that others refer to and join with.",
    raises = "server 42883 when the database has no Citus",
    example = [[op.reference_table("countries")]],
    parameters = { table_parameter },
    render = function(args)
      return { call("create_reference_table", { regclass(args.table) }) }
    end,
    inverse = function(args)
      return {
        op = "undistribute_table",
        args = { table = args.table, definition = { reference = true } },
      }
    end,
  },
  {
    name = "undistribute_table",
    family = "citus",
    summary = "Makes a distributed or reference table a plain one again.",
    doc = "All its rows move to the coordinator.",
    raises = "server 42883 when the database has no Citus, 0A000 when foreign keys hold the table",
    example = [[op.undistribute_table("orders", { definition = { column = "tenant" } })]],
    parameters = { table_parameter },
    options = {
      cascade_via_foreign_keys = {
        type = "boolean",
        doc = "tables that foreign keys tie to it too",
      },
      definition = undo.definition(definition),
    },
    check = function(args)
      local was = args.definition
      if was and (was.reference and true or false) == (was.column ~= nil) then
        return "definition has either column or reference = true"
      end
      return nil
    end,
    render = function(args)
      return {
        call("undistribute_table", {
          regclass(args.table),
          args.cascade_via_foreign_keys and "cascade_via_foreign_keys => true" or nil,
        }),
      }
    end,
    inverse = inverse_undistribute,
  },
}
