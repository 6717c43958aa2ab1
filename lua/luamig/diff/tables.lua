--- Tables and foreign tables that go or change; new ones are in table_creation.lua.

local column_fates = require("luamig.diff.column_fates")
local column_inheritance = require("luamig.diff.column_inheritance")
local columns = require("luamig.diff.columns")
local compare = require("luamig.snapshot.compare")
local constraints = require("luamig.diff.constraints")
local names = require("luamig.diff.names")
local partitions = require("luamig.diff.partitions")
local records = require("luamig.diff.records")
local table_creation = require("luamig.diff.table_creation")
local table_settings = require("luamig.diff.table_settings")
local taken = require("luamig.diff.taken")
local value = require("luamig.value")

local same_object = compare.same_object

local tables = { create = table_creation.create }

-- A default that uses what needs the table itself.
local function defaults_that_go(plan, object, parts)
  for _, column in ipairs(object.columns) do
    local identity = plan.column_identity(object, column.name)
    if column.default and plan.a.depends[identity] then
      parts[#parts + 1] = {
        identity = identity, frees = { [identity] = true },
        releases = plan.a.depends[identity],
        alone = function()
          plan:node({
            when = "drop", kind = "column", identity = identity, frees = { [identity] = true },
            records = {
              records.new("alter_column", {
                table = plan:name(object), column = column.name, default = value.none,
              }),
            },
          })
        end,
      }
    end
  end
end

---Makes the node that drops a table.
function tables.drop(plan, identity, object)
  local takes = plan:with_companions({ [identity] = true })
  local frees = {}
  for one in pairs(takes) do
    frees[one] = true
  end
  local is_foreign = object.kind == "foreign table"
  local vacates = taken.relations(plan, takes)
  for name in pairs(table_creation.claims(object)) do
    vacates[name] = true
  end
  local parts = constraints.parts_that_go(plan, identity, takes)
  defaults_that_go(plan, object, parts)
  plan:node({
    when = "drop", kind = object.kind, identity = identity, takes = takes, frees = frees,
    parts = parts, vacates = vacates, leaves = object.partition_of,
    records = {
      is_foreign and records.sql("DROP FOREIGN TABLE %s", names.sql(object))
        or records.new("drop_table", { name = plan:name(object) }),
    },
    data_loss = not is_foreign and "table " .. plan:name(object) or nil,
  })
end

---@return "replace"|"alter"
function tables.compare(plan, before, after, identity)
  if before.server ~= after.server then
    return "replace"
  elseif before.partition_by ~= after.partition_by then
    plan:cannot(identity, ("how it is partitioned: %s instead of %s"):format(
      before.partition_by or "not at all", after.partition_by or "not at all"))
  end
  return "alter"
end

-- A table without a parent first, then those that inherit from it.
local function depth_of(plan, identity, seen)
  local depth = 0
  for _, parent in ipairs(column_inheritance.parents(plan, identity)) do
    if not seen[parent] then
      seen[parent] = true
      depth = math.max(depth, 1 + depth_of(plan, parent, seen))
    end
  end
  return depth
end

---Identities in an order in which parents come before their children.
---@param identities string[]
---@return string[]
function tables.parents_first(plan, identities)
  local depths, out = {}, table.move(identities, 1, #identities, 1, {})
  for _, identity in ipairs(out) do
    depths[identity] = depth_of(plan, identity, {})
  end
  table.sort(out, function(x, y)
    if depths[x] ~= depths[y] then
      return depths[x] < depths[y]
    end
    return x < y
  end)
  return out
end

local function collect_followers(plan, identities)
  plan.followers = {}
  for _, identity in ipairs(identities) do
    for _, parent in ipairs(column_inheritance.parents(plan, identity)) do
      plan.followers[parent] = plan.followers[parent] or {}
      table.insert(plan.followers[parent], identity)
    end
  end
end

-- Nothing is apart, not even the order of the columns, and no parent can change that.
local function is_untouched(plan, identity, before, after)
  local options = setmetatable({ column_order = true }, { __index = plan.options })
  return #column_inheritance.parents(plan, identity) == 0 and same_object(before, after, options)
end

local function compare_one(plan, identity, before, after)
  if is_untouched(plan, identity, before, after) then
    return
  end
  local fate = tables.compare(plan, before, after, identity)
  if fate == "replace" then
    plan.fate[identity] = fate
    return
  end
  if partitions.is_attached(plan, before, after) then
    plan.standalone[identity] = true
  end
  local is_changed = column_fates.compare(plan, identity)
  plan.ordered[#plan.ordered + 1] = identity
  if is_changed or not same_object(before, after, plan.options) then
    plan.fate[identity] = fate
  end
end

---Says which tables will not have their columns in the order that is wanted. Known when every
---column has its fate.
function tables.check_order(plan)
  for _, identity in ipairs(plan.ordered) do
    if not plan:is_gone(identity) then
      column_fates.check_order(plan, identity)
    end
  end
end

---Sets the fates of all tables that are in both snapshots, and of their columns.
function tables.compare_all(plan)
  local identities = {}
  for identity, after in pairs(plan.b.objects) do
    if after.kind == "table" or after.kind == "foreign table" then
      identities[#identities + 1] = identity
    end
  end
  table.sort(identities)
  collect_followers(plan, identities)
  for _, identity in ipairs(tables.parents_first(plan, identities)) do
    local before, after = plan.a.objects[identity], plan.b.objects[identity]
    if before then
      compare_one(plan, identity, before, after)
    elseif not tables.is_made_as_part(plan, after) then
      plan.standalone[identity] = true
    end
  end
end

-- A new partition has its columns from its table; one with another order brings its own.
function tables.is_made_as_part(plan, object)
  if not object.partition_of then
    return true
  end
  local parent = plan.b.objects[object.partition_of]
  if not parent or #parent.columns ~= #object.columns then
    return false
  end
  for i, column in ipairs(object.columns) do
    local same = parent.columns[i]
    if same.name ~= column.name or same.type ~= column.type
      or same.collation ~= column.collation then
      return false
    end
  end
  return true
end

---Makes the nodes that change a table in place.
function tables.alter(plan, identity, before, after)
  partitions.move(plan, identity, before, after)
  columns.nodes(plan, identity)
  table_settings.alter(plan, identity, before, after)
end

return tables
