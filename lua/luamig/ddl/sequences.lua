--- Sequences.

local clause = require("luamig.clause")
local column = require("luamig.column")
local placement = require("luamig.placement")
local quote = require("luamig.quote")
local undo = require("luamig.undo")
local value = require("luamig.value")

-- The options that CREATE and ALTER share.
local settings = {
  type = { type = "enum{smallint,integer,bigint}", doc = "its range; bigint when left out" },
  start = { type = "integer", doc = "first value" },
  increment = { type = "integer", doc = "step; a negative one counts down" },
  min_value = { type = "integer|none", doc = "smallest value; op.none is the type's own" },
  max_value = { type = "integer|none", doc = "greatest value; op.none is the type's own" },
  cache = { type = "integer", doc = "values kept in memory by a session" },
  cycle = { type = "boolean", doc = "start again after the last value" },
  owned_by = {
    type = "string|none",
    doc = "\"table.column\" or \"schema.table.column\", which takes it along; op.none: nobody's",
  },
}

local function owner_defect(args)
  if args.restart == false then
    return "restart: expected an integer or true, got false"
  elseif type(args.owned_by) ~= "string" then
    return nil
  end
  local parts, defect = quote.parts(args.owned_by)
  if parts and (#parts < 2 or #parts > 3) then
    defect = ("expected \"table.column\" or \"schema.table.column\", got '%s'")
      :format(args.owned_by)
  end
  return defect and "owned_by: " .. defect or nil
end

local function owned_by(owner)
  if owner == nil then
    return nil
  elseif value.is(owner, "none") then
    return "OWNED BY NONE"
  end
  local parts = quote.parts(owner)
  for i, part in ipairs(parts) do
    parts[i] = quote.ident(part)
  end
  return "OWNED BY " .. table.concat(parts, ".")
end

local function limit(word, v)
  return value.is(v, "none") and "NO " .. word or nil
end

local function options_of(args)
  local numbers = clause.copy(args)
  for _, name in ipairs({ "min_value", "max_value" }) do
    numbers[name] = not value.is(args[name], "none") and args[name] or nil
  end
  return clause.words(args.type and "AS " .. args.type, column.sequence_options(numbers),
    limit("MINVALUE", args.min_value), limit("MAXVALUE", args.max_value))
end

local function render_create(args, context)
  if args.unlogged then
    clause.need(context, 15, "an unlogged sequence")
  end
  local target = quote.name(args.name)
  local statements = {
    {
      sql = clause.words("CREATE", args.unlogged and "UNLOGGED", "SEQUENCE",
        args.if_not_exists and "IF NOT EXISTS", target, options_of(args), owned_by(args.owned_by)),
    },
  }
  if args.comment then
    statements[2] = clause.comment("SEQUENCE " .. target, args.comment)
  end
  return statements
end

local function restart(v)
  if type(v) == "number" then
    return ("RESTART WITH %d"):format(v)
  end
  return v and "RESTART" or nil
end

local function render_alter(args, context)
  local target = "SEQUENCE " .. quote.name(args.name)
  local statements = {}
  local options = clause.words(options_of(args), restart(args.restart), owned_by(args.owned_by))
  if options ~= "" then
    statements[1] = { sql = "ALTER " .. target .. " " .. options }
  end
  if args.logged ~= nil then
    clause.need(context, 15, "an unlogged sequence")
    statements[#statements + 1] = {
      sql = "ALTER " .. target .. (args.logged and " SET LOGGED" or " SET UNLOGGED"),
    }
  end
  return placement.render(target, args, statements)
end

local changes = undo.with(settings, {
  restart = { type = "integer|boolean", doc = "the next value; true: the start" },
  logged = { type = "boolean", doc = "written to the WAL (PostgreSQL 15)" },
  owner = placement.fields.owner,
  schema = placement.fields.schema,
})

local function inverse_alter(args)
  if args.restart then
    return nil, "where the sequence stood is not known"
  end
  local known = clause.copy(args)
  known.from = clause.copy(args.from or {})
  if args.logged ~= nil and known.from.logged == nil then
    known.from.logged = not args.logged
  end
  local back, why = undo.moved(known, changes)
  return back and { op = "alter_sequence", args = back }, why
end

local definition = undo.with(settings, {
  unlogged = { type = "boolean", doc = "not written to the WAL (PostgreSQL 15)" },
  comment = { type = "string", doc = "comment" },
})

local name_parameter = { name = "name", type = "name", doc = "\"sequence\" or \"schema.sequence\"" }

return {
  {
    name = "create_sequence",
    family = "types and schemas",
    summary = "Creates a sequence.",
    doc = "Identity columns bring their own; this is for numbers that several tables share.",
    raises = "server 42P07 when something has that name",
    example = [[op.create_sequence("invoice_number", { start = 1000, cache = 20 })]],
    parameters = { name_parameter },
    options = undo.with(definition, {
      if_not_exists = { type = "boolean", doc = "pass over a sequence that exists already" },
    }),
    check = owner_defect,
    render = render_create,
    inverse = function(args)
      return undo.created("drop_sequence", args,
        { name = args.name, if_exists = args.if_not_exists }, definition)
    end,
  },
  {
    name = "alter_sequence",
    family = "types and schemas",
    summary = "Changes a sequence: its range, step, next value, owner, schema.",
    raises = "server 22023 when the values do not go together, 42P01 when there is no such "
      .. "sequence",
    example = [[op.alter_sequence("invoice_number", { restart = 5000 })]],
    parameters = { name_parameter },
    options = undo.with(changes, {
      from = undo.definition(undo.without(changes, { "restart" })),
    }),
    check = function(args)
      return undo.nothing(args, changes) or owner_defect(args)
    end,
    render = render_alter,
    inverse = inverse_alter,
  },
  {
    name = "rename_sequence",
    family = "types and schemas",
    summary = "Renames a sequence.",
    doc = "Defaults that use it follow; nextval('…') in applications does not.",
    raises = "server 42P01 when there is no such sequence, 42P07 when the new name is taken",
    example = [[op.rename_sequence("invoice_number", "bill_number")]],
    parameters = {
      name_parameter,
      { name = "new_name", type = "identifier", doc = "its name afterwards, without a schema" },
    },
    render = function(args)
      return {
        { sql = ("ALTER SEQUENCE %s RENAME TO %s"):format(quote.name(args.name),
          quote.ident(args.new_name)) },
      }
    end,
    inverse = function(args)
      return undo.renamed("rename_sequence", args)
    end,
  },
  {
    name = "drop_sequence",
    family = "types and schemas",
    summary = "Drops a sequence.",
    doc = "The number it stood at is lost; a sequence that change() brings back starts anew.",
    raises = "server 42P01 when there is no such sequence, 2BP01 when a default uses it",
    example = [[op.drop_sequence("invoice_number", { if_exists = true })]],
    parameters = { name_parameter },
    options = {
      if_exists = { type = "boolean", doc = "pass over a sequence that does not exist" },
      cascade = { type = "boolean", doc = "drop the defaults that use it too" },
      definition = undo.definition(definition),
    },
    check = function(args)
      local defect = args.definition and owner_defect(args.definition)
      return defect and "definition." .. defect
    end,
    render = function(args)
      return {
        { sql = clause.words("DROP SEQUENCE", args.if_exists and "IF EXISTS",
          quote.name(args.name), args.cascade and "CASCADE") },
      }
    end,
    inverse = function(args)
      return undo.dropped("create_sequence", args,
        { name = args.name, if_not_exists = args.if_exists })
    end,
  },
}
