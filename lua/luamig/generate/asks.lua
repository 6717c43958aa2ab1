--- What the leaves of a condition (logic.lua) ask of one column, by their kind: each function puts
-- it into the column's wish (wishes.lua). Pure.

local bounds = require("luamig.generate.bounds")
local ordinals = require("luamig.generate.ordinals")

local takers = {}

local function copied(t)
  local out = {}
  for key, value in pairs(t) do
    out[key] = value
  end
  return out
end

-- Adds to a list of the wish without touching the one that a clone shares.
local function append(wish, name, item)
  local list = { table.unpack(wish[name] or {}) }
  list[#list + 1] = item
  wish[name] = list
end

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
    bounds.narrow(wish, cmp, number)
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
    if place and bounds.is_within(
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
      bounds.narrow(wish, atom.cmp, number)
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
    local one = copied(wish.ends[atom.end_of] or {})
    bounds.narrow(one, atom.cmp, number)
    wish.ends[atom.end_of] = one
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
  local left = {}
  bounds.narrow(left, cmp, value)
  if cmp == "<>" and value == 0 then
    return 1, nil
  end
  return left.low and math.floor(left.low) + (left.is_low_open and 1 or 0),
    left.high and math.ceil(left.high) - (left.is_high_open and 1 or 0)
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
    bounds.narrow(wish, ">=", ordinal.parse(("%04d-01-01"):format(first)))
  end
  if last then
    bounds.narrow(wish, "<=", ordinal.parse(("%04d-12-31"):format(last)))
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

return takers
