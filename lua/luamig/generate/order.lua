--- The order in which tables are filled: what is referred to comes first. Pure.
--
-- Where foreign keys form a circle, one that may be NULL is left for later (reference.is_later):
-- the rows go in without it, and get it when all are there. A circle of keys that may not be NULL
-- is a knot: its tables are filled by one statement, at whose end the keys are checked
-- (reference.is_inside).

local order = {}

-- Tarjan's strongly connected components; what is referred to comes out first.
local function components(nodes, targets_of)
  local index, low, on_stack, stack, out, count = {}, {}, {}, {}, {}, 0
  local function visit(node)
    count = count + 1
    index[node], low[node], on_stack[node] = count, count, true
    stack[#stack + 1] = node
    for _, target in ipairs(targets_of(node)) do
      if not index[target] then
        visit(target)
        low[node] = math.min(low[node], low[target])
      elseif on_stack[target] then
        low[node] = math.min(low[node], index[target])
      end
    end
    if low[node] == index[node] then
      local component = {}
      repeat
        local member = table.remove(stack)
        on_stack[member] = nil
        table.insert(component, 1, member)
      until member == node
      out[#out + 1] = component
    end
  end
  for _, node in ipairs(nodes) do
    if not index[node] then
      visit(node)
    end
  end
  return out
end

local function set_of(list)
  local set = {}
  for _, item in ipairs(list) do
    set[item] = true
  end
  return set
end

-- The units that the references of a unit lead to, among the members.
local function targets(members, accepts)
  return function(unit)
    local out = {}
    for _, reference in ipairs(unit.references) do
      for _, parent in ipairs(accepts(reference) and reference.parents or {}) do
        out[#out + 1] = members[parent] and parent or nil
      end
    end
    return out
  end
end

local function leads_inside(reference, members)
  for _, parent in ipairs(reference.parents) do
    if members[parent] then
      return true
    end
  end
  return false
end

-- Marks the references within a component; returns how many there are.
local function mark(component, name, accepts)
  local members, count = set_of(component), 0
  for _, unit in ipairs(component) do
    for _, reference in ipairs(unit.references) do
      if accepts(reference) and leads_inside(reference, members) then
        reference[name] = true
        count = count + 1
      end
    end
  end
  return count
end

local function is_any()
  return true
end

local function is_optional(reference)
  return reference.is_optional
end

local function is_required(reference)
  return not reference.is_later
end

-- The steps of one component, after the keys that may be NULL are out of the way.
local function untie(component, steps)
  mark(component, "is_later", is_optional)
  for _, part in ipairs(components(component, targets(set_of(component), is_required))) do
    local is_knot = mark(part, "is_inside", is_required) > 0
    steps[#steps + 1] = { units = part, is_knot = is_knot }
  end
end

---Finds the units that each foreign key leads to: reference.parents; none when it is a table that
---is not filled here, whose rows may serve all the same.
---@param units table[]
function order.link(units)
  local by_identity = {}
  for _, unit in ipairs(units) do
    for _, identity in ipairs(unit.above) do
      local list = by_identity[identity] or {}
      by_identity[identity] = list
      list[#list + 1] = unit
    end
  end
  for _, unit in ipairs(units) do
    for _, reference in ipairs(unit.references) do
      reference.parents = by_identity[reference.parent] or {}
      reference.is_partitioned = #reference.parents > 0
        and reference.parents[1].identity ~= reference.parent
    end
  end
end

---The units that are wanted, and those that they refer to.
---@param units table[]  linked
---@param only string[]|nil  identities; of a partitioned table, too
---@return table[]
function order.wanted(units, only)
  if not only then
    return units
  end
  local wanted, names = {}, set_of(only)
  local function want(unit)
    if not wanted[unit] then
      wanted[unit] = true
      for _, reference in ipairs(unit.references) do
        for _, parent in ipairs(reference.parents) do
          want(parent)
        end
      end
    end
  end
  for _, unit in ipairs(units) do
    for _, identity in ipairs(unit.above) do
      if names[identity] then
        want(unit)
      end
    end
  end
  local out = {}
  for _, unit in ipairs(units) do
    out[#out + 1] = wanted[unit] and unit or nil
  end
  return out
end

---@param units table[]  linked
---@return table[] steps  { units = list, is_knot = boolean }
function order.steps(units)
  local steps = {}
  for _, component in ipairs(components(units, targets(set_of(units), is_any))) do
    untie(component, steps)
  end
  return steps
end

return order
