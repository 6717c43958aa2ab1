--- Comments on objects of every kind that PostgreSQL keeps one for.

local clause = require("luamig.clause")
local quote = require("luamig.quote")
local routine = require("luamig.routine")
local undo = require("luamig.undo")

-- How the name of each kind is written.
--   name: "name" or "schema.name" · whole: one name · on: one name, and the option on
--   routine: a name and the option arguments · using: a name and the option using · others: below
local forms = {
  name = {
    "collation", "conversion", "domain", "foreign table", "index", "materialized view", "sequence",
    "statistics", "table", "text search configuration", "text search dictionary",
    "text search parser", "text search template", "type", "view",
  },
  whole = {
    "access method", "database", "event trigger", "extension", "foreign data wrapper", "language",
    "publication", "role", "schema", "server", "subscription", "tablespace",
  },
  on = { "constraint", "domain constraint", "policy", "rule", "trigger" },
  routine = { "aggregate", "function", "procedure", "routine" },
  using = { "operator class", "operator family" },
  column = { "column" },
  cast = { "cast" },
  transform = { "transform" },
  operator = { "operator" },
  large_object = { "large object" },
}

local form_of, kinds = {}, {}
for form, list in pairs(forms) do
  for _, kind in ipairs(list) do
    form_of[kind] = form
    kinds[#kinds + 1] = kind
  end
end
table.sort(kinds)

-- The options that a form needs and may have.
local needs = { on = "on", using = "using", transform = "on", operator = "arguments" }
local allows = {
  on = { on = true },
  using = { using = true },
  column = { on = true },
  transform = { on = true },
  routine = { arguments = true },
  operator = { arguments = true },
}

-- "+" or "schema.+": the sign, and the schema before its dot.
local function operator_parts(name)
  local schema, sign = name:match("^(.+)%.([^%w%s_.\"]+)$")
  if not sign then
    sign = name:match("^[^%w%s_.\"]+$")
  end
  return sign, schema
end

local function dotted(parts)
  local out = {}
  for i, part in ipairs(parts) do
    out[i] = quote.ident(part)
  end
  return table.concat(out, ".")
end

local targets = {}

function targets.name(args)
  return args.kind:upper() .. " " .. quote.name(args.name)
end

function targets.whole(args)
  return args.kind:upper() .. " " .. quote.ident(args.name)
end

function targets.on(args)
  local is_domain = args.kind == "domain constraint"
  return clause.words(is_domain and "CONSTRAINT" or args.kind:upper(), quote.ident(args.name), "ON",
    is_domain and "DOMAIN", quote.name(args.on))
end

function targets.routine(args)
  return args.kind:upper() .. " " .. routine.signature(args.name, args.arguments)
end

function targets.using(args)
  return clause.words(args.kind:upper(), quote.name(args.name), "USING", quote.ident(args.using))
end

function targets.column(args)
  if args.on then
    return "COLUMN " .. quote.name(args.on) .. "." .. quote.ident(args.name)
  end
  return "COLUMN " .. dotted(quote.parts(args.name))
end

function targets.cast(args)
  return "CAST (" .. args.name .. ")"
end

function targets.transform(args)
  return clause.words("TRANSFORM FOR", args.name, "LANGUAGE", quote.ident(args.on))
end

function targets.operator(args)
  local sign, schema = operator_parts(args.name)
  return ("OPERATOR %s%s (%s)"):format(schema and quote.ident(schema) .. "." or "", sign,
    table.concat(args.arguments, ", "))
end

function targets.large_object(args)
  return "LARGE OBJECT " .. args.name
end

-- What is wrong with the name itself, by form; names that are quoted are checked as names.
local name_defects = {
  cast = function(name)
    return not name:lower():find("%S%s+as%s+%S")
      and ("a cast is \"source AS target\", got '%s'"):format(name)
  end,
  operator = function(name)
    return not operator_parts(name) and ("expected an operator, got '%s'"):format(name)
  end,
  large_object = function(name)
    return not name:find("^%d+$") and ("a large object is a number, got '%s'"):format(name)
  end,
  transform = function(name)
    return name:find("^%s*$") and "expected a type, got nothing"
  end,
}

local allowed_parts = { name = { 1, 2 }, routine = { 1, 2 }, using = { 1, 2 } }

local function name_defect(args, form)
  if name_defects[form] then
    return name_defects[form](args.name) or nil
  end
  local parts, defect = quote.parts(args.name)
  if not parts then
    return defect
  end
  local range = allowed_parts[form] or { 1, 1 }
  if form == "column" and not args.on then
    range = { 2, 3 }
  end
  if #parts < range[1] and form == "column" then
    return ("a column is \"table.column\", or has the option on, got '%s'"):format(args.name)
  elseif #parts > range[2] and range[2] > 1 then
    return ("the name '%s' has more than %d parts"):format(args.name, range[2])
  end
  return nil -- a whole name may hold a dot: it is quoted
end

local function options_defect(args, form)
  for _, option in ipairs({ "on", "arguments", "using" }) do
    local allowed = allows[form] and allows[form][option]
    if args[option] ~= nil and not allowed then
      return ("the option %s is not for kind '%s'"):format(option, args.kind)
    end
  end
  local needed = needs[form] or args.kind == "aggregate" and "arguments"
  if needed and args[needed] == nil then
    return ("kind '%s' needs the option %s"):format(args.kind, needed)
  end
  return nil
end

local function check(args)
  local form = form_of[args.kind]
  local defect = name_defect(args, form)
  if defect then
    return "name: " .. defect
  end
  return options_defect(args, form) or routine.defect(args.arguments)
end

return {
  {
    name = "set_comment",
    family = "code",
    summary = "Sets or takes away the comment of an object.",
    doc = "A column is \"table.column\" or \"schema.table.column\". A constraint, policy, rule or "
      .. "trigger has its table in on, a domain constraint its domain, a transform its language. A "
      .. "function, procedure, routine or aggregate has its argument types in arguments ({ \"*\" } "
      .. "for an aggregate of anything), an operator too ({ \"none\", \"bigint\" } for one that "
      .. "stands before). An operator class or family has its index method in using. A cast is "
      .. "\"source AS target\".",
    raises = "server 42P01, 42703, 42704 or 42883 when there is no such object",
    example = [[op.set_comment("column", "users.email", "at work")
op.set_comment("trigger", "touch", "keeps updated_at", { on = "users" })
op.set_comment("function", "full_name", op.none, { arguments = { "users" }, from = "old" })]],
    parameters = {
      { name = "kind", type = "enum{" .. table.concat(kinds, ",") .. "}", doc = "kind of object" },
      { name = "name", type = "string", doc = "its name" },
      { name = "text", type = "string|none", doc = "the comment; op.none takes it away" },
    },
    options = {
      on = { type = "name", doc = "the table of a trigger, policy, rule, constraint or column" },
      arguments = routine.signature_option,
      using = { type = "identifier", doc = "the index method of an operator class or family" },
      from = { type = "string|none", doc = "the comment before, for change(); op.none: none" },
    },
    check = check,
    render = function(args)
      return { clause.comment(targets[form_of[args.kind]](args), args.text) }
    end,
    inverse = function(args)
      if args.from == nil then
        return nil, "what the comment was is not known: give it as from = \"…\", or from = op.none "
          .. "when there was none"
      end
      return { op = "set_comment", args = undo.with(args, { text = args.from, from = args.text }) }
    end,
  },
}
