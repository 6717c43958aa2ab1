--- Candidates: rows that should be right for a table, as far as that can be known without the
-- server, which tries them. Pure, and the same for the same seed.
--
-- A CANDIDATE  { cells = { [column name] = text | { sql = } }, picks = { [reference] = integer } }
-- A column that is absent is NULL; a reference that is absent is not made. A pick counts the rows
-- of the table that is referred to, from 0, and begins again behind the last.

local cells = require("luamig.generate.cells")
local containers = require("luamig.generate.containers")
local random = require("luamig.generate.random")
local relations = require("luamig.generate.relations")
local wishes = require("luamig.generate.wishes")

local rows = {}

local MANY = 200 -- values of a column that are enough to tell rows apart

-- ---- which branches of the conditions ----

local function forget_later(unit, wish)
  for _, reference in ipairs(unit.references) do
    for _, name in ipairs(reference.is_later and reference.forgotten or {}) do
      wish:of(name).is_null = true
    end
  end
end

-- Of all conditions at the same time; of as many as agree, when they contradict each other.
local function wishes_of(unit, turn)
  local wish = wishes.new(unit.by_name)
  forget_later(unit, wish)
  local taken = wishes.sample(unit.condition, wish:clone(), turn)
  for _, condition in ipairs(taken and {} or unit.conditions) do
    wish = wishes.sample(condition.tree, wish:clone(), turn) or wish
  end
  wish = taken or wish
  for _, relation in ipairs(unit.relations) do
    wish:take(relation)
  end
  return wish
end

-- ---- what tells rows apart ----

local function is_active(reference)
  return not reference.is_later and not reference.is_inside
end

