--- What a row must be like so that the conditions on it hold: one branch of every condition is
-- taken, and what its leaves (logic.lua) ask is gathered per column. Pure.
--
-- A WISH of a column
--   is_null, is_not_null
--   low, high, is_low_open, is_high_open     bounds, as ordinals     except = { [text] = true }
--   among                                    the only texts          by, remainder
--   min_length, max_length, case, is_not_blank, is_trimmed, contains, patterns, low_text, high_text
--   min_count, max_count                     elements of an array
--   json = { { path, type, text }, … }       members
--   ends = { lower = bounds, upper = bounds }   of a range
--   hints = texts                            strings of conditions that were not understood

local ordinals = require("luamig.generate.ordinals")

local wishes = {}

local Wishes = {}
Wishes.__index = Wishes

---@param columns table<string, { maker: table, nullable?: boolean }>
function wishes.new(columns)
  return setmetatable({ columns = columns, by_column = {}, relations = {} }, Wishes)
end

local function copied(t)
  local out = {}
  for key, value in pairs(t) do
    out[key] = value
  end
  return out
end

function Wishes:clone()
  local clone = wishes.new(self.columns)
  for name, wish in pairs(self.by_column) do
    clone.by_column[name] = copied(wish)
  end
  clone.relations = copied(self.relations)
  clone.is_guess = self.is_guess
  return clone
end

---The wish of a column; an empty one is made when there is none.
function Wishes:of(name)
  local wish = self.by_column[name]
  if not wish then
    wish = {}
    self.by_column[name] = wish
  end
  return wish
end

local NO_WISH = {}

---The wish of a column, to be read only.
function Wishes:peek(name)
  return self.by_column[name] or NO_WISH
end

