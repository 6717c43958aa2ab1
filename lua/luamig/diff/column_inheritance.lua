--- What parents hand down to the columns of their children: a child follows by itself, and only
-- what it has apart is changed in it.

local not_null = require("luamig.diff.not_null")

local column_inheritance = {}

local function copy(column)
  local out = {}
  for name, field in pairs(column) do
    out[name] = field
  end
  return out
end

-- What ALTER TABLE hands down to children, and what a new column brings to them.
local handed_down = {
  "type", "collation", "default", "not_null", "generated", "expression", "statistics", "storage",
  "not_null_not_valid",
}
local handed_to_new = {
  "name", "type", "collation", "default", "not_null", "generated", "expression", "storage",
  "type_storage", "compression",
}

-- PostgreSQL 18: the NOT NULL that comes from a parent has the parent's name for it.
local function take_not_null_name(plan, parent, child, column, mine)
  if plan:since(18) and column.not_null then
    local name = not_null.name(plan.b.objects[parent], column)
    local own = not_null.name(plan.b.objects[child], { name = column.name })
    mine.not_null_name = name ~= own and name or nil
  end
end

---What a column of a parent is in a new child, or in a child that gets it.
---@param parent string  identity
---@param child string   identity
function column_inheritance.in_child(plan, parent, child, column)
  local out = { inherited = true }
  for _, field in ipairs(handed_to_new) do
    out[field] = column[field]
  end
  take_not_null_name(plan, parent, child, column, out)
  return out
end

local function has(list, item)
  for _, one in ipairs(list or {}) do
    if one == item then
      return true
    end
  end
  return false
end

---The parents that a table has before and afterwards: what they do, it follows.
---@return string[] identities
function column_inheritance.parents(plan, identity)
  local before, after = plan.a.objects[identity], plan.b.objects[identity]
  local out = {}
  if not before or not after then
    return out
  end
  if before.partition_of and before.partition_of == after.partition_of
    and before.bound == after.bound then
    out[1] = before.partition_of
  end
  for _, parent in ipairs(before.inherits or {}) do
    if has(after.inherits, parent) then
      out[#out + 1] = parent
    end
  end
  if before.of_type and before.of_type == after.of_type
    and plan.fate[before.of_type] ~= "remake" then
    out[#out + 1] = before.of_type
  end
  return out
end

local function follow_column(mine, old, new)
  local had_not_null = mine.not_null
  for _, field in ipairs(handed_down) do
    if old[field] ~= new[field] then
      mine[field] = new[field]
    end
  end
  return not had_not_null and mine.not_null or old.not_null_name ~= new.not_null_name
end

-- What the columns that a parent loses do to a child.
local function follow_drops(plan, mine, parent, old_columns, new_columns)
  local is_type = plan.a.objects[parent].kind == "composite"
  for name in pairs(old_columns) do
    if not new_columns[name] and mine[name] and (is_type or mine[name].inherited) then
      mine[name] = nil
    end
  end
end

-- What the changes of a parent do to the columns of a child.
local function follow(plan, mine, parent, child)
  local old_columns = plan.columns.a[parent] or {} -- it has followed its own parents, so we do
  local new_columns = plan.columns.b[parent] or {}
  for name, new in pairs(new_columns) do
    local old = old_columns[name]
    if not old and not mine[name] then
      mine[name] = column_inheritance.in_child(plan, parent, child, new)
    elseif old and mine[name] and follow_column(mine[name], old, new) then
      take_not_null_name(plan, parent, child, new, mine[name])
    end
  end
  follow_drops(plan, mine, parent, old_columns, new_columns)
end

-- A sequence that gets another name gets it in the default too.
local function follow_sequence(plan, mine, identity)
  for name, column in pairs(plan.columns.b[identity] or {}) do
    local was = mine[name]
    if was and was.serial and column.serial and plan.renamed[column.serial] == was.serial then
      was.default, was.serial = column.default, column.serial
    end
  end
end

---The columns of a table as they are when its parents have been changed, by name.
---@return table<string, table>
function column_inheritance.before(plan, identity)
  plan.columns_before = plan.columns_before or {}
  local mine = plan.columns_before[identity]
  if not mine then
    mine = {}
    plan.columns_before[identity] = mine
    for name, column in pairs(plan.columns.a[identity] or {}) do
      mine[name] = copy(column)
    end
    for _, parent in ipairs(column_inheritance.parents(plan, identity)) do
      if plan.a.objects[parent] and plan.b.objects[parent] then
        follow(plan, mine, parent, identity)
      end
    end
    follow_sequence(plan, mine, identity)
  end
  return mine
end

return column_inheritance
