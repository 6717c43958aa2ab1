--- Values that Lua has no type for, and names and constants as SQL text.

local quote = require("luamig.quote")
local types = require("luamig.types")
local value = require("luamig.value")

return {
  {
    name = "sql",
    family = "values",
    summary = "SQL text that goes into a statement as it is.",
    doc = "Where a plain string would be a constant: a default, an index column.",
    example = [[op.column("at", "timestamptz", { default = op.sql("now()") })]],
    parameters = { { name = "text", type = "string", doc = "the SQL" } },
    returns = "luamig.Sql",
    construct = function(args)
      return value.sql(args.text)
    end,
  },
  {
    name = "array",
    family = "values",
    summary = "A Lua list as a PostgreSQL array.",
    doc = "Needed where the type is not known from a column: parameters, `op.literal`.",
    example = [[op.query("SELECT id FROM t WHERE id = ANY ($1)", { op.array({ 1, 2 }) })]],
    parameters = {
      { name = "values", type = "any", doc = "the elements; op.null for NULL" },
      { name = "element", type = "type", optional = true, doc = "type of the elements" },
    },
    returns = "luamig.Array",
    construct = function(args)
      local array = value.new("array", { values = args.values, element = args.element })
      types.text(array)
      return array
    end,
  },
  {
    name = "json",
    family = "values",
    summary = "Any Lua value as JSON.",
    doc = "Keys of objects are sorted. An empty table is `{}`; an empty array is op.array({}) "
      .. "or one that a query gave.",
    example = [[op.execute("UPDATE t SET meta = $1", { op.json({ a = 1 }) })]],
    parameters = {
      { name = "value", type = "any", doc = "table, string, number, boolean, op.null" },
    },
    returns = "luamig.Json",
    construct = function(args)
      types.json(args.value)
      return value.new("json", { value = args.value })
    end,
  },
  {
    name = "ident",
    family = "values",
    summary = "A name as SQL text, in double quotes when it needs them.",
    example = [[op.execute("ANALYZE " .. op.ident("Order"))]],
    parameters = { { name = "name", type = "identifier", doc = "one name, without a schema" } },
    returns = "string",
    construct = function(args)
      return quote.ident(args.name)
    end,
  },
  {
    name = "literal",
    family = "values",
    summary = "A value as a constant in SQL text.",
    example = [[op.execute("COMMENT ON TABLE t IS " .. op.literal("it's"))]],
    parameters = {
      { name = "value", type = "literal", doc = "string, number, boolean, op.null, table" },
      { name = "type", type = "type", optional = true, doc = "needed when the value is a table" },
    },
    returns = "string",
    construct = function(args)
      return types.literal(args.value, args.type)
    end,
  },
}
