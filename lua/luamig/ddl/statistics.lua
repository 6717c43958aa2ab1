--- Extended statistics: what the planner is told of columns that belong together.

local clause = require("luamig.clause")
local placement = require("luamig.placement")
local quote = require("luamig.quote")
local undo = require("luamig.undo")

local kind_type = "enum{ndistinct,dependencies,mcv}"

local name_parameter = { name = "name", type = "name", doc = "\"statistics\" or \"schema.name\"" }

local definition = {
  kinds = { type = "list<" .. kind_type .. ">", doc = "which ones; all when left out" },
  target = { type = "integer", doc = "how many values are kept; -1 is that of the columns" },
  comment = { type = "string", doc = "comment" },
}

local parts = {
  table = { type = "name", required = true, doc = "\"table\" or \"schema.table\"" },
  columns = { type = "columns", required = true, doc = "its columns, or op.sql expressions" },
}

local function kinds(args)
  return args.kinds and args.kinds[1] and "(" .. table.concat(args.kinds, ", ") .. ")"
end

local changes = undo.with(placement.fields, { target = definition.target })

local function set_target(args)
  return {
    sql = ("ALTER STATISTICS %s SET STATISTICS %d"):format(quote.name(args.name), args.target),
  }
end

local function render_create(args)
  local target = quote.name(args.name)
  local statements = {
    {
      sql = clause.words("CREATE STATISTICS", args.if_not_exists and "IF NOT EXISTS", target,
        kinds(args), "ON", clause.columns(args.columns), "FROM", quote.name(args.table)),
    },
  }
  if args.target then
    statements[2] = set_target(args)
  end
  if args.comment then
    statements[#statements + 1] = clause.comment("STATISTICS " .. target, args.comment)
  end
  return statements
end

local function check_create(args)
  if #args.columns > 1 then
    return nil
  elseif type(args.columns[1]) == "string" then
    return "columns: give at least two columns, or one expression as op.sql"
  elseif args.kinds then
    return "kinds is for several columns; one expression has statistics of its own"
  end
  return nil
end

return {
  {
    name = "create_statistics",
    family = "code",
    summary = "Creates extended statistics of columns that belong together.",
    doc = "The next ANALYZE collects them.",
    raises = "server 42710 when something has that name, 42703 when there is no such column",
    example = [[op.create_statistics("city_zip", "address", { "city", "zip" }, {
  kinds = { "dependencies" },
})]],
    parameters = {
      name_parameter,
      { name = "table", type = "name", doc = parts.table.doc },
      { name = "columns", type = "columns", doc = parts.columns.doc },
    },
    options = undo.with(definition, {
      if_not_exists = { type = "boolean", doc = "pass over statistics that exist already" },
    }),
    check = check_create,
    render = render_create,
    inverse = function(args)
      return undo.created("drop_statistics", args,
        { name = args.name, if_exists = args.if_not_exists }, undo.with(definition, parts))
    end,
  },
  {
    name = "alter_statistics",
    family = "code",
    summary = "Changes how much is kept in extended statistics, their owner or schema.",
    raises = "server 42704 when there are none of that name",
    example = [[op.alter_statistics("city_zip", { target = 1000 })]],
    parameters = { name_parameter },
    options = undo.with(changes, { from = undo.definition(changes) }),
    check = function(args)
      return undo.nothing(args, changes)
    end,
    render = function(args)
      local target = "STATISTICS " .. quote.name(args.name)
      return placement.render(target, args, args.target and { set_target(args) } or {})
    end,
    inverse = function(args)
      local back, why = undo.moved(args, changes)
      return back and { op = "alter_statistics", args = back }, why
    end,
  },
  {
    name = "drop_statistics",
    family = "code",
    summary = "Drops extended statistics.",
    raises = "server 42704 when there are none of that name",
    example = [[op.drop_statistics("city_zip", {
  definition = { table = "address", columns = { "city", "zip" } },
})]],
    parameters = { name_parameter },
    options = {
      if_exists = { type = "boolean", doc = "pass over statistics that do not exist" },
      definition = undo.definition(undo.with(definition, parts)),
    },
    check = function(args)
      local defect = args.definition and check_create(args.definition)
      return defect and "definition: " .. defect
    end,
    render = function(args)
      return {
        { sql = clause.words("DROP STATISTICS", args.if_exists and "IF EXISTS",
          quote.name(args.name)) },
      }
    end,
    inverse = function(args)
      return undo.dropped("create_statistics", args,
        { name = args.name, if_not_exists = args.if_exists })
    end,
  },
}