-- Adds to a list of the wish without touching the one that a clone shares.
local function append(wish, name, item)
  local list = { table.unpack(wish[name] or {}) }
  list[#list + 1] = item
  wish[name] = list
end

-- ---- bounds ----

local function raise_low(wish, number, is_open)
  if not wish.low or number > wish.low then
    wish.low, wish.is_low_open = number, is_open
  elseif number == wish.low then
    wish.is_low_open = wish.is_low_open or is_open
  end
end

local function lower_high(wish, number, is_open)
  if not wish.high or number < wish.high then
    wish.high, wish.is_high_open = number, is_open
  elseif number == wish.high then
    wish.is_high_open = wish.is_high_open or is_open
  end
end

---Narrows the bounds of a wish.
---@param cmp string  "=", "<", "<=", ">", ">="
function wishes.narrow(wish, cmp, number)
  if cmp == "=" or cmp == ">" or cmp == ">=" then
    raise_low(wish, number, cmp == ">")
  end
  if cmp == "=" or cmp == "<" or cmp == "<=" then
    lower_high(wish, number, cmp == "<")
  end
end

---Whether a number is within the bounds.
function wishes.is_within(wish, number)
  local low, high = wish.low, wish.high
  return not (low and (number < low or wish.is_low_open and number == low)
    or high and (number > high or wish.is_high_open and number == high))
end

local function has_room(wish, ordinal)
  local low, high = wish.low, wish.high
  if not low or not high then
    return true
  elseif ordinal.is_whole then
    low = wish.is_low_open and low + 1 or low
    high = wish.is_high_open and high - 1 or high
    return low <= high
  end
  return low < high or low == high and not wish.is_low_open and not wish.is_high_open
end

-- Keeps of the texts those that the rest of the wish allows; false when none is left.
local function sift(wish, maker)
  local ordinal, kept = maker.ordinal, {}
  for _, text in ipairs(wish.among) do
    local number = ordinal and ordinal.parse(text)
    local is_refused = wish.except and wish.except[text]
    if not is_refused and (not number or wishes.is_within(wish, number)) then
      kept[#kept + 1] = text
    end
  end
  wish.among = kept
  return #kept > 0
end

local function is_possible(wish, column)
  local maker = column.maker
  if wish.is_null and (wish.is_not_null or column.nullable == false) then
    return false
  elseif wish.among and not sift(wish, maker) then
    return false
  end
  return not maker.ordinal or has_room(wish, maker.ordinal)
end

-- ---- what leaves ask ----

local takers = {}

function takers.null(wish, atom)
  if atom.is then
    wish.is_null = true
  else
    wish.is_not_null = true
  end
end

local function keep_among(wish, texts, maker)
  local ordinal, allowed, kept = maker.ordinal, {}, {}
  local function key(text)
    return ordinal and ordinal.parse(text) or text
  end
  for _, text in ipairs(texts) do
    allowed[key(text)] = true
  end
  for _, text in ipairs(wish.among or texts) do
    if allowed[key(text)] then
      kept[#kept + 1] = text
    end
  end
  wish.among = kept
end

local function refuse(wish, texts)
  wish.except = copied(wish.except or {})
  for _, text in ipairs(texts) do
    wish.except[text] = true
  end
end

function takers.among(wish, atom, maker)
  if atom.is_negated then
    refuse(wish, atom.texts)
    wish.among = wish.among or maker.values
  else
    keep_among(wish, atom.texts, maker)
  end
end

-- The present is between these two, whenever that is.
local PAST, FUTURE = "1980-01-01", "2100-01-01"

local function take_now(wish, cmp, ordinal)
  local is_past = cmp == "<" or cmp == "<="
  local number = ordinal and ordinal.parse(is_past and PAST or FUTURE)
  if number and (is_past or cmp == ">" or cmp == ">=") then
    wishes.narrow(wish, cmp, number)
  end
end

-- column + shift cmp text
local function number_of(atom, ordinal)
  local number = ordinal.parse(atom.text)
  local distance = number and atom.shift and ordinals.distance(ordinal, atom.shift)
  return distance and number - atom.sign * distance or number
end

-- The order of an enum is that of its labels.
local function take_label(wish, atom, values)
  local kept, place = {}, nil
  for i, label in ipairs(values) do
    place = label == atom.text and i or place
  end
  for i, label in ipairs(values) do
    if place and wishes.is_within(
      (atom.cmp:sub(1, 1) == "<" and { high = place, is_high_open = atom.cmp == "<" })
        or { low = place, is_low_open = atom.cmp == ">" }, i) then
      kept[#kept + 1] = label
    end
  end
  keep_among(wish, kept, {})
end

local function take_order(wish, atom, maker)
  if maker.ordinal then
    local number = number_of(atom, maker.ordinal)
    if number then
      wishes.narrow(wish, atom.cmp, number)
    end
  elseif maker.values then
    take_label(wish, atom, maker.values)
  elseif atom.cmp == "<" or atom.cmp == "<=" then
    wish.high_text = atom.text
  else
    wish.low_text = atom.text
  end
end

-- lower(range) >= 1
local function take_end(wish, atom, subtype)
  local number = subtype.ordinal and subtype.ordinal.parse(atom.text)
  if number then
    wish.ends = copied(wish.ends or {})
    local bounds = copied(wish.ends[atom.end_of] or {})
    wishes.narrow(bounds, atom.cmp, number)
    wish.ends[atom.end_of] = bounds
  end
end

function takers.compare(wish, atom, maker)
  if atom.end_of and maker.subtype then
    take_end(wish, atom, maker.subtype)
  elseif atom.is_now then
    take_now(wish, atom.cmp, maker.ordinal)
  elseif atom.cmp == "<>" then
    takers.among(wish, { texts = { atom.text }, is_negated = true }, maker)
  elseif atom.cmp == "=" and not atom.shift then
    keep_among(wish, { atom.text }, maker)
  else
    take_order(wish, atom, maker)
  end
end

-- The whole numbers that a comparison leaves: from, to; nil is no bound.
local function span(cmp, value)
  local bounds = {}
  wishes.narrow(bounds, cmp, value)
  if cmp == "<>" and value == 0 then
    return 1, nil
  end
  return bounds.low and math.floor(bounds.low) + (bounds.is_low_open and 1 or 0),
    bounds.high and math.ceil(bounds.high) - (bounds.is_high_open and 1 or 0)
end

-- A count (length, elements) compared with a number.
local function counted(low_name, high_name)
  return function(wish, atom)
    local low, high = span(atom.cmp, atom.number)
    wish[low_name] = math.max(low or 0, wish[low_name] or 0)
    if high then
      wish[high_name] = math.max(0, math.min(high, wish[high_name] or high))
    end
  end
end

takers.length = counted("min_length", "max_length")
takers.cardinality = counted("min_count", "max_count")

function takers.year(wish, atom, maker)
  local ordinal = maker.ordinal
  if not ordinal or not ordinal.parse(PAST) then
    return
  end
  local first, last = span(atom.cmp, atom.number)
  if first then
    wishes.narrow(wish, ">=", ordinal.parse(("%04d-01-01"):format(first)))
  end
  if last then
    wishes.narrow(wish, "<=", ordinal.parse(("%04d-12-31"):format(last)))
  end
end

function takers.case(wish, atom)
  wish.case = atom.case
end

function takers.blank(wish, atom)
  wish.is_trimmed = wish.is_trimmed or atom.is_trimmed
  wish.is_not_blank = wish.is_not_blank or not atom.is_trimmed
end

local without = { ["\\d"] = "0-9", ["\\s"] = "[:space:]", ["\\W"] = "^a-z", ["\\D"] = "^0-9" }

-- What has no character of a set is made of the others: of the set itself, if it is negated.
local function complement(text)
  local inside = without[text] or text:match("^%[(%^?[^]]+)%]$")
    or text:match("^%[(%^?%[:%l+:%])%]$")
  local negated = inside and inside:match("^%^(.*)$")
  return inside and "^[" .. (negated or "^" .. inside) .. "]+$"
end

function takers.pattern(wish, atom)
  local text = atom.text
  if atom.is_negated then
    text = atom.of == "regex" and complement(text)
  end
  if text then
    append(wish, "patterns", { kind = atom.of, text = text })
  end
end

function takers.starts(wish, atom)
  append(wish, "patterns", { kind = "like", text = atom.text:gsub("[\\%%_]", "\\%0") .. "%" })
end

function takers.contains(wish, atom)
  append(wish, "contains", atom.text)
end

function takers.remainder(wish, atom)
  wish.by, wish.remainder = atom.by, atom.number
end

function takers.json(wish, atom)
  append(wish, "json", { path = atom.path, type = atom.type, text = atom.text })
end

-- ---- taking ----

local function take_unknown(self, leaf)
  self.is_guess = true
  for _, name in ipairs(leaf.columns) do
    if self.columns[name] and #leaf.texts > 0 then
      local wish = self:of(name)
      wish.hints = wish.hints or leaf.texts
    end
  end
  return true
end

local function knows_all(self, leaf)
  for _, term in ipairs(leaf.terms or {}) do
    if not self.columns[term.column] then
      return false
    end
  end
  return leaf.terms ~= nil or self.columns[leaf.other] ~= nil
end

---Takes what a leaf asks.
---@return boolean  false when that contradicts what was taken before
function Wishes:take(leaf)
  local column = self.columns[leaf.column]
  if leaf.op == "unknown" or not column then
    return take_unknown(self, leaf.op == "unknown" and leaf or { columns = {}, texts = {} })
  elseif leaf.kind == "columns" or leaf.kind == "sum" then
    local is_known = knows_all(self, leaf)
    self.relations[#self.relations + 1] = is_known and leaf or nil
    self.is_guess = self.is_guess or not is_known
    return true
  end
  local wish = self:of(leaf.column)
  takers[leaf.kind](wish, leaf, column.maker)
  return is_possible(wish, column)
end

-- What holds in any case.
local function take_certain(tree, self)
  if tree.op == "or" then
    return true
  elseif tree.op ~= "and" then
    return self:take(tree)
  end
  for _, child in ipairs(tree) do
    if not take_certain(child, self) then
      return false
    end
  end
  return true
end

-- A branch of each OR that agrees with what was taken before.
local function take_choices(tree, self, turn)
  if tree.op == "and" then
    for _, child in ipairs(tree) do
      self = self and take_choices(child, self, turn)
    end
  elseif tree.op == "or" then
    for k = 0, #tree - 1 do
      local child = tree[(turn + k) % #tree + 1]
      local taken = wishes.sample(child, self:clone(), turn // #tree)
      if taken then
        return taken
      end
    end
    return nil
  end
  return self
end

---Takes one way to make a condition true; the turn says which branches are tried first.
---@param tree table
---@param self table  wishes
---@param turn integer
---@return table|nil  the wishes then; nil when every way contradicts
function wishes.sample(tree, self, turn)
  return take_certain(tree, self) and take_choices(tree, self, turn) or nil
end

return wishes
