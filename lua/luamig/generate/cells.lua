--- One value: of a type's maker (ordinals.lua), as a wish (wishes.lua) wants it. Pure.

local bounds = require("luamig.generate.bounds")
local containers = require("luamig.generate.containers")
local documents = require("luamig.generate.documents")
local texts = require("luamig.generate.texts")

local cells = {}

-- ---- numbers within bounds ----

local PARTS = 997 -- a wide interval is walked through in so many steps; prime

local function whole_between(low, high, i)
  local span = high - low
  if span < 0 or span >= PARTS then -- below 0: it overflowed
    if i < 2 then
      return i == 0 and low or high
    end
    return low + (i % PARTS) * math.max(1, math.abs(span // PARTS))
  end
  local place = i % (span + 1) -- both ends come first
  if place < 2 then
    return place == 0 and low or high
  end
  return low + place - 1
end

local GOLDEN = 0.6180339887498949

local function real_between(low, high, i)
  if i < 2 then
    return i == 0 and low or high
  end
  return low + (high - low) * (i * GOLDEN % 1.0)
end

-- How far an open bound is moved.
local function inwards(low, high, ordinal)
  if ordinal.is_whole then
    return low and high and high - low <= 2 * ordinal.step and 1 or ordinal.step
  end
  return low and high and math.min(ordinal.step, (high - low) / 4) or ordinal.step
end

-- The bounds, both included.
local function closed(wish, ordinal)
  local low, high = wish.low, wish.high
  local step = inwards(low, high, ordinal)
  if low and wish.is_low_open then
    low = low + step
  end
  if high and wish.is_high_open then
    high = high - step
  end
  return low, high
end

-- The i-th of the numbers that leave this remainder.
local function with_remainder(low, high, wish, i)
  local by, remainder = wish.by, wish.remainder
  if not low and high then
    return high - (high - remainder) % by - i * by
  end
  local first = (low or 0) + (remainder - (low or 0)) % by
  local count = high and (high - first) // by + 1
  return first + (count and count > 0 and i % count or i) * by
end

local function number(ordinal, wish, i)
  local low, high = closed(wish, ordinal)
  if wish.by then
    return with_remainder(low and math.floor(low), high and math.floor(high), wish, i)
  elseif low and high then
    return (ordinal.is_whole and whole_between or real_between)(low, high, i)
  end
  return low and low + ordinal.gap * i or high - ordinal.gap * i
end

local function number_text(ordinal, wish, i)
  local value = number(ordinal, wish, i)
  if ordinal.is_whole then
    return ordinal.format(math.tointeger(value) or math.floor(value))
  end
  local text = ordinal.format(value)
  -- A narrow interval needs more digits than are usual.
  return bounds.is_within(wish, tonumber(text)) and text or ("%.12g"):format(value)
end

local function ordered(maker, wish, i, rng)
  local is_bound = wish.low or wish.high or wish.by
  for try = 0, 7 do
    local text = is_bound and number_text(maker.ordinal, wish, i + 31 * try)
      or maker.value(i + 31 * try, rng)
    if try == 7 or not (wish.except and wish.except[text]) then
      return text
    end
  end
end

-- ---- other families ----

local function array(maker, wish, i, rng)
  local low = wish.min_count or 0
  local high = math.max(low, math.min(wish.max_count or low + 3, low + 3))
  local elements = {}
  for place = 1, low + i % (high - low + 1) do
    elements[place] = maker.element.value(i + place - 1, rng)
  end
  return containers.array_text(elements, maker.element.delimiter)
end

-- A range whose ends are bounded.
local function range(maker, wish, i)
  local ordinal = maker.subtype.ordinal
  local lower = setmetatable({}, { __index = wish.ends.lower })
  local upper = setmetatable({}, { __index = wish.ends.upper })
  if upper.high then
    bounds.narrow(lower, "<", upper.high)
  elseif not lower.low and not lower.high then
    bounds.narrow(lower, "<", upper.low)
  end
  local low = number(ordinal, lower, i)
  bounds.narrow(upper, ">", low)
  return containers.range_text(ordinal.format(low), ordinal.format(number(ordinal, upper, i % 5)))
end

-- Bytes, as many as are wished.
local function bytes(wish, i, rng)
  local low = wish.min_length or 0
  local count = wish.max_length and math.min(wish.max_length, low + i % 8) or low + i % 8
  local out = { "\\x" }
  for place = 1, count do
    out[place + 1] = ("%02x"):format(place <= 2 and i >> 8 * (place - 1) & 255 or rng:int(0, 255))
  end
  return table.concat(out)
end

local function plain(maker, wish, i, rng)
  for try = 0, 7 do
    local text = maker.value(i + try, rng)
    if not (wish.except and wish.except[text]) then
      return text
    end
  end
  return maker.value(i, rng)
end

local function others(maker, wish, i, rng)
  if wish.ends and maker.subtype then
    return range(maker, wish, i)
  elseif maker.is_bytes and (wish.min_length or wish.max_length) then
    return bytes(wish, i, rng)
  end
  return plain(maker, wish, i, rng)
end

---The i-th value as wished, or the i-th of all when the wish is about nothing that is known here.
---@param maker table
---@param wish table
---@param i integer  from 0
---@return string
function cells.value(maker, wish, i, rng)
  if wish.among then
    return wish.among[i % #wish.among + 1]
  elseif maker.ordinal then
    return ordered(maker, wish, i, rng)
  elseif maker.is_text then
    return texts.wished(wish, i, rng, maker.limit)
  elseif maker.is_json and wish.json then
    return documents.value(i, rng, wish.json, maker.shape)
  elseif maker.element and (wish.min_count or wish.max_count) then
    return array(maker, wish, i, rng)
  end
  return others(maker, wish, i, rng)
end

local asks = {
  "among", "low", "high", "by", "json", "min_count", "max_count", "patterns", "low_text",
  "high_text", "ends",
}

---Whether a wish allows a text that was not made for it.
---@return boolean
function cells.admits(maker, wish, text)
  local parsed = maker.ordinal and maker.ordinal.parse(text)
  if parsed then
    return bounds.is_within(wish, parsed) and not wish.by and not wish.among
      and not (wish.except and wish.except[text])
  end
  for _, name in ipairs(asks) do
    if wish[name] then
      return false
    end
  end
  if maker.is_bytes then
    return not wish.min_length and not wish.max_length
  end
  return texts.fits(text, wish)
end

---How many values the wish leaves; math.huge when they are not few.
---@return number
function cells.count(maker, wish)
  if wish.among then
    return #wish.among
  elseif maker.ordinal and maker.ordinal.is_whole and wish.low and wish.high then
    local low, high = closed(wish, maker.ordinal)
    return math.max(1, (high - low) // (wish.by or 1) + 1)
  end
  return maker.size or math.huge
end

return cells
