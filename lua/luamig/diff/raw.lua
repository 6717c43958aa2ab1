--- Families whose objects are told in a few words of SQL: how a family becomes one of the plan.
-- Each says creation(object) and, when something can be changed in place, changes(before, after);
-- what differs beside that means: made anew.

local annotations = require("luamig.diff.annotations")
local compare = require("luamig.snapshot.compare")
local names = require("luamig.diff.names")
local quote = require("luamig.quote")
local records = require("luamig.diff.records")

local raw = {}

local WORDS_ASIDE <const> = {
  owners = false, privileges = false, comments = false, labels = false,
}

local function as_list(made)
  return type(made) == "string" and { records.sql(made) } or made
end

local function copy_without(object, fields)
  local out = {}
  for name, field in pairs(object) do
    if not fields[name] then
      out[name] = field
    end
  end
  return out
end

---@class luamig.diff.RawFamily
---@field creation fun(object: table, plan: table): string|table[]
---@field drop? fun(object: table): string     SQL; else DROP and the noun
---@field fields? table<string, true>            what changes() can change in place
---@field changes? fun(before: table, after: table, plan: table): table[]
---@field aside? boolean  it can be renamed while columns use it
---@field when? string                          of the node that makes it
---@field drop_when? string
---@field can? fun(plan: table, identity: string, object: table): boolean  says itself why not

local ASIDE <const> = "__old"

-- Columns that use such an object move over to its successor.
local function put_aside(family_of_plan, family)
  local compare_before = family_of_plan.compare

  function family_of_plan.compare(plan, before, after, identity)
    local fate = compare_before(plan, before, after)
    return fate == "replace" and next(plan:users(identity)) and "remake" or fate
  end

  function family_of_plan.remake(plan, identity, before, after)
    local noun = names.noun(before.kind)
    local old = { kind = before.kind, schema = before.schema, name = before.name .. ASIDE }
    local list = as_list(family.creation(after, plan))
    table.insert(list, 1, records.sql("ALTER %s %s RENAME TO %s", noun, names.sql(before),
      quote.ident(old.name)))
    annotations.create(plan, after, list)
    local node = plan:node({
      when = "make", kind = after.kind, identity = identity, gives = { [identity] = true },
      moves = { [identity] = true }, records = list,
    })
    plan:node({
      when = "drop", kind = after.kind, identity = identity, after = { node },
      ends = { [identity] = true }, frees = { [identity] = true },
      records = { records.sql("DROP %s %s", noun, names.sql(old)) },
    })
  end
end

---A family of the plan.
---@param family luamig.diff.RawFamily
---@return table
function raw.family(family)
  local out = {}

  function out.create(plan, identity, object)
    if family.can and not family.can(plan, identity, object) then
      return
    end
    local list = as_list(family.creation(object, plan))
    annotations.create(plan, object, list)
    plan:node({
      when = family.when or "make", kind = object.kind, identity = identity,
      gives = { [identity] = true }, records = list,
    })
  end

  function out.drop(plan, identity, object)
    local set = plan:with_companions({ [identity] = true })
    plan:node({
      when = family.drop_when or "drop", kind = object.kind, identity = identity,
      takes = set, frees = set,
      records = {
        records.sql(family.drop and family.drop(object)
          or ("DROP %s %s"):format(names.noun(object.kind), names.target(object))),
      },
    })
  end

  function out.compare(_, before, after)
    local fields = family.fields or {}
    return compare.same_object(copy_without(before, fields), copy_without(after, fields),
      WORDS_ASIDE) and "alter" or "replace"
  end

  function out.alter(plan, identity, before, after)
    local list = family.changes and family.changes(before, after, plan) or {}
    annotations.change(plan, before, after, list)
    if list[1] then
      plan:node({
        when = family.when == "last" and "last" or "change", kind = after.kind,
        identity = identity, gives = { [identity] = true }, frees = { [identity] = true },
        records = list,
      })
    end
  end

  if family.aside then
    put_aside(out, family)
  end
  return out
end

return raw
