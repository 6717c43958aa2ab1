--- Values that a table must hold so that others can refer to them: a partition of the tenant 7
-- needs a tenant 7. Pure.

local cells = require("luamig.generate.cells")
local random = require("luamig.generate.random")
local rows = require("luamig.generate.rows")

local hints = {}

---Rows that a table is asked for at most because others need them.
hints.MOST = 50

local function add(list, seen, text)
  if text and not seen[text] and #list < hints.MOST then
    seen[text] = true
    list[#list + 1] = text
  end
end

-- What the conditions leave of a column, when that is something particular.
local function add_wished(list, seen, column, wish, turn)
  if wish.among then
    for _, text in ipairs(wish.among) do
      add(list, seen, text)
    end
  elseif wish.low or wish.high then
    add(list, seen, cells.value(column.maker, wish, turn, random.new(column.hash + turn)))
  end
end

-- The values that the rows of a unit need in the columns of its foreign keys.
local function needed(unit, want)
  local out = {}
  for turn = 0, want - 1 do
    local wish = rows.wishes(unit, turn)
    for _, column in ipairs(unit.columns) do
      if column.is_reference and column.maker then
        local entry = out[column.name] or { list = {}, seen = {} }
        out[column.name] = entry
        for _, text in ipairs(column.hints or {}) do
          add(entry.list, entry.seen, text)
        end
        add_wished(entry.list, entry.seen, column, wish:of(column.name), turn)
      end
    end
  end
  return out
end

local function give(parent, name, texts)
  local column = parent.by_name[name]
  if not column or column.is_auto and not column.is_reference then
    return
  end
  local seen, list = {}, {}
  for _, text in ipairs(column.hints or {}) do
    add(list, seen, text)
  end
  for _, text in ipairs(texts) do
    add(list, seen, text)
  end
  column.hints = list
  parent.want = math.max(parent.want, #list)
end

-- A bigint that an integer leads to must be no larger than an integer.
local function limit(parent, name, column)
  local target = parent.by_name[name]
  local own, other = column.maker and column.maker.ordinal, target and target.maker
    and target.maker.ordinal
  if not own or not other or target.is_auto then
    return
  elseif own.low > other.low then
    table.insert(parent.relations, { op = "atom", kind = "compare", column = name, cmp = ">=",
      text = own.format(own.low) })
  end
  if own.high < other.high then
    table.insert(parent.relations, { op = "atom", kind = "compare", column = name, cmp = "<=",
      text = own.format(own.high) })
  end
end

local PER_HASH = 4 -- rows that make it likely that each partition of a hash gets one

-- Partitions by the hash of a foreign key: who is referred to must be many.
local function scatter(unit, name, count, seen)
  for _, reference in ipairs(unit.references) do
    for i, own in ipairs(reference.columns) do
      for _, parent in ipairs(own == name and reference.parents or {}) do
        if not seen[parent] then
          seen[parent], reference.is_scattered = true, true
          parent.want = math.max(parent.want, math.min(count, hints.MOST))
          scatter(parent, reference.parent_columns[i], count, seen)
        end
      end
      reference.is_scattered = reference.is_scattered or own == name
    end
  end
end

local function scatter_hashes(unit)
  for name in pairs(unit.modulus and unit.bound and unit.bound.columns or {}) do
    local column = unit.by_name[name]
    if column and column.is_reference then
      scatter(unit, name, unit.modulus * PER_HASH, {})
    end
  end
end

local function speaks_of_references(unit)
  for _, column in ipairs(unit.columns) do
    for _, condition in ipairs(column.is_reference and unit.conditions or {}) do
      if condition.columns[column.name] then
        return true
      end
    end
    if column.is_reference and column.hints then
      return true
    end
  end
  return false
end

---Gives the columns that are referred to what is needed of them: column.hints, and bounds in
---unit.relations; unit.want grows; reference.is_scattered: each row leads to another one.
---@param steps table[]  of order.lua; units have `want`
function hints.spread(steps)
  for place = #steps, 1, -1 do -- what refers comes before what is referred to
    for _, unit in ipairs(steps[place].units) do
      scatter_hashes(unit)
      local texts = speaks_of_references(unit) and needed(unit, unit.want) or {}
      for _, reference in ipairs(unit.references) do
        for i, name in ipairs(reference.columns) do
          local list = texts[name] and texts[name].list or {}
          for _, parent in ipairs(reference.parents) do
            give(parent, reference.parent_columns[i], list)
            limit(parent, reference.parent_columns[i], unit.by_name[name])
          end
        end
      end
    end
  end
end

return hints