-- The foreign keys of which a key has a column.
local function references_in(unit, key)
  local out, covered, has = {}, {}, {}
  for _, name in ipairs(key.columns) do
    has[name] = true
  end
  for _, reference in ipairs(unit.references) do
    for _, name in ipairs(is_active(reference) and reference.columns or {}) do
      if has[name] and not covered[reference] then
        out[#out + 1], covered[reference] = reference, true
      end
    end
  end
  return out
end

-- How many rows a foreign key may lead to, as far as that is known.
local function parent_count(reference, want)
  for _, parent in ipairs(reference.parents) do
    want = math.max(want, parent.want or 0)
  end
  return want
end

-- The parts of a key that have few values each; nil when one part alone tells rows apart.
local function few_parts(unit, key, wish, want)
  local parts = {}
  for _, name in ipairs(key.columns) do
    local column = unit.by_name[name]
    if not column or column.is_auto or column.generated or column.is_left_out then
      return nil
    elseif not column.is_reference then
      local count = cells.count(column.maker, wish:peek(name))
      if count >= MANY then
        return nil
      end
      parts[#parts + 1] = { of = column, count = math.max(1, count // 1) }
    end
  end
  for _, reference in ipairs(references_in(unit, key)) do
    parts[#parts + 1] = { of = reference, count = parent_count(reference, want) }
  end
  if #parts == 1 then
    parts[1].count = math.maxinteger
  end
  return parts
end

-- Counts through the combinations so that no two of them are alike, and every part moves at once.
local function count_through(parts, number, taken)
  local first, rest
  for _, part in ipairs(parts) do
    local digit
    if not first then
      digit, rest = number % part.count, number // part.count
      first = digit
    else
      digit, rest = (rest + first) % part.count, rest // part.count
    end
    taken[part.of] = taken[part.of] or digit
  end
end

-- [column or reference] = which of its values
local function digits_of(unit, wish, number, want)
  local taken = {}
  for _, key in ipairs(unit.keys) do
    local parts = few_parts(unit, key, wish, want)
    if parts then
      count_through(parts, number, taken)
    end
  end
  return taken
end

-- ---- foreign keys ----

local function may_be_absent(reference, wish)
  for name in pairs(reference.optional_columns) do
    if wish:peek(name).is_not_null then
      return false
    end
  end
  return reference.is_optional
end

local function must_be_absent(reference, wish)
  for name in pairs(reference.optional_columns) do
    if wish:peek(name).is_null then
      return true
    end
  end
  return false
end

-- Whether the keys before it leave nothing open.
local function is_decided(reference, decided)
  for _, name in ipairs(reference.columns) do
    if not decided[name] then
      return false
    end
  end
  return true
end

-- Some rows get several of what leads to them, some none, and the first ones most: so what must
-- agree in a tenant does. Candidates beyond those that are wanted try one row after the other.
local function usual_pick(reference, context)
  if reference.shift > 0 or reference.is_scattered or context.is_extra then
    return context.number + reference.shift
  end
  return context.number * 2 // 5
end

local function pick(reference, context)
  if must_be_absent(reference, context.wish) then
    return nil
  end
  local rng = random.new(context.unit.hash + context.chance * 31 + reference.shift)
  local is_free = may_be_absent(reference, context.wish) and not context.digits[reference]
  if is_free and (context.mode == "sparse" or context.mode == "varied" and rng:one_in(5)) then
    return nil
  end
  return context.digits[reference] or usual_pick(reference, context)
end

local function picks_of(context)
  local picks, decided = {}, {}
  for place, reference in ipairs(context.unit.references) do
    if is_active(reference) then
      reference.shift = place - 1
      picks[reference] = is_decided(reference, decided) and 0 or pick(reference, context)
      for _, name in ipairs(reference.columns) do
        decided[name] = true
      end
    end
  end
  return picks
end

-- ---- cells ----

local function may_be_null(column, wish)
  return column.nullable and not wish.is_not_null
end

local function is_null(context, column, wish, rng)
  if wish.is_null then
    return true
  elseif not may_be_null(column, wish) or column.is_constant then
    return false
  end
  return context.mode == "sparse" or context.mode == "varied" and rng:one_in(5)
end

-- A text that was seen in a condition that is not understood, or that another table waits for.
local function hinted(context, column, wish)
  local hints = column.hints
  if hints and context.place <= #hints then
    return hints[context.place]
  end
  local strings = wish.hints
  if not strings or context.place % 2 == 0 then
    return nil
  elseif column.maker.is_text then
    return strings[context.place // 2 % #strings + 1]
  elseif column.maker.element and column.maker.element.is_text then
    return containers.array_text({ strings[context.place // 2 % #strings + 1] })
  end
end

-- Three of five values are edges, each in its turn.
local function nth_edge(column, edges, i)
  local place = i + column.hash % 5
  if place % 5 < 3 then
    return edges[(place // 5 * 3 + place % 5 + column.hash % #edges) % #edges + 1]
  end
end

local function edge(context, column, wish, i)
  local edges = column.edges
  if context.mode ~= "varied" or #edges == 0 or column.is_exclusive or wish.is_compared
    or column.is_constant then
    return nil
  end
  local text
  if not column.is_key then
    text = nth_edge(column, edges, i)
  else
    text = context.number % 2 == 1 and edges[context.number // 2 + 1] -- each of them once
  end
  return text and cells.admits(column.maker, wish, text) and text or nil
end

-- Which of the values. Of those within bounds the first ones are the bounds themselves; where there
-- are none, columns are not all alike.
local function index_of(context, column, wish)
  local i = context.digits[column] or context.number
  if column.is_constant then
    return 0
  elseif wish.is_related and not (wish.low and wish.high) then
    return column.is_exclusive and 1 or i % 12
  elseif context.digits[column] or wish.low or wish.high or wish.among then
    return i
  end
  return i + column.hash % 50
end

local function cell(context, column)
  local wish = relations.wish(context, column)
  local i = index_of(context, column, wish)
  local rng = random.new(column.hash + (column.is_constant and 0 or context.chance))
  if is_null(context, column, wish, rng) then
    return nil
  end
  return hinted(context, column, wish) or edge(context, column, wish, i)
    or cells.value(column.maker, wish, i, rng)
end

-- ---- candidates ----

-- The first is plain, those that are wanted are varied; what is beyond tries to get through.
local function mode_of(place, options)
  if options.round > 1 then
    return ({ "sparse", "tame", "varied" })[place % 3 + 1]
  end
  return (place == 1 or place > options.want and place % 2 == 0) and "tame" or "varied"
end

local function candidate(unit, place, options)
  local number = (options.first or 0) + place - 1
  local chance = (options.round << 32) + number
  local turn = options.round == 1 and number or random.new(unit.hash + chance):int(0, 1 << 20)
  local context = {
    unit = unit, place = place, number = number, chance = chance, cells = {},
    wish = wishes_of(unit, turn),
    mode = options.mode or mode_of(place, options), is_extra = place > options.want,
  }
  context.compared = relations.columns(context.wish)
  context.digits = digits_of(unit, context.wish, number, options.want)
  for _, column in ipairs(unit.given) do
    context.cells[column.name] = column.value_sql and { sql = column.value_sql }
      or cell(context, column)
  end
  return { cells = context.cells, picks = picks_of(context) }
end

---@param unit table  units.lua, laid out by layout.lua
---@param options { count: integer, want: integer, round: integer, first?: integer, mode?: string }
---  round: from 1; each makes others. first: how many values of each type are passed over.
---  mode: "tame" (nothing odd), "varied", "sparse" (NULL where it may be)
---@return table[]
function rows.candidates(unit, options)
  local out = {}
  for place = 1, options.count do
    out[place] = candidate(unit, place, options)
  end
  return out
end

---What the conditions of a unit ask of a row, in one of the ways that they can be met.
---@param turn integer
---@return table  wishes.lua; is_guess: some condition was not understood
function rows.wishes(unit, turn)
  return wishes_of(unit, turn)
end

return rows
