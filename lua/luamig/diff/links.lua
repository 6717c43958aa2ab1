--- Which node of a plan must come before which: what is needed comes first, what is in the way goes
-- first.
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
--   prefers             names that had better be vacated before
--   joins, leaves       a partitioned table: what leaves it makes room for what joins it
--   mentions, known_as  the words of a body, and the word that such a body may say

local links = {}


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
function links.giver(self, identity)
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
  edge(early(self, identity, node) or links.giver(self, identity), node)
  for _, member in ipairs(self.members[identity] or {}) do
    edge(member, node, true)
  end
end

-- The parent and the schema of what is new.
local function link_place(self, identity, node)
  local object = self.plan.b.objects[identity]
  if object and self.plan:is_made(identity) then
    edge(self.giver[object.parent or ""], node)
    edge(self.giver[object.schema and self.plan.schema_identity(object.schema) or ""], node)
  end
end

local function link_needs(self, node)
  local skips = node.skips or {}
  for identity in pairs(node.gives or {}) do
    for needed in pairs(self.plan.b.depends[identity] or {}) do
      if not skips[needed] then
        need(self, needed, node)
      end
    end
    link_place(self, identity, node)
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
      vacated[name] = vacated[name] or {}
      table.insert(vacated[name], node)
    end
  end
  for _, node in ipairs(self.nodes) do
    for _, field in ipairs({ "claims", "prefers" }) do
      for name in pairs(node[field] or {}) do
        for _, other in ipairs(vacated[name] or {}) do
          edge(other, node, field == "prefers")
        end
      end
    end
  end
end

-- What of a partitioned table's own a node makes.
local function makes_child_of(self, node, parents)
  for identity in pairs(node.gives or {}) do
    local object = self.plan.b.objects[identity]
    if object and parents[object.parent or ""] and self.plan:is_made(identity) then
      return object.parent
    end
  end
  return nil
end

local function takes_child_of(self, node, parents)
  for identity in pairs(node.takes or {}) do
    local object = self.plan.a.objects[identity]
    if object and parents[object.parent or ""] then
      return object.parent
    end
  end
  return nil
end

-- The nodes of partitioned tables, by the table that a field names and those above it.
local function nodes_by(self, field, snapshot)
  local lists = {}
  for _, node in ipairs(self.nodes) do
    local identity = node[field]
    while identity do
      lists[identity] = lists[identity] or {}
      table.insert(lists[identity], node)
      identity = snapshot.objects[identity] and snapshot.objects[identity].partition_of
    end
  end
  return lists
end

-- The bounds of a new partition may be those of one that goes, or is bounded otherwise from now on;
-- what a partitioned table gets, its new partitions get too.
local function link_leavers(self, node, leavers)
  local joined = node.joins or makes_child_of(self, node, leavers)
  for _, leaver in ipairs(leavers[joined or ""] or {}) do
    edge(leaver, node, true)
  end
end

-- What a partitioned table loses is lost by those that are its partitions then.
local function link_losses(self, node, leavers, joiners)
  for _, leaver in ipairs(leavers[takes_child_of(self, node, leavers) or ""] or {}) do
    if leaver.when ~= "drop" then
      edge(leaver, node, true)
    end
  end
  for _, joiner in ipairs(joiners[takes_child_of(self, node, joiners) or ""] or {}) do
    edge(node, joiner, true)
  end
end

local function link_partitions(self)
  local leavers = nodes_by(self, "leaves", self.plan.a)
  local joiners = nodes_by(self, "joins", self.plan.b)
  for _, node in ipairs(self.nodes) do
    link_leavers(self, node, leavers)
    link_losses(self, node, leavers, joiners)
  end
end

-- A table is not changed while columns elsewhere hold its rows: those that go, go first.
local function link_row_types(self)
  for whole, members in pairs(self.members) do
    for user in pairs(self.plan:users(whole)) do
      local letting_go = user:find("^column ") and freer(self, user)
      for _, member in ipairs(letting_go and members or {}) do
        edge(letting_go, member, true)
      end
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

---Finds for every node the nodes before it: node.before = { [node] = "hard"|"soft" }. A soft edge
---is a wish, which may be forgotten.
---@param self table  plan, nodes; gets giver, freer, taker: { [identity] = node }
function links.find(self)
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
  link_partitions(self)
  link_row_types(self)
  link_mentions(self)
end

return links
