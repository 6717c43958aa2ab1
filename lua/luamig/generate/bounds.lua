--- Bounds of a number: low, high, is_low_open, is_high_open; in a wish (wishes.lua) among its other
-- fields. Pure.

local bounds = {}

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
function bounds.narrow(wish, cmp, number)
  if cmp == "=" or cmp == ">" or cmp == ">=" then
    raise_low(wish, number, cmp == ">")
  end
  if cmp == "=" or cmp == "<" or cmp == "<=" then
    lower_high(wish, number, cmp == "<")
  end
end

---Whether a number is within the bounds.
function bounds.is_within(wish, number)
  local low, high = wish.low, wish.high
  return not (low and (number < low or wish.is_low_open and number == low)
    or high and (number > high or wish.is_high_open and number == high))
end

---Whether some value is left.
---@param ordinal table  ordinals.lua
function bounds.has_room(wish, ordinal)
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

return bounds
