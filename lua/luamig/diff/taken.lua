--- Names that are in use: what would make PostgreSQL choose another one than the usual, and what
-- gets free when something is dropped.

local names = require("luamig.diff.names")
local not_null = require("luamig.diff.not_null")

local taken = {}

local named_in_schema = {
  constraint = true, index = true, sequence = true, table = true, ["foreign table"] = true,
  view = true, ["materialized view"] = true, composite = true,
}

-- { ["schema.name"] = how many constraints and relations have it, before or afterwards }
local function name_counts(plan)
  local counts, seen = {}, {}
  for _, objects in ipairs({ plan.a.objects, plan.b.objects }) do
    for identity, object in pairs(objects) do
      if named_in_schema[object.kind] and not seen[identity] then
        local name = names.sql(object)
        seen[identity], counts[name] = true, (counts[name] or 0) + 1
      end
    end
  end
  return counts
end

---Whether PostgreSQL would make up another name, for there is something that has this one.
---@return boolean
function taken.is_shared(plan, schema, name)
  plan.name_counts = plan.name_counts or name_counts(plan)
  return (plan.name_counts[names.sql({ schema = schema, name = name })] or 0) > 1
end

---Whether something of the new snapshot has a name that relations share.
---@return boolean
function taken.is_there(plan, schema, name)
  if not plan.new_names then
    plan.new_names = {}
    for _, object in pairs(plan.b.objects) do
      if named_in_schema[object.kind] then
        plan.new_names[names.sql(object)] = true
      end
    end
  end
  return plan.new_names[names.sql({ schema = schema, name = name })] ~= nil
end

-- The names that NOT NULLs of tables that stay have already.
local function not_null_names(plan)
  local out = {}
  for identity, object in pairs(plan.a.objects) do
    for _, column in ipairs(plan.b.objects[identity] and object.kind == "table"
      and object.columns or {}) do
      if column.not_null then
        out[names.sql({ schema = object.schema, name = not_null.name(object, column) })] = true
      end
    end
  end
  return out
end

---Whether the NOT NULL of a column of a new table would get another name than the usual one.
---@return boolean
function taken.is_not_null(plan, object, column)
  plan.not_null_names = plan.not_null_names or not_null_names(plan)
  return plan.not_null_names[names.sql({
    schema = object.schema, name = not_null.name(object, column),
  })] ~= nil
end

local key_constraints = { primary_key = true, unique = true, exclude = true }

---The names of the relations among old objects: of tables and views, indexes, sequences.
---@param set table<string, true>  identities
---@return table<string, true>
function taken.relations(plan, set)
  local out = {}
  for identity in pairs(set) do
    local object = plan.a.objects[identity]
    if object and named_in_schema[object.kind]
      and (object.kind ~= "constraint" or key_constraints[object.type]) then
      out["relation " .. names.sql(object)] = true
    end
  end
  return out
end

return taken
