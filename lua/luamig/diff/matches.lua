--- Constraints, indexes and sequences that differ in their name only: they are renamed, not made
-- anew. Only when there is no doubt which is which.

local constraints = require("luamig.diff.constraints")
local json = require("luamig.json")
local names = require("luamig.diff.names")
local quote = require("luamig.quote")
local records = require("luamig.diff.records")
local sequences = require("luamig.diff.sequences")

local matches = {}

-- What two objects may have apart.
local own = {
  name = true, comment = true, labels = true, index = true, owner = true, acl = true,
  extensions = true, statistics = true, definition = true,
}

local function bare(object)
  local out = {}
  for name, field in pairs(object) do
    if not own[name] then
      out[name] = field
    end
  end
  return out
end

local keys = {}

function keys.constraint(object)
  if object.part_of or object.inherited then
    return nil
  end
  local facts = object.index or {}
  return { bare(object), object.definition, facts.options, facts.tablespace, facts.invalid }
end

function keys.index(object)
  if object.part_of then
    return nil
  end
  local name = quote.ident(object.name)
  local at, stop = object.definition:find(" INDEX " .. name .. " ON ", 1, true)
  return at and { bare(object), object.definition:sub(1, at), object.definition:sub(stop) }
end

function keys.sequence(object)
  return object.owned_by and bare(object)
end

-- { [key] = identity }, or false where several have the same key.
local function by_key(plan, objects, fate)
  local out = {}
  for identity, object in pairs(objects) do
    local key = plan.fate[identity] == fate and keys[object.kind] and keys[object.kind](object)
    if key then
      key = object.kind .. json.encode(key)
      out[key] = out[key] == nil and identity or false
    end
  end
  return out
end

---Finds what is only renamed. Their fates are "renamed" (the old one) and "rename" (the new one).
function matches.find(plan)
  local old = by_key(plan, plan.a.objects, "drop")
  for key, identity in pairs(by_key(plan, plan.b.objects, "create")) do
    local before = identity and old[key]
    local object = identity and plan.b.objects[identity]
    local is_staying = before and (object.kind == "sequence" or plan.a.objects[object.parent])
    if is_staying then
      plan.renamed[identity] = before
      plan.fate[identity], plan.fate[before] = "rename", "renamed"
    end
  end
end

local rename = {}

function rename.constraint(plan, before, after)
  return records.new("rename_constraint", {
    name = before.name, table = plan:parent_name(after), new_name = after.name,
  })
end

function rename.index(plan, before, after)
  return records.new("rename_index", { name = plan:name(before), new_name = after.name })
end

function rename.sequence(plan, before, after)
  return records.new("rename_sequence", { name = plan:name(before), new_name = after.name })
end

local function with_name(before, after)
  return setmetatable({ name = after.name, definition = after.definition },
    { __index = before })
end

local function words(plan, before, after, out)
  before = with_name(before, after)
  if after.kind == "constraint" then
    records.append(out, constraints.change(plan, before, after))
  elseif after.kind == "index" then
    constraints.index_words(plan, after, before, after, out)
  else
    sequences.words(plan, before, after, out)
  end
end

local function claims(object)
  return { ["relation " .. names.sql({ schema = object.schema, name = object.name })] = true }
end

---Makes the node that renames.
---@param identity string  of the new object
function matches.add(plan, identity)
  local old = plan.renamed[identity]
  local before, after = plan.a.objects[old], plan.b.objects[identity]
  local list = { rename[after.kind](plan, before, after) }
  words(plan, before, after, list)
  plan:node({
    when = "change", kind = after.kind, identity = identity, sort = after.parent,
    gives = { [identity] = true }, vacates = claims(before), claims = claims(after),
    records = list,
  })
end

return matches
