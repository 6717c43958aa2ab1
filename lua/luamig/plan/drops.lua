--- What a statement drops, a name each, without what goes with its table anyway.

local drops = {}

local order = { table = 1, ["partitioned table"] = 1, view = 2, ["materialized view"] = 2 }

local function relations(out, entry)
  local list = {}
  for _, relation in ipairs(entry.dropped) do
    list[#list + 1] = not relation.table and relation or nil
  end
  table.sort(list, function(a, b)
    local one, other = order[a.kind] or 3, order[b.kind] or 3
    if one ~= other then
      return one < other
    end
    return a.shown < b.shown
  end)
  for _, relation in ipairs(list) do
    out[#out + 1] = relation.shown
  end
end

local function constraints(out, entry)
  for _, item in ipairs(entry.constraints) do
    local owner = item.constraint.table
    if item.what == "dropped" and owner and not owner.is_dropped then
      out[#out + 1] = ("constraint %s of %s"):format(item.constraint.name, owner.shown)
    end
  end
end

local function columns(out, entry)
  for _, item in ipairs(entry.columns) do
    if item.what == "dropped" and not item.relation.is_dropped then
      out[#out + 1] = ("column %s of %s"):format(item.name, item.relation.shown)
    end
  end
end

-- The index of a constraint is told as the constraint.
local function indexes(out, entry)
  local of_constraint = {}
  for _, item in ipairs(entry.constraints) do
    of_constraint[item.constraint.index] = true
  end
  for _, relation in ipairs(entry.dropped) do
    if relation.table and not relation.table.is_dropped and not of_constraint[relation.oid] then
      out[#out + 1] = "index " .. relation.shown
    end
  end
end

---@param entry luamig.trace.Entry
---@return string[]  "users", "constraint f of orders", "function public.f()"
function drops.of(entry)
  local out = {}
  for _, add in ipairs({ relations, constraints, columns, indexes }) do
    add(out, entry)
  end
  return table.move(entry.dropped_objects, 1, #entry.dropped_objects, #out + 1, out)
end

return drops
