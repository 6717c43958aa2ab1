--- Which columns of a unit (units.lua) a statement gives, and where each value comes from. Pure.
--
-- ADDED TO A UNIT
--   given     columns whose values candidates have, in order; column.value_sql: SQL makes it
--   columns_out   columns that an INSERT names
--   picked    foreign keys whose columns come from a row of the table they lead to
--   extra     generated columns that a condition speaks of
--   plain_keys   keys that candidates have all columns of
--   computed  { { column (name), sql }, … }: columns that conditions give the value of
--   usable    conditions that a query can evaluate before the row is in the table
--   hash      the unit's own number
--   reference.forgotten   of a key that is left for later: the columns that are NULL until then
--   reference.is_key   one of them is in a unique key

local computed = require("luamig.generate.computed")
local quote = require("luamig.quote")
local random = require("luamig.generate.random")

local layout = {}

local function is_mentioned(unit, column)
  for _, condition in ipairs(unit.conditions) do
    if condition.columns[column.name] then
      return true
    end
  end
  return false
end

local function is_referred_inside(unit, column)
  return unit.is_knotted and unit.is_knotted[column.name]
end

-- What the column's sequence or default gives, for one row.
local function own_value(unit, column)
  if column.identity then
    return ("pg_catalog.nextval(pg_catalog.pg_get_serial_sequence(%s, %s))"):format(
      quote.string(unit.root), quote.string(column.name))
  end
  return ("(%s)"):format(column.default or "NULL")
end

-- A column that fills itself is given only when a condition, or a row of the same statement, must
-- see its value; the bounds of a partition ask for values of their own.
local function gives_auto(unit, column)
  column.value_sql = nil
  if not is_mentioned(unit, column) and not is_referred_inside(unit, column) then
    return false
  end
  if not (unit.bound and unit.bound.columns[column.name]) then
    column.value_sql = own_value(unit, column)
  end
  return true
end

-- The foreign keys that a column is in: those that are picked, and whether one is inside a knot.
local function references_of(unit, column)
  local picked, is_inside = {}, false
  for _, reference in ipairs(unit.references) do
    for _, name in ipairs(reference.columns) do
      if name == column.name then
        is_inside = is_inside or reference.is_inside
        picked[#picked + 1] = not reference.is_later and not reference.is_inside and reference
          or nil
      end
    end
  end
  return picked, is_inside
end

local function all_optional(references)
  for _, reference in ipairs(references) do
    if not reference.is_optional then
      return false
    end
  end
  return true
end

-- Whether candidates must have a value for the column of a foreign key.
local function gives_reference(unit, column)
  local picked, is_inside = references_of(unit, column)
  if is_inside then
    return false
  elseif #picked == 0 then
    return not column.nullable
  end
  return not column.nullable and all_optional(picked)
end

local function add(unit, column)
  if column.generated then
    unit.extra[#unit.extra + 1] = is_mentioned(unit, column) and column or nil
    return
  elseif column.is_left_out then
    return
  elseif column.is_auto and not column.is_reference then
    if not gives_auto(unit, column) then
      return
    end
    unit.given[#unit.given + 1] = column
  elseif not column.is_reference or gives_reference(unit, column) then
    unit.given[#unit.given + 1] = column
  end
  unit.columns_out[#unit.columns_out + 1] = column
end

-- A row needs some column: one that would fill itself is asked for its value.
local function give_something(unit)
  for _, column in ipairs(unit.columns) do
    if #unit.columns_out == 0 and not column.generated then
      column.value_sql = own_value(unit, column)
      unit.given[1], unit.columns_out[1] = column, column
    end
  end
end

local function is_available(unit, condition)
  for name in pairs(condition.columns) do
    local column = unit.by_name[name]
    if column and column.is_left_out and not column.generated then
      return false
    end
  end
  return condition.is_usable
end

-- The columns whose NULL says that the key is not made yet: those that no other key needs.
local function forgotten(unit, reference)
  local alone, all = {}, {}
  for name in pairs(reference.optional_columns) do
    all[#all + 1] = name
    if #references_of(unit, unit.by_name[name]) == 0 then
      alone[#alone + 1] = name
    end
  end
  local names = (#alone == 0 or reference.is_full) and all or alone
  table.sort(names)
  return names
end

-- The keys that candidates have all columns of.
local function plain_keys(unit)
  local is_out, list = {}, {}
  for _, column in ipairs(unit.columns_out) do
    is_out[column.name] = true
  end
  for _, key in ipairs(unit.keys) do
    local is_whole = key.is_plain
    for _, name in ipairs(key.columns) do
      is_whole = is_whole and is_out[name]
    end
    list[#list + 1] = is_whole and key or nil
  end
  return list
end

local function has_key(unit, names)
  for _, name in ipairs(names) do
    if unit.by_name[name].is_key then
      return true
    end
  end
  return false
end

---Lays a unit out, after the order (order.lua) is known.
---@param unit table
---@param seed integer
function layout.add(unit, seed)
  unit.hash = random.hash(unit.identity, seed)
  unit.given, unit.columns_out, unit.extra, unit.picked, unit.usable = {}, {}, {}, {}, {}
  for _, reference in ipairs(unit.references) do
    if reference.is_later then
      reference.forgotten = forgotten(unit, reference)
      reference.is_key = has_key(unit, reference.forgotten)
    elseif not reference.is_inside then
      unit.picked[#unit.picked + 1] = reference
    end
  end
  for _, column in ipairs(unit.columns) do
    add(unit, column)
  end
  give_something(unit)
  unit.computed = computed.of(unit)
  unit.plain_keys = plain_keys(unit)
  for _, condition in ipairs(unit.conditions) do
    unit.usable[#unit.usable + 1] = is_available(unit, condition) and condition or nil
  end
end

return layout
