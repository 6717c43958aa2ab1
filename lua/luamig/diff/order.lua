--- Puts the nodes of a plan into an order in which the server can follow them: what is needed comes
-- first, what is in the way goes first. Cycles are broken by taking parts of a node out of it
-- (a foreign key out of its new table), or by forgetting an edge that was only a wish.
--
-- A node says, in identities of the two snapshots:
--   gives   what is as the new snapshot has it, once the node has run
--   needs   what of the new snapshot it needs besides what `gives` depends on
--   skips   what it does not need although `gives` depends on it
--   takes   what of the old snapshot is gone or disturbed by it: users must have let go before
--   ends    the same, for an old self that was put aside by another node
--   frees   what lets go of all that it used in the old snapshot
--   behind  old things that must be gone before it
--   after   nodes that come before it
--   precedes, follows   tables: this node comes before, or after, all nodes of their columns
--   moves   a type whose name is given to its successor
--   claims, vacates     names of things of different kinds that exclude each other
--   mentions, known_as  the words of a body, and the word that such a body may say

local heap = require("luamig.diff.heap")

local order = {}

local Graph = {}
Graph.__index = Graph

local function index(self, field)
  local owner = {}
  for _, node in ipairs(self.nodes) do
    for identity in pairs(node[field] or {}) do
      owner[identity] = node
    end
  end
  return owner
end

local function edge(before, after, is_soft)
  if before and before ~= after then
    after.before[before] = (is_soft and after.before[before] ~= "hard") and "soft" or "hard"
  end
end

-- The node that brings what a new object needs: a column of a new table comes with the table.
local function giver(self, identity)
  local node = self.giver[identity]
  if node then
    return node
  end
  local whole = self.plan.b.parts[identity]
  return whole and self.plan:is_made(whole) and self.giver[whole] or nil
end

local function freer(self, identity)
  return self.freer[identity] or self.freer[self.plan.a.parts[identity] or ""]
end

-- The functions of a base type need its shell only.
local function early(self, identity, node)
  local shell = self.plan.early[identity]
  for given in pairs(shell and node.gives or {}) do
    if (self.plan.b.depends[identity] or {})[given] then
      return shell
    end
  end
  return nil
end

-- A table that is changed gives its row type when all its columns are there.
local function need(self, identity, node)
  edge(early(self, identity, node) or giver(self, identity), node)
  for _, member in ipairs(self.members[identity] or {}) do
    edge(member, node, true)
  end
end

local function link_needs(self, node)
  local b = self.plan.b
  for identity in pairs(node.gives or {}) do
    for needed in pairs(b.depends[identity] or {}) do
      if not (node.skips and node.skips[needed]) then
        need(self, needed, node)
      end
    end
    local object = b.objects[identity]
    if object and self.plan:is_made(identity) then
      edge(self.giver[object.parent or ""], node)
      edge(self.giver[object.schema and self.plan:schema_identity(object.schema) or ""], node)
    end
  end
  for needed in pairs(node.needs or {}) do
    need(self, needed, node)
  end
end

local function link_users(self, node, field)
  for identity in pairs(node[field] or {}) do
    for user in pairs(self.plan:users(identity)) do
      edge(freer(self, user), node)
    end
  end
end

-- A type is put aside under another name when its successor is made: whoever says its name to
-- drop something must have done so.
local function link_moved(self, node)
  for identity in pairs(node.moves or {}) do
    for user in pairs(self.plan:users(identity)) do
      if not user:find("^column ") and self.plan.fate[user] ~= "remake" then
        edge(freer(self, user), node)
      end
    end
  end
end

local function link_names(self)
  local vacated = {}
  for _, node in ipairs(self.nodes) do
    for name in pairs(node.vacates or {}) do
      vacated[name] = node
    end
  end
  for _, node in ipairs(self.nodes) do
    for name in pairs(node.claims or {}) do
      edge(vacated[name], node)
    end
  end
end

-- The body of a function may say what the catalogs do not know.
local function link_mentions(self)
  local named = {}
  for _, node in ipairs(self.nodes) do
    if node.known_as then
      named[node.known_as] = named[node.known_as] or {}
      table.insert(named[node.known_as], node)
    end
  end
  for _, node in ipairs(self.nodes) do
    for word in (node.mentions or ""):gmatch("[%w_\x80-\xff]+") do
      for _, other in ipairs(named[word] or {}) do
        edge(other, node, true)
      end
    end
  end
end

-- What is made anew should not find what its old self used, which is on its way out.
local function link_forgotten(self, identity, node)
  if self.plan.fate[identity] == "replace" then
    for used in pairs(self.plan.a.depends[identity] or {}) do
      if self.plan:is_gone(used) then
        edge(self.taker[used], node, true)
      end
    end
  end
end

-- What must happen before or after all that is done to the columns of a table.
local function link_members(self, node)
  for identity in pairs(node.precedes or {}) do
    for _, member in ipairs(self.members[identity] or {}) do
      edge(node, member)
    end
  end
  for identity in pairs(node.follows or {}) do
    for _, member in ipairs(self.members[identity] or {}) do
      edge(member, node)
    end
  end
end

local function collect_members(self)
  self.members = {}
  for _, node in ipairs(self.nodes) do
    local whole = node.member_of
    if whole then
      self.members[whole] = self.members[whole] or {}
      table.insert(self.members[whole], node)
    end
  end
end

local function link(self)
  for _, node in ipairs(self.nodes) do
    node.before = {}
  end
  self.giver, self.freer, self.taker =
    index(self, "gives"), index(self, "frees"), index(self, "takes")
  collect_members(self)
  for _, node in ipairs(self.nodes) do
    link_needs(self, node)
    link_users(self, node, "takes")
    link_users(self, node, "ends")
    link_moved(self, node)
    for identity in pairs(node.gives or {}) do
      edge(self.taker[identity], node)
      link_forgotten(self, identity, node)
    end
    for _, earlier in ipairs(node.after or {}) do
      edge(earlier, node)
    end
    for identity in pairs(node.behind or {}) do
      edge(freer(self, identity), node)
    end
    link_members(self, node)
  end
  link_names(self)
  link_mentions(self)
end

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

-- Whether a part is one reason for the cycle: what it needs, or lets go of, is in it.
local function is_involved(self, part, in_cycle)
  for identity in pairs(part.needs or {}) do
    if in_cycle[giver(self, identity) or false] then
      return true
    end
  end
  for identity in pairs(part.releases or {}) do
    local whole = self.plan.a.parts[identity] or identity
    if in_cycle[self.taker[identity] or self.taker[whole] or false] then
      return true
    end
  end
  return false
end

-- Takes those parts out of the nodes of a cycle that are in it.
local function take_parts_out(self, cycle)
  local in_cycle, did = {}, false
  for _, node in ipairs(cycle) do
    in_cycle[node] = true
  end
  for _, node in ipairs(cycle) do
    for i = #(node.parts or {}), 1, -1 do
      local part = node.parts[i]
      if is_involved(self, part, in_cycle) then
        table.remove(node.parts, i)
        self.plan:take_out(node, part)
        did = true
      end
    end
  end
  return did
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
  local self = setmetatable({ plan = plan, nodes = plan.nodes }, Graph)
  link(self)
  while true do
    local sorted, waits = sort(self)
    if not next(waits) then
      return sorted
    end
    local cycle = cycle_of(waits)
    if not forget_soft_edge(cycle) then
      if take_parts_out(self, cycle) then
        link(self)
      else
        give_up(self, cycle)
      end
    end
  end
end

return order
