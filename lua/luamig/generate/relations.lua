--- Columns that are compared with each other: one that is made later is narrowed by those that are
-- made already. Pure.
--
-- A context (rows.lua) has here: unit, wish, cells = { [column name] = text }, compared.

local bounds = require("luamig.generate.bounds")
local ordinals = require("luamig.generate.ordinals")

local relations = {}

local flipped = { ["<"] = ">", ["<="] = ">=", [">"] = "<", [">="] = "<=", ["="] = "=" }

-- A number of one type of date or time as a number of another.
local function converted(number, from, to)
  if from.day == to.day or not from.day or not to.day then
    return number
  end
  return to.day > from.day and number * (to.day // from.day) or number // (from.day // to.day)
end

local function narrow_by_number(wish, cmp, number, ordinal, relation, sign)
  local distance = relation.by and ordinals.distance(ordinal, relation.by) or 0
  bounds.narrow(wish, cmp, number + sign * (relation.sign or 1) * distance)
  wish.is_related = true
end

local function narrow_by_text(wish, cmp, text)
  if cmp == "=" then
    wish.among = { text }
  elseif cmp == "<" or cmp == "<=" then
    wish.high_text = text
  else
    wish.low_text = text
  end
end

-- The bound that a column not made yet has on the side that matters.
local function bound_of(wish, cmp)
  if cmp == "<" or cmp == "<=" then
    return wish.high
  end
  return cmp ~= "=" and wish.low or nil
end

-- What is known of the number of the other column: itself, or the bound that matters.
local function other_number(context, other, text, cmp)
  if type(text) == "string" then
    return other.maker.ordinal.parse(text)
  end
  return bound_of(context.wish:peek(other.name), cmp)
end

local function relate_order(context, column, wish, relation, is_left)
  local other = context.unit.by_name[is_left and relation.other or relation.column]
  local cmp = is_left and relation.cmp or flipped[relation.cmp]
  local text = context.cells[other.name]
  local ordinal, of_other = column.maker.ordinal, other.maker and other.maker.ordinal
  if not ordinal or not of_other then
    if type(text) == "string" then
      narrow_by_text(wish, cmp, text)
    end
    return
  end
  local number = other_number(context, other, text, cmp)
  if number then
    narrow_by_number(wish, cmp, converted(number, of_other, ordinal), ordinal, relation,
      is_left and 1 or -1)
  end
end

local function relate_two(context, column, wish, relation)
  local is_left = relation.column == column.name
  if relation.cmp ~= "<>" then
    return relate_order(context, column, wish, relation, is_left)
  end
  local text = context.cells[is_left and relation.other or relation.column]
  wish.except = type(text) == "string" and { [text] = true } or wish.except
end

-- ---- sums of columns ----

-- What the other columns of a sum come to, and the sign of this one; nil when one is not known.
local function rest_of_sum(context, column, relation)
  local rest, sign = relation.constant, nil
  for _, term in ipairs(relation.terms) do
    if term.column == column.name and not sign then
      sign = term.sign
    else
      local maker = context.unit.by_name[term.column].maker
      local text = context.cells[term.column]
      local number = type(text) == "string" and maker.ordinal and maker.ordinal.parse(text)
      if not number then
        return nil
      end
      rest = rest + term.sign * number
    end
  end
  return rest, sign
end

-- The sum compared with 0: sign * column cmp -rest.
local function relate_sum(context, column, wish, relation)
  local rest, sign = rest_of_sum(context, column, relation)
  if not sign or not column.maker.ordinal then
    return
  elseif relation.cmp == "<>" then
    wish.except = { [column.maker.ordinal.format(-rest * sign)] = true }
    return
  end
  bounds.narrow(wish, sign > 0 and relation.cmp or flipped[relation.cmp], -rest * sign)
  wish.is_related = true
end

-- ---- all relations of a row ----

---The columns that some relation is about: a set.
---@param wish table  wishes.lua
function relations.columns(wish)
  local set = {}
  for _, relation in ipairs(wish.relations) do
    set[relation.column] = true
    set[relation.other or relation.column] = true
    for _, term in ipairs(relation.terms or {}) do
      set[term.column] = true
    end
  end
  return set
end

local function is_about(relation, name)
  for _, term in ipairs(relation.terms or {}) do
    if term.column == name then
      return true
    end
  end
  return relation.column == name or relation.other == name
end

---The wish of a column, narrowed by the columns made before it. `is_compared`: there is a relation;
---`is_related`: it gave a bound.
---@return table  to be read only
function relations.wish(context, column)
  if not context.compared[column.name] then
    return context.wish:peek(column.name)
  end
  local wish = setmetatable({ is_compared = true },
    { __index = context.wish:peek(column.name) })
  for _, relation in ipairs(context.wish.relations) do
    if is_about(relation, column.name) then
      (relation.terms and relate_sum or relate_two)(context, column, wish, relation)
    end
  end
  return wish
end

return relations
