--- Puts the nodes of a plan into an order in which the server can follow them. Cycles are broken by
-- taking parts of a node out of it (a foreign key out of its new table), or by forgetting an edge
-- that was only a wish.

local heap = require("luamig.diff.heap")
local links = require("luamig.diff.links")

local order = {}

-- Kahn's algorithm; of those that may come next the one with the smallest key.
local function sort(self)
  local waits, followers = {}, {}
  local ready = heap.new(function(x, y)
    return x.key < y.key
  end)
  for _, node in ipairs(self.nodes) do
    local count = 0
    for earlier in pairs(node.before) do
      count = count + 1
      followers[earlier] = followers[earlier] or {}
      table.insert(followers[earlier], node)
    end
    waits[node] = count
    if count == 0 then
      ready:push(node)
    end
  end
  local sorted = {}
  while ready:size() > 0 do
    local node = ready:pop()
    sorted[#sorted + 1] = node
    waits[node] = nil
    for _, follower in ipairs(followers[node] or {}) do
      waits[follower] = waits[follower] - 1
      if waits[follower] == 0 then
        ready:push(follower)
      end
    end
  end
  return sorted, waits
end

local function smallest(nodes)
  local found
  for node in pairs(nodes) do
    if not found or node.key < found.key then
      found = node
    end
  end
  return found
end

-- Nodes that wait for each other, each for the next one.
local function cycle_of(waits)
  local path, position = {}, {}
  local node = smallest(waits)
  while not position[node] do
    path[#path + 1] = node
    position[node] = #path
    local earlier = {}
    for other in pairs(node.before) do
      earlier[other] = waits[other] and true or nil
    end
    node = smallest(earlier)
  end
  return table.move(path, position[node], #path, 1, {})
end

local function forget_soft_edge(cycle)
  for i, node in ipairs(cycle) do
    local earlier = cycle[i + 1] or cycle[1]
    if node.before[earlier] == "soft" then
      node.before[earlier] = nil
      return true
    end
  end
  return false
end

-- Whether a part is one reason for the cycle: what it needs, or lets go of, is another node of it.
local function is_involved(self, node, part, in_cycle)
  local function is_elsewhere(other)
    return other ~= nil and other ~= node and in_cycle[other] ~= nil
  end
  for identity in pairs(part.needs or {}) do
    if is_elsewhere(links.giver(self, identity)) then
      return true
    end
  end
  for identity in pairs(part.releases or {}) do
    local whole = self.plan.a.parts[identity] or identity
    if is_elsewhere(self.taker[identity] or self.taker[whole]) then
      return true
    end
  end
  return false
end

-- The positions of the parts of a node that are in a cycle, and how much is to be said for leaving
-- them where they are.
local function involved_parts(self, node, in_cycle)
  local positions, weight = {}, 0
  for i, part in ipairs(node.parts or {}) do
    if is_involved(self, node, part, in_cycle) then
      positions[#positions + 1] = i
      weight = weight + 2 + (part.weight or 0)
    end
  end
  return positions, weight
end

-- Takes parts out of that node of a cycle where the fewest of them make the cycle.
local function take_parts_out(self, cycle)
  local in_cycle = {}
  for _, node in ipairs(cycle) do
    in_cycle[node] = true
  end
  local chosen, positions, least
  for _, node in ipairs(cycle) do
    local found, weight = involved_parts(self, node, in_cycle)
    local is_better = found[1] and (not least or weight < least
      or weight == least and node.key < chosen.key)
    if is_better then
      chosen, positions, least = node, found, weight
    end
  end
  for i = #(positions or {}), 1, -1 do
    self.plan.take_out(chosen, table.remove(chosen.parts, positions[i]))
  end
  return chosen ~= nil
end

-- Two views that need each other, say: one of the edges is given up, and it is said.
local function give_up(self, cycle)
  local words = {}
  for i, node in ipairs(cycle) do
    words[i] = node.identity
  end
  cycle[1].before[cycle[2] or cycle[1]] = nil
  self.plan:cannot(cycle[1].identity, "it depends on itself: " .. table.concat(words, " -> "))
end

---@param plan table
---@return table[] nodes  in order
function order.sorted(plan)
  local self = { plan = plan, nodes = plan.nodes }
  links.find(self)
  while true do
    local sorted, waits = sort(self)
    if not next(waits) then
      return sorted
    end
    local cycle = cycle_of(waits)
    if not forget_soft_edge(cycle) then
      if take_parts_out(self, cycle) then
        links.find(self)
      else
        give_up(self, cycle)
      end
    end
  end
end

return order
