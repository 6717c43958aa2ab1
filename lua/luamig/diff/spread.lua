--- What stands on something that goes: who uses an object that is dropped, made anew or given
-- another type must let go of it, and is made anew itself unless it lets go by its own change.

local conversion = require("luamig.diff.conversion")
local names = require("luamig.diff.names")

local spread = {}

local Spread = {}
Spread.__index = Spread

-- What happens to the thing that is used.
local disturbing = {
  drop = "gone", replace = "gone", remake = "remade", retype = "retyped",
}

-- Kinds that are changed in place by saying anew what they are: nothing of the old self stays.
local lets_go = {
  ["function"] = true, procedure = true, view = true, policy = true, publication = true,
  trigger = true,
}

function Spread:push(identity)
  self.queue[#self.queue + 1] = identity
end

function Spread:set(identity, fate)
  local plan = self.plan
  if plan.fate[identity] ~= fate then
    plan.fate[identity] = fate
    self:push(identity)
  end
  local whole = plan.a.parts[identity]
  if whole and plan.b.objects[whole] then
    plan.fate[whole] = plan.fate[whole] or "alter"
  end
end

-- A table that names the index as its identity, or is clustered on it, must name it again.
function Spread:tell_table(identity)
  local plan = self.plan
  local object = plan.b.objects[identity]
  local parent = object and object.parent
  local owner = parent and plan.b.objects[parent]
  if owner and (owner.replica_identity == object.name or owner.clustered_on == object.name) then
    plan.fate[parent] = plan.fate[parent] or "alter"
  end
end

-- Made anew when the new snapshot has it, else it is gone.
function Spread:replace(identity)
  local plan = self.plan
  local fate = plan.fate[identity]
  if not plan.b.objects[identity] then
    fate = fate or "drop"
    self:set(identity, fate)
  elseif fate ~= "replace" then
    self:set(identity, "replace")
  end
end

local function needs_in_new(plan, user, used)
  return (plan.b.depends[user] or {})[used] ~= nil
end

local function column_of(plan, identity)
  local whole = plan.a.parts[identity]
  local object = plan.a.objects[whole]
  for _, column in ipairs(object.columns) do
    if plan.column_identity(object, column.name) == identity then
      return column, object, whole
    end
  end
  return nil
end

local function is_type_of(plan, column, used)
  local object = plan.a.objects[used]
  return object ~= nil and names.base_type(column.type) == names.sql(object)
end

-- A default, or the expression of a generated column, that uses something.
function Spread:refresh(identity, column)
  local plan = self.plan
  local fate = plan.fate[identity]
  if fate == "replace" or fate == "drop" or fate == "retype" then
    return
  elseif column.generated and not plan:since(17) then
    self:set(identity, "replace")
  else
    self:set(identity, "refresh")
  end
end

-- An attribute of a composite type: the type is made anew with it.
function Spread:attribute(whole, used, what)
  local plan = self.plan
  if plan.b.objects[whole] and (what == "remade" or plan.fate[used] == "replace") then
    self:set(whole, "remake")
  end
end

local function is_collation(plan, used)
  local object = plan.a.objects[used]
  return object ~= nil and object.kind == "collation"
end

-- A column of a table that stays uses a type, a collation, or something in its default.
function Spread:table_column(identity, column, used, what)
  local plan = self.plan
  local is_type = is_type_of(plan, column, used)
  if not needs_in_new(plan, identity, used) then
    return
  elseif is_type and what == "remade" or is_collation(plan, used) then
    plan.remade[identity] = is_type and "type" or "collation"
    self:set(identity, "retype")
  elseif not is_type then
    self:refresh(identity, column)
  end
end

function Spread:column(identity, used, what)
  local plan = self.plan
  local column, object, whole = column_of(plan, identity)
  local fate = plan.fate[identity]
  if not column or plan:is_gone(whole) or fate == "drop" or fate == "replace" then
    return
  elseif object.kind == "composite" then
    self:attribute(whole, used, what)
  else
    self:table_column(identity, column, used, what)
  end
end

-- A foreign key stays while its columns change from integer to bigint, but not to uuid.
local function survives_retype(plan, identity)
  local object = plan.a.objects[identity]
  if object.type ~= "foreign_key" then
    return true
  end
  local function all_comparable(whole, list)
    local old, new = plan.columns.a[whole], plan.columns.b[whole]
    for _, name in ipairs(list or {}) do
      local before, after = old and old[name], new and new[name]
      if before and after and not conversion.comparable(plan, before.type, after.type) then
        return false
      end
    end
    return true
  end
  return all_comparable(object.parent, object.columns)
    and all_comparable(object.references.table, object.references.columns)
end

local follows_retype = { constraint = true, index = true, statistics = true, sequence = true }

-- What an object of each kind does when something it uses is disturbed, where that is not the
-- usual: to be made anew.
local react = {}

react["default privileges"] = function() end

-- Parents and types that go: the table leaves and joins them in its own change.
function react.table(self, identity)
  self.plan.fate[identity] = self.plan.fate[identity] or "alter"
end

function react.publication(self, identity)
  self.plan.fate[identity] = self.plan.fate[identity] or "alter"
end

function react.domain(self, identity, used, what)
  if what == "remade" or is_type_of(self.plan, self.plan.a.objects[identity], used) then
    self:set(identity, "remake")
  else
    self:set(identity, "refresh")
  end
end

function react.range(self, identity)
  self:set(identity, "remake")
end

react["base type"] = react.range
react.composite = react.range
react.enum = react.range

-- One that belongs to a sequence of columns moves with them when the column stays.
function react.sequence(self, identity, used)
  if self.plan.fate[used] == "replace" then
    self:replace(identity)
  end
end

local function sorted_pairs(map)
  local keys = {}
  for key in pairs(map) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  local i = 0
  return function()
    i = i + 1
    return keys[i], map[keys[i]]
  end
end

-- The part of a partitioned table's index goes with that, unless its table leaves first.
function Spread:part(identity, object, what)
  local plan = self.plan
  local now, parent = plan.b.objects[identity], plan.b.objects[object.parent]
  local old_parent = plan.a.objects[object.parent]
  local is_left = now and parent and now.part_of ~= object.part_of
    and parent.partition_of == old_parent.partition_of
  if what == "gone" and is_left then
    self:replace(identity)
    plan:go_with(identity, object.part_of)
  end
end

function Spread:object(identity, used, what)
  local plan = self.plan
  local object = plan.a.objects[identity]
  if not object or plan:is_gone(identity) then
    return
  elseif what == "retyped" and follows_retype[object.kind] and survives_retype(plan, identity) then
    return
  elseif not plan.b.objects[identity] then
    return
  elseif object.part_of then
    self:part(identity, object, what)
  elseif plan.fate[identity] == "alter" and lets_go[object.kind]
    and not needs_in_new(plan, identity, used) then
    return
  elseif react[object.kind] then
    react[object.kind](self, identity, used, what)
  else
    self:replace(identity)
  end
end

-- What belongs to a table, view or domain goes when that goes.
function Spread:children(identity)
  for _, child in ipairs(self.plan.children.a[identity] or {}) do
    self:replace(child)
    self.plan:go_with(child, identity)
  end
end

local implicit = { auto = true, internal = true }

-- Of a partition that leaves its table, and keeps what it has there.
local function is_kept_by_leaver(plan, object)
  local before, after = plan.a.objects[object.parent or ""], plan.b.objects[object.parent or ""]
  return object.part_of ~= nil and after ~= nil
    and (before.partition_of ~= after.partition_of or before.bound ~= after.bound)
end

-- What PostgreSQL drops along, and nobody wants any more.
function Spread:companions_of(identity)
  local plan = self.plan
  for user, strength in sorted_pairs(plan:users(identity)) do
    local object = plan.a.objects[user]
    local is_unwanted = object and not plan.b.objects[user]
      and not is_kept_by_leaver(plan, object)
    if implicit[strength] and is_unwanted and not plan.goes_with[user] then
      plan:go_with(user, identity)
    end
  end
end

function Spread:visit(identity)
  local plan = self.plan
  local what = disturbing[plan.fate[identity]]
  self:tell_table(identity)
  if not what then
    return
  end
  for user in sorted_pairs(plan:users(identity)) do
    if plan.a.objects[user] then
      self:object(user, identity, what)
    else
      self:column(user, identity, what)
    end
  end
  if what == "gone" then
    self:children(identity)
    self:companions_of(identity)
  end
end

-- The columns of an object that goes are gone too.
function Spread:columns(identity)
  local plan = self.plan
  local object = plan.a.objects[identity]
  if object and plan:is_gone(identity) then
    plan:each_old_column(identity, function(column)
      plan.fate[column] = "drop"
      self:push(column)
    end)
  end
end

---Carries the fates on to whoever is concerned.
---@param plan table
function spread.run(plan)
  local self = setmetatable({ plan = plan, queue = {} }, Spread)
  for identity in pairs(plan.fate) do
    self:push(identity)
  end
  table.sort(self.queue)
  local at = 1
  while self.queue[at] do
    self:columns(self.queue[at])
    self:visit(self.queue[at])
    at = at + 1
  end
end

return spread
