--- Constraints read back from their definition, as op.primary_key, op.check … make them. Pure.

local constraint_sql = require("luamig.constraint")
local key_text = require("luamig.diff.key_text")
local names = require("luamig.diff.names")
local quote = require("luamig.quote")
local records = require("luamig.diff.records")
local scan = require("luamig.diff.scan")
local value = require("luamig.value")

local constraint_text = {}

local function deferrable(object, spec)
  if object.deferrable then
    spec.deferrable = true
    spec.initially = object.initially_deferred and "deferred" or nil
  end
end

-- What stands in brackets behind a word.
local function behind(definition, word)
  local _, after = scan.word(definition, word)
  local at = after and definition:find("(", after, true)
  return at and (scan.inside(definition, at))
end

local function index_facts(object, spec)
  local facts = object.index or {}
  local include = behind(object.definition, "INCLUDE")
  spec.include = include and key_text.names(include)
  spec.with = key_text.settings(facts.options)
  spec.tablespace = facts.tablespace
  deferrable(object, spec)
end

local specs = {}

function specs.primary_key(object)
  local spec = { columns = object.columns }
  spec.without_overlaps = object.definition:find(" WITHOUT OVERLAPS%)") and true or nil
  index_facts(object, spec)
  return spec
end

function specs.unique(object)
  local spec = specs.primary_key(object)
  spec.nulls_not_distinct = object.definition:find("^UNIQUE NULLS NOT DISTINCT") and true or nil
  return spec
end

function specs.check(object)
  local inside = scan.inside(object.definition, object.definition:find("(", 1, true))
  local spec = {
    condition = scan.bare(inside),
    no_inherit = object.no_inherit,
    not_valid = object.not_valid,
  }
  if object.not_enforced then
    spec.enforced = false
  end
  return spec
end

local function referred(object, name_of)
  local references = object.references
  local columns = references.columns
  if not columns then
    local _, after = scan.word(object.definition, "REFERENCES")
    local at = object.definition:find("(", after, true)
    columns = at and key_text.names((scan.inside(object.definition, at)))
  end
  return name_of(references.table), columns
end

function specs.foreign_key(object, name_of)
  local spec = {
    columns = object.columns,
    on_delete = object.on_delete,
    on_update = object.on_update,
    on_delete_columns = object.on_delete_columns,
    match = object.match,
    not_valid = object.not_valid,
    period = object.definition:find("PERIOD ", 1, true) and true or nil,
  }
  if object.not_enforced then
    spec.enforced = false
  end
  spec.referred_table, spec.referred_columns = referred(object, name_of)
  deferrable(object, spec)
  return spec
end

function specs.exclude(object)
  local definition = object.definition
  local method, at = definition:match("^EXCLUDE USING (%S+) ()")
  local inside = scan.inside(definition, at)
  local spec = { elements = {}, using = method }
  for i, part in ipairs(scan.split(inside)) do
    local start, after = scan.word(part, "WITH")
    local key = start and key_text.key(part:sub(1, start - 2))
    if not key then
      return nil
    end
    local operator = part:sub(after + 1)
    key[2] = operator:find("^OPERATOR") and value.sql(operator) or operator
    spec.elements[i] = key
  end
  local where = behind(definition, "WHERE")
  spec.where = where and scan.bare(where)
  index_facts(object, spec)
  return spec
end

local function new_spec(object, name_of)
  local spec = specs[object.type](object, name_of)
  if spec then
    spec.kind, spec.name = object.type, object.name
  end
  return spec and value.new("constraint", spec)
end

local function identity_name(identity)
  return (names.parent(identity))
end

---What a constraint says of its index, as SQL.
function constraint_text.index_clauses(object)
  local facts = object.index or {}
  local text = ""
  if facts.options then
    text = " " .. (records.options(nil, key_text.settings(facts.options)):gsub("^SET", "WITH"))
  end
  if facts.tablespace then
    text = text .. " USING INDEX TABLESPACE " .. quote.ident(facts.tablespace)
  end
  return text
end

local function is_faithful(plan, object, parent)
  local spec = new_spec(object, identity_name)
  local ok, text = pcall(function()
    return constraint_sql.definition(spec, parent, plan.context)
  end)
  return ok and scan.same(text, ("CONSTRAINT %s %s%s"):format(quote.ident(object.name),
    object.definition, constraint_text.index_clauses(object)))
end

---The constraint as op.primary_key, op.check … make it; nil when they cannot say all of it.
---@return table|nil
function constraint_text.value(plan, object)
  if not is_faithful(plan, object, (names.parent(object.parent))) then
    return nil
  end
  local spec = new_spec(object, function(identity)
    return plan:name_of(identity)
  end)
  spec.comment = plan.options.comments ~= false and object.comment or nil
  return spec
end

---The condition of a CHECK, without brackets around it.
function constraint_text.condition(object)
  return specs.check(object).condition
end

return constraint_text
