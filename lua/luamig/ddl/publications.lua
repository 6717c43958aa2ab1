--- Publications: what logical replication sends.

local clause = require("luamig.clause")
local placement = require("luamig.placement")
local quote = require("luamig.quote")
local undo = require("luamig.undo")

local table_fields = {
  table = { type = "name", required = true, doc = "\"table\" or \"schema.table\"" },
  columns = { type = "list<identifier>", doc = "these columns only (PostgreSQL 15)" },
  where = { type = "sql_or_string", doc = "these rows only (PostgreSQL 15)" },
}

local function tables_field(doc)
  return { type = "list<name|fields>", fields = table_fields, doc = doc }
end

local parameters = {
  publish = {
    type = "list<enum{insert,update,delete,truncate}>",
    doc = "the changes that are sent; all when left out",
  },
  via_root = { type = "boolean", doc = "changes of partitions are sent as the parent's" },
  generated_columns = {
    type = "enum{none,stored}",
    doc = "\"stored\": stored generated columns are sent too (PostgreSQL 18)",
  },
}

local definition = undo.with(parameters, {
  tables = tables_field("names, or { table = …, columns = …, where = … }"),
  schemas = { type = "list<identifier>", doc = "all tables of these schemas (PostgreSQL 15)" },
  all_tables = { type = "boolean", doc = "every table of the database, and those to come" },
  comment = { type = "string", doc = "comment" },
})

local name_parameter = { name = "name", type = "identifier", doc = "name of the publication" }

local function one_table(spec, context)
  if type(spec) == "string" then
    return quote.name(spec)
  end
  if spec.columns or spec.where then
    clause.need(context, 15, "a publication of columns or rows")
  end
  return clause.words(quote.name(spec.table),
    spec.columns and "(" .. quote.idents(spec.columns) .. ")",
    spec.where and "WHERE (" .. clause.sql(spec.where) .. ")")
end

-- `TABLE a, b, TABLES IN SCHEMA s`
local function objects(args, context)
  local out = {}
  for i, spec in ipairs(args.tables or {}) do
    out[i] = (i == 1 and "TABLE " or "") .. one_table(spec, context)
  end
  if args.schemas and args.schemas[1] then
    clause.need(context, 15, "a publication of schemas")
    out[#out + 1] = "TABLES IN SCHEMA " .. quote.idents(args.schemas)
  end
  return out[1] and table.concat(out, ", ") or nil
end

local function settings(args, context)
  local map = { publish_via_partition_root = args.via_root }
  if args.publish then
    map.publish = table.concat(args.publish, ", ")
  end
  if args.generated_columns then
    clause.need(context, 18, "generated_columns")
    map.publish_generated_columns = args.generated_columns
  end
  return next(map) ~= nil and "(" .. clause.settings(map) .. ")" or nil
end

local function render_create(args, context)
  local target = quote.ident(args.name)
  local what = args.all_tables and "ALL TABLES" or objects(args, context)
  local with = settings(args, context)
  local statements = {
    {
      sql = clause.words("CREATE PUBLICATION", target, what and "FOR " .. what,
        with and "WITH " .. with),
    },
  }
  if args.comment then
    statements[2] = clause.comment("PUBLICATION " .. target, args.comment)
  end
  return statements
end

local function check_create(args)
  if args.all_tables and (args.tables or args.schemas) then
    return "all_tables stands without tables and schemas"
  end
  return nil
end

local changes = undo.with(parameters, {
  add = tables_field("tables to add"),
  drop = { type = "list<name>", doc = "tables to take out" },
  owner = placement.owner,
})

local function render_alter(args, context)
  local target = "PUBLICATION " .. quote.ident(args.name)
  local statements = {}
  local function add(...)
    statements[#statements + 1] = { sql = clause.words("ALTER", target, ...) }
  end
  if args.drop then
    add("DROP", objects({ tables = args.drop }, context))
  end
  if args.add then
    add("ADD", objects({ tables = args.add }, context))
  end
  local with = settings(args, context)
  if with then
    add("SET", with)
  end
  return placement.render(target, { owner = args.owner }, statements)
end

local function check_alter(args)
  for _, name in ipairs({ "add", "drop" }) do
    if args[name] and not args[name][1] then
      return name .. ": the list is empty"
    end
  end
  return undo.nothing(args, changes)
end

local function table_name(spec)
  return type(spec) == "string" and spec or spec.table
end

-- What is taken out comes back as `from.tables` describes it.
local function inverse_tables(args, back)
  local known = {}
  for _, spec in ipairs(args.from and args.from.tables or {}) do
    known[table_name(spec)] = spec
  end
  for i, name in ipairs(args.drop or {}) do
    if not known[name] then
      return ("how %s was published is not known: give it as from = { tables = { \"%s\" } }")
        :format(name, name)
    end
    back.add = back.add or {}
    back.add[i] = known[name]
  end
  for i, spec in ipairs(args.add or {}) do
    back.drop = back.drop or {}
    back.drop[i] = table_name(spec)
  end
  back.from.tables = args.add
  return nil
end

local function inverse_alter(args)
  local back, why = undo.changed(args, undo.without(changes, { "add", "drop" }))
  why = why or inverse_tables(args, back)
  if why then
    return nil, why
  end
  back.name = args.name
  return { op = "alter_publication", args = back }
end

return {
  {
    name = "create_publication",
    family = "code",
    summary = "Creates a publication for logical replication.",
    doc = "UPDATE and DELETE on a published table need a replica identity, such as a primary key.",
    raises = "server 42710 when it exists, 42501 without CREATE on the database",
    example = [[op.create_publication("orders_out", {
  tables = { "orders", { table = "users", columns = { "id", "email" }, where = "active" } },
})]],
    parameters = { name_parameter },
    options = definition,
    check = check_create,
    render = render_create,
    inverse = function(args)
      return undo.created("drop_publication", args, { name = args.name }, definition)
    end,
  },
  {
    name = "alter_publication",
    family = "code",
    summary = "Changes what a publication sends.",
    doc = "Subscribers must REFRESH PUBLICATION to see new tables.",
    raises = "server 42704 when there is none, or the table is not in it; 42710 when it is already",
    example = [[op.alter_publication("orders_out", { add = { "invoices" } })]],
    parameters = { name_parameter },
    options = undo.with(changes, {
      from = undo.definition(undo.with(undo.without(changes, { "add", "drop" }), {
        tables = tables_field("the tables that drop takes out"),
      })),
    }),
    check = check_alter,
    render = render_alter,
    inverse = inverse_alter,
  },
  {
    name = "drop_publication",
    family = "code",
    summary = "Drops a publication.",
    doc = "Its subscribers fail when they look for it.",
    raises = "server 42704 when there is none",
    example = [[op.drop_publication("orders_out", { if_exists = true })]],
    parameters = { name_parameter },
    options = {
      if_exists = { type = "boolean", doc = "pass over a publication that does not exist" },
      definition = undo.definition(definition),
    },
    check = function(args)
      local defect = args.definition and check_create(args.definition)
      return defect and "definition: " .. defect
    end,
    render = function(args)
      return {
        { sql = clause.words("DROP PUBLICATION", args.if_exists and "IF EXISTS",
          quote.ident(args.name)) },
      }
    end,
    inverse = function(args)
      return undo.dropped("create_publication", args, { name = args.name })
    end,
  },
}
