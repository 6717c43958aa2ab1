--- Domains: a type with a default and conditions of its own.

local clause = require("luamig.clause")
local quote = require("luamig.quote")
local types = require("luamig.types")
local undo = require("luamig.undo")
local value = require("luamig.value")

local checks_type = "map<sql_or_string>"

-- Conditions by name, in the order of the names, so that one script always makes one text.
local function sorted(checks)
  local names = {}
  for name in pairs(checks) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

local function check_clause(name, condition)
  return ("CONSTRAINT %s CHECK (%s)"):format(quote.ident(name), clause.sql(condition))
end

local function checks(spec)
  if spec == nil then
    return nil
  elseif type(spec) == "string" or value.is(spec, "sql") then
    return "CHECK (" .. clause.sql(spec) .. ")"
  end
  local out = {}
  for i, name in ipairs(sorted(spec)) do
    out[i] = check_clause(name, spec[name])
  end
  return table.concat(out, " ")
end

local function render_create(args)
  local statements = {
    {
      sql = clause.words("CREATE DOMAIN", quote.name(args.name), "AS", args.type,
        args.collation and "COLLATE " .. quote.name(args.collation),
        args.default ~= nil and "DEFAULT " .. types.literal(args.default, args.type),
        args.nullable == false and "NOT NULL", checks(args.check)),
    },
  }
  if args.comment then
    statements[2] = clause.comment("DOMAIN " .. quote.name(args.name), args.comment)
  end
  return statements
end

local options = {
  default = { type = "literal", doc = "a constant, or op.sql" },
  nullable = { type = "boolean", default = true, doc = "false: NOT NULL" },
  check = {
    type = "sql_or_string|" .. checks_type,
    doc = "condition on VALUE, or several by name: { positive = \"VALUE > 0\" }",
  },
  collation = { type = "name", doc = "collation" },
  comment = { type = "string", doc = "comment" },
}

local changes = {
  default = { type = "literal|none", doc = "the new default; op.none drops it" },
  nullable = { type = "boolean", doc = "false: SET NOT NULL, which reads every row" },
  add_checks = { type = checks_type, doc = "conditions to add, by name" },
  drop_checks = { type = "list<identifier>", doc = "names of conditions to drop" },
  validate = { type = "list<identifier>", doc = "names of conditions to prove for old rows" },
}

local function default_action(default)
  if value.is(default, "none") then
    return "DROP DEFAULT"
  end
  return "SET DEFAULT " .. types.literal(default)
end

local function render_alter(args)
  local at = "ALTER DOMAIN " .. quote.name(args.name) .. " "
  local statements = {}
  local function add(...)
    statements[#statements + 1] = { sql = at .. clause.words(...) }
  end
  for _, name in ipairs(args.drop_checks or {}) do
    add("DROP CONSTRAINT", quote.ident(name))
  end
  if args.default ~= nil then
    add(default_action(args.default))
  end
  if args.nullable ~= nil then
    add(args.nullable and "DROP NOT NULL" or "SET NOT NULL")
  end
  for _, name in ipairs(sorted(args.add_checks or {})) do
    add("ADD", check_clause(name, args.add_checks[name]), args.not_valid and "NOT VALID")
  end
  for _, name in ipairs(args.validate or {}) do
    add("VALIDATE CONSTRAINT", quote.ident(name))
  end
  return statements
end

-- The conditions that were dropped, from `from.checks`.
local function dropped_checks(args)
  if not args.drop_checks then
    return nil
  end
  local known = args.from and args.from.checks or {}
  local out = {}
  for _, name in ipairs(args.drop_checks) do
    if not known[name] then
      return nil, ("what %s was is not known: give it as from = { checks = { %s = … } }")
        :format(name, name)
    end
    out[name] = known[name]
  end
  return out
end

local function inverse_alter(args)
  local back, why = undo.changed(args, { default = true })
  if not back then
    return nil, why
  end
  back.add_checks, why = dropped_checks(args)
  if why then
    return nil, why
  end
  back.drop_checks = args.add_checks and sorted(args.add_checks)
  if args.nullable ~= nil then
    back.nullable = not args.nullable
  end
  if undo.nothing(back, changes) then
    return nil, "a condition that was proven stays proven"
  end
  back.name = args.name
  back.from.checks = args.add_checks
  return { op = "alter_domain", args = back }
end

local name_parameter = { name = "name", type = "name", doc = "\"domain\" or \"schema.domain\"" }

return {
  {
    name = "create_domain",
    family = "types and schemas",
    summary = "Creates a domain: a type with conditions of its own.",
    doc = "Conditions speak of VALUE. Name them, so that they can be dropped by name.",
    raises = "server 42710 when the type exists",
    example = [[op.create_domain("email", "text", { check = { has_at = "VALUE LIKE '%@%'" } })]],
    parameters = {
      name_parameter,
      { name = "type", type = "type", doc = "the type under it" },
    },
    options = options,
    render = render_create,
    inverse = function(args)
      return undo.created("drop_type", args, { name = args.name },
        undo.with(options, { type = true }))
    end,
  },
  {
    name = "alter_domain",
    family = "types and schemas",
    summary = "Changes a domain: default, NOT NULL, conditions.",
    doc = "A condition is proven for every row of every table that uses the domain, under SHARE "
      .. "locks; with not_valid it holds for new rows only, until it is validated.",
    raises = "server 23514 when a row fails a condition, 23502 when one is NULL",
    example = [[op.alter_domain("email", { add_checks = { short = "length(VALUE) < 255" } })]],
    parameters = { name_parameter },
    options = undo.with(changes, {
      not_valid = { type = "boolean", doc = "do not prove add_checks for old rows" },
      from = {
        type = "fields",
        fields = {
          default = changes.default,
          checks = { type = checks_type, doc = "the conditions that drop_checks takes away" },
        },
        doc = "what the domain was, so that change() can go back",
      },
    }),
    check = function(args)
      return undo.nothing(args, changes)
        or args.not_valid and not args.add_checks and "not_valid goes with add_checks" or nil
    end,
    render = render_alter,
    inverse = inverse_alter,
  },
}
