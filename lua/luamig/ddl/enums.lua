--- Enum types: made, extended, and made anew with other values.

local clause = require("luamig.clause")
local quote = require("luamig.quote")
local types = require("luamig.types")
local undo = require("luamig.undo")
local value = require("luamig.value")

local LABEL_BYTES <const> = 63
local ASIDE <const> = "__old" -- what the type is called while its successor takes its columns

local function label_defect(label)
  if label == "" then
    return "a value of an enum is not empty"
  elseif #label > LABEL_BYTES then
    return ("the value '%s' has %d bytes, PostgreSQL takes %d"):format(label, #label, LABEL_BYTES)
  end
  return nil
end

local function values_defect(values)
  local seen = {}
  for _, label in ipairs(values) do
    local defect = label_defect(label)
    if defect then
      return defect
    elseif seen[label] then
      return ("the value '%s' is there twice"):format(label)
    end
    seen[label] = true
  end
  return nil
end

local function labels(values)
  local out = {}
  for i, label in ipairs(values) do
    out[i] = quote.string(label)
  end
  return table.concat(out, ", ")
end

local function create(name, values)
  return { sql = ("CREATE TYPE %s AS ENUM (%s)"):format(quote.name(name), labels(values)) }
end

local function render_create(args)
  local statements = { create(args.name, args.values) }
  if args.comment then
    statements[2] = clause.comment("TYPE " .. quote.name(args.name), args.comment)
  end
  return statements
end

local definition = {
  values = { type = "list<string>", doc = "the values, in order" },
  comment = { type = "string", doc = "comment" },
}

local function render_add(args)
  return {
    {
      sql = clause.words("ALTER TYPE", quote.name(args.type), "ADD VALUE",
        args.if_not_exists and "IF NOT EXISTS", quote.string(args.value),
        args.before and "BEFORE " .. quote.string(args.before),
        args.after and "AFTER " .. quote.string(args.after)),
      boundary_after = true, -- 55P04: a new value cannot be used before it is committed
    },
  }
end

local function check_add(args)
  if args.before and args.after then
    return "before and after exclude each other"
  end
  return label_defect(args.value)
end

-- The new value of a column, from the text of the old one.
local function cast(column, map, type_name)
  local text = quote.ident(column) .. "::text"
  local olds = {}
  for old in pairs(map or {}) do
    olds[#olds + 1] = old
  end
  if #olds == 0 then
    return text .. "::" .. type_name
  end
  table.sort(olds)
  local out = { "(CASE " .. text }
  for _, old in ipairs(olds) do
    out[#out + 1] = ("WHEN %s THEN %s"):format(quote.string(old), quote.literal(map[old]))
  end
  out[#out + 1] = "ELSE " .. text .. " END)::" .. type_name
  return table.concat(out, " ")
end

local function add_actions(actions, spec, map, type_name)
  local at = "ALTER COLUMN " .. quote.ident(spec.column) .. " "
  if spec.default ~= nil then
    actions[#actions + 1] = at .. "DROP DEFAULT"
  end
  actions[#actions + 1] = at .. ("TYPE %s USING %s"):format(type_name,
    cast(spec.column, map, type_name))
  if spec.default ~= nil and not value.is(spec.default, "none") then
    actions[#actions + 1] = at .. "SET DEFAULT " .. types.literal(spec.default)
  end
end

-- One ALTER TABLE a table, so that each is rewritten once.
local function convert(args, statements)
  local by_table = {}
  for _, spec in ipairs(args.columns or {}) do
    local name = quote.name(spec.table)
    local statement = by_table[name]
    if not statement then
      statement = { name = name, actions = {} }
      by_table[name] = statement
      statements[#statements + 1] = statement
    end
    add_actions(statement.actions, spec, args.map, quote.name(args.name))
  end
end

local function render_replace(args)
  local schema, base = quote.split_name(args.name)
  local aside = base .. ASIDE
  local statements = {
    { sql = ("ALTER TYPE %s RENAME TO %s"):format(quote.name(args.name), quote.ident(aside)) },
    create(args.name, args.values),
  }
  convert(args, statements)
  for _, statement in ipairs(statements) do
    if statement.actions then
      statement.sql = ("ALTER TABLE %s %s"):format(statement.name,
        table.concat(statement.actions, ", "))
      statement.name, statement.actions = nil, nil
    end
  end
  statements[#statements + 1] = {
    sql = "DROP TYPE " .. quote.name(clause.dotted(schema, aside)),
  }
  return statements
end

local function check_replace(args)
  local _, base = quote.split_name(args.name)
  if #base + #ASIDE > quote.NAME_BYTES then
    return ("the name '%s' leaves no room for '%s', under which the old type is put aside")
      :format(base, ASIDE)
  end
  local known = {}
  for _, label in ipairs(args.values) do
    known[label] = true
  end
  for old, new in pairs(args.map or {}) do
    if new ~= value.null and not known[new] then
      return ("map.%s: '%s' is none of the new values"):format(old, tostring(new))
    end
  end
  return values_defect(args.values)
end

local column_fields = {
  table = { type = "name", required = true, doc = "the table" },
  column = { type = "identifier", required = true, doc = "its column of this type" },
  default = {
    type = "literal|none",
    doc = "its default afterwards; a column that has one must say it, or op.none",
  },
}

local replace_options = {
  columns = {
    type = "list<fields>",
    fields = column_fields,
    doc = "every column of this type; its table is rewritten",
  },
  map = {
    type = "map<literal>",
    doc = "what becomes of values that go: { old = \"new\" } or { old = op.null }",
  },
}

local type_parameter = { name = "type", type = "name", doc = "\"type\" or \"schema.type\"" }
local name_parameter = { name = "name", type = "name", doc = "\"type\" or \"schema.type\"" }
local values_parameter = {
  name = "values",
  type = "list<string>",
  doc = "the values, smallest first",
}

return {
  {
    name = "create_enum",
    family = "types and schemas",
    summary = "Creates an enum type.",
    doc = "The order of the values is their order in comparisons.",
    raises = "server 42710 when the type exists",
    example = [[op.create_enum("mood", { "sad", "ok", "happy" }, { comment = "of the day" })]],
    parameters = { name_parameter, values_parameter },
    options = { comment = definition.comment },
    check = function(args)
      return values_defect(args.values)
    end,
    render = render_create,
    inverse = function(args)
      return undo.created("drop_type", args, { name = args.name }, definition)
    end,
  },
  {
    name = "add_enum_value",
    family = "types and schemas",
    summary = "Adds a value to an enum type.",
    doc = "The value can be used only after a commit, so luamig commits before the next statement. "
      .. "PostgreSQL cannot take it back; op.replace_enum makes the type anew.",
    raises = "server 42710 when the value exists, 22023 when the neighbour does not",
    example = [[op.add_enum_value("mood", "great", { after = "happy", if_not_exists = true })]],
    parameters = {
      type_parameter,
      { name = "value", type = "string", doc = "the new value" },
    },
    options = {
      before = { type = "string", doc = "the value it stands before" },
      after = { type = "string", doc = "the value it stands after; else it is the last" },
      if_not_exists = { type = "boolean", doc = "pass over a value that exists already" },
    },
    check = check_add,
    render = render_add,
    inverse = function(args)
      return nil, ("PostgreSQL cannot drop a value of an enum: write a downgrade() with "
        .. "op.replace_enum(\"%s\", …), or say that it stays"):format(args.type)
    end,
  },
  {
    name = "rename_enum_value",
    family = "types and schemas",
    summary = "Renames a value of an enum type.",
    doc = "Rows need no change; applications and functions that write the old word fail at once.",
    raises = "server 22023 when there is no such value, 42710 when the new one exists",
    example = [[op.rename_enum_value("mood", "ok", "fine")]],
    parameters = {
      type_parameter,
      { name = "value", type = "string", doc = "the value now" },
      { name = "new_value", type = "string", doc = "the value afterwards" },
    },
    check = function(args)
      return label_defect(args.new_value)
    end,
    render = function(args)
      return {
        { sql = ("ALTER TYPE %s RENAME VALUE %s TO %s"):format(quote.name(args.type),
          quote.string(args.value), quote.string(args.new_value)) },
      }
    end,
    inverse = function(args)
      return {
        op = "rename_enum_value",
        args = { type = args.type, value = args.new_value, new_value = args.value },
      }
    end,
  },
  {
    name = "replace_enum",
    family = "types and schemas",
    summary = "Makes an enum type anew with other values, and its columns with it.",
    doc = "What ALTER TYPE cannot do: take values away, reorder them. The old type is put aside, "
      .. "the columns are converted under ACCESS EXCLUSIVE with a rewrite of their tables, the old "
      .. "type is dropped. Grants and comments of the type, and views over the columns, are the "
      .. "caller's.",
    raises = "server 22P02 when a row holds a value that is neither kept nor mapped, 42804 when a "
      .. "column has a default that was not given, 2BP01 when a column was left out",
    example = [[op.replace_enum("mood", { "low", "high" }, {
  columns = { { table = "diary", column = "mood", default = "low" } },
  map = { sad = "low", ok = "low", happy = "high" },
})]],
    parameters = { name_parameter, values_parameter },
    options = undo.with(replace_options, {
      from = {
        type = "fields",
        fields = undo.with(replace_options, {
          values = { type = "list<string>", required = true, doc = "the values it had" },
        }),
        doc = "the values it had, and how to go back to them (map, columns), for change()",
      },
    }),
    check = check_replace,
    render = render_replace,
    inverse = function(args)
      if not args.from then
        return nil, "the values it had are not known: give them as from = { values = …, map = … }"
      end
      return {
        op = "replace_enum",
        args = {
          name = args.name,
          values = args.from.values,
          map = args.from.map,
          columns = args.from.columns or args.columns,
          from = { values = args.values, map = args.map, columns = args.columns },
        },
      }
    end,
  },
}
