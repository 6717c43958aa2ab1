--- What leads from one snapshot of a database to another: changes in an order that the server can
-- follow, as calls of operations where there is one that says it all, as SQL where there is none.
--
-- A CHANGE
--   { identity = "table app.users",    what it is about
--     records  = { { op = "create_table", args = { … } }, … },   what op.invoke takes
--     data_loss = "table app.users",    what is lost, in words; absent when nothing is
--     warning = "rows that hold …" }    what may stop it
-- What cannot be done is in result.unsupported: { { identity = …, what = "the order of …" }, … }.

local compare = require("luamig.snapshot.compare")
local kinds = require("luamig.diff.kinds")
local matches = require("luamig.diff.matches")
local order = require("luamig.diff.order")
local plan = require("luamig.diff.plan")
local spread = require("luamig.diff.spread")
local tables = require("luamig.diff.tables")

local diff = {}

local function sorted_identities(...)
  local seen, out = {}, {}
  for _, objects in ipairs({ ... }) do
    for identity in pairs(objects) do
      if not seen[identity] then
        seen[identity] = true
        out[#out + 1] = identity
      end
    end
  end
  table.sort(out)
  return out
end

local is_table = { ["table"] = true, ["foreign table"] = true }

-- Objects whose names differ in kind only: a view in place of a table.
local function set_fate(self, identity)
  local before, after = self.a.objects[identity], self.b.objects[identity]
  if not before then
    self.fate[identity] = "create"
  elseif not after then
    self.fate[identity] = "drop"
  elseif not is_table[after.kind]
    and not compare.same_object(before, after, self.options) then
    self.fate[identity] = kinds[after.kind].compare(self, before, after, identity)
  end
end

local function set_fates(self)
  self.identities = sorted_identities(self.a.objects, self.b.objects)
  for _, identity in ipairs(self.identities) do
    set_fate(self, identity)
  end
  matches.find(self)
  tables.compare_all(self)
end

local function add_nodes(self, identity)
  local fate = self.fate[identity]
  local before, after = self.a.objects[identity], self.b.objects[identity]
  local family = kinds[(after or before).kind]
  if self:is_gone(identity) and not self.goes_with[identity] then
    family.drop(self, identity, before)
  end
  if (fate == "create" or fate == "replace") and not self.folded[identity] then
    family.create(self, identity, after)
  elseif fate == "rename" then
    matches.add(self, identity)
  elseif fate == "remake" then
    family.remake(self, identity, before, after)
  elseif fate == "alter" or fate == "refresh" then
    family.alter(self, identity, before, after, fate)
  end
end

-- Composite types before the tables made of them, and these before the constraints and sequences
-- that they take into themselves.
local turns = { composite = 1, table = 2, ["foreign table"] = 2, domain = 2 }

local function add_all_nodes(self)
  local identities = tables.parents_first(self, self.identities)
  for turn = 1, 3 do
    for _, identity in ipairs(identities) do
      local object = self.b.objects[identity] or self.a.objects[identity]
      if (turns[object.kind] or 3) == turn then
        add_nodes(self, identity)
      end
    end
  end
end

local function changes_of(nodes)
  local changes = {}
  for _, node in ipairs(nodes) do
    local list = node.records
    if type(list) == "function" then
      list = list(node)
    end
    changes[#changes + 1] = {
      identity = node.identity,
      records = list,
      data_loss = node.data_loss,
      warning = node.warning,
    }
  end
  return changes
end

local function by_name(list)
  local out = {}
  for _, entry in ipairs(list) do
    out[entry.kind .. " " .. entry.name] = entry
  end
  return out
end

-- What only one of the two has of the things that no snapshot describes.
local function note_unmodelled(self)
  local a, b = by_name(self.a.unmodelled), by_name(self.b.unmodelled)
  for _, name in ipairs(sorted_identities(a, b)) do
    local before, after = a[name], b[name]
    if not before or not after or before.why ~= after.why then
      self:note(name, (after or before).why)
    end
  end
end

---@class luamig.diff.Options
---@field column_order? boolean  false: it is noted, and does not count; else it counts
---@field owners? boolean        false passes them over; so for the next three
---@field privileges? boolean
---@field comments? boolean
---@field labels? boolean
---@field role? string           who will run it, and own what it makes
---@field plain_schema? string   the schema whose objects need no schema in front of their names
---@field server_version? integer  of the server it will run on; that of `a` by default
---@field naming? table          the convention for names of constraints
---@field available_extensions? table<string, table>  what CREATE EXTENSION chooses by itself:
---  { [name] = { version =, schema =, comment = } }

---@class luamig.diff.Result
---@field changes table[]      see above
---@field unsupported table[]  what differs and is not changed
---@field notes table[]        what differs and does not count: { identity =, what = }

---What leads from `a` to `b`. Pure.
---@param a table  snapshot
---@param b table  snapshot
---@param options? luamig.diff.Options
---@return luamig.diff.Result
function diff.between(a, b, options)
  local self = plan.new(a, b, options or {})
  set_fates(self)
  spread.run(self)
  tables.check_order(self)
  add_all_nodes(self)
  local changes = changes_of(order.sorted(self))
  note_unmodelled(self)
  return { changes = changes, unsupported = self.unsupported, notes = self.notes }
end

return diff
