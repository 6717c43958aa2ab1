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

local asks = require("luamig.generate.asks")
local bounds = require("luamig.generate.bounds")

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

-- Keeps of the texts those that the rest of the wish allows; false when none is left.
local function sift(wish, maker)
  local ordinal, kept = maker.ordinal, {}
  for _, text in ipairs(wish.among) do
    local number = ordinal and ordinal.parse(text)
    local is_refused = wish.except and wish.except[text]
    if not is_refused and (not number or bounds.is_within(wish, number)) then
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
  return not maker.ordinal or bounds.has_room(wish, maker.ordinal)
end

-- ---- taking ----

-- The column, when values of it are made here.
local function known(self, name)
  local column = self.columns[name]
  return column and column.maker and not column.generated and column or nil
end

local function take_unknown(self, leaf)
  self.is_guess = true
  for _, name in ipairs(leaf.columns) do
    if known(self, name) and #leaf.texts > 0 then
      local wish = self:of(name)
      wish.hints = wish.hints or leaf.texts
    end
  end
  return true
end

local function knows_all(self, leaf)
  for _, term in ipairs(leaf.terms or {}) do
    if not known(self, term.column) then
      return false
    end
  end
  return leaf.terms ~= nil or known(self, leaf.other) ~= nil
end

---Takes what a leaf asks.
---@return boolean  false when that contradicts what was taken before
function Wishes:take(leaf)
  local column = known(self, leaf.column)
  if leaf.op == "unknown" or not column then
    return take_unknown(self, leaf.op == "unknown" and leaf or { columns = {}, texts = {} })
  elseif leaf.kind == "columns" or leaf.kind == "sum" then
    local is_known = knows_all(self, leaf)
    self.relations[#self.relations + 1] = is_known and leaf or nil
    self.is_guess = self.is_guess or not is_known
    return true
  end
  local wish = self:of(leaf.column)
  asks[leaf.kind](wish, leaf, column.maker)
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
