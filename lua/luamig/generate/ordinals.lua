--- Types whose values are ordered like numbers: integers, numerics, floats, money, dates and times.
-- Each turns the text of a value into a number, its ordinal, and back. Pure.
--
-- A MAKER (of any type; this file makes those with an `ordinal`)
--   value(i, rng)   text of the i-th value, from 0: one for each i, unless there is a `size`
--   size            how many values there are, when they are few
--   edges           texts of values that programs trip over
--   ordinal         { parse(text) → number|nil, format(number) → text, step, gap, low, high }
--     step          distance of two neighbours      gap   a small distance that looks natural
--     low, high     limits of the type
--     is_whole      ordinals are integers; else they are floats
--     day           how many ordinals a day has (dates and times)

local ordinals = {}

local SECOND = 1000000 -- microseconds
local HOUR = 3600 * SECOND
local DAY = 24 * HOUR

-- value(i) = first + i * spread + some jitter of less than a spread; begins again from below when
-- the type has no more.
local function maker(ordinal, edges, first, spread, jitter)
  local low, high = ordinal.low, ordinal.high
  return {
    ordinal = ordinal,
    edges = edges,
    value = function(i, rng)
      local number = first + i * spread + rng:int(0, jitter) * ordinal.step
      if number > high then
        number = low + (number - low) % (high - low)
      end
      return ordinal.format(number)
    end,
  }
end

-- ---- numbers ----

local function number_of(text)
  return tonumber((text:gsub("[$,%s]", "")))
end

local function whole_of(text)
  local number = number_of(text)
  return number and (math.tointeger(number) or math.floor(number))
end

local function whole_format(number)
  return ("%d"):format(number)
end

local function whole(low, high, edges)
  return maker({
    parse = whole_of, format = whole_format, step = 1, gap = 1, low = low, high = high,
    is_whole = true,
  }, edges, 1, 3, 2)
end

local function real(decimals, limit, edges)
  local pattern = "%." .. decimals .. "f"
  local step = 10.0 ^ -decimals
  local spread = math.max(step, math.min(1.0, limit / 1000))
  return maker({
    parse = number_of,
    format = function(number)
      return pattern:format(number)
    end,
    step = step, gap = spread, low = -limit, high = limit,
  }, edges, spread, spread, step < spread and 8 or 0)
end

-- numeric(precision, scale): the largest that fits is an edge. Beyond 15 digits an ordinal is not
-- exact, and a scale outside the precision is rare (15): then only small values are made.
local function numeric(precision, scale)
  if not precision then
    return real(2, 1e15, { "99999999999.999999", "0", "-123.456", "0.000001", "1.10", "-1" })
  end
  scale = scale or 0
  if scale < 0 or scale > precision then
    return { edges = { "0" }, size = 1, value = function() return "0" end }
  end
  local largest = (precision > scale and ("9"):rep(precision - scale) or "0")
    .. (scale > 0 and "." .. ("9"):rep(scale) or "")
  return real(scale, math.min(tonumber(largest), 1e15), { largest, "0", "-" .. largest })
end

-- ---- dates and times ----

-- Days since 1970-01-01 of a day of the Gregorian calendar, and back (H. Hinnant's algorithms).
local function days_of(year, month, day)
  year = month <= 2 and year - 1 or year
  local era = year // 400
  local year_of_era = year - era * 400
  local day_of_year = (153 * (month + (month > 2 and -3 or 9)) + 2) // 5 + day - 1
  local day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
  return era * 146097 + day_of_era - 719468
end

local function date_of(days)
  days = days + 719468
  local era = days // 146097
  local day_of_era = days - era * 146097
  local year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524
    - day_of_era // 146096) // 365
  local day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
  local month = (5 * day_of_year + 2) // 153
  local day = day_of_year - (153 * month + 2) // 5 + 1
  month = month < 10 and month + 3 or month - 9
  return year_of_era + era * 400 + (month <= 2 and 1 or 0), month, day
end

local FIRST_DAY, LAST_DAY, USUAL_DAY = days_of(1, 1, 1), days_of(9999, 12, 31), days_of(2000, 1, 1)

local function date_parse(text)
  local year, month, day = text:match("^(%d+)-(%d+)-(%d+)")
  if not year or text:find("BC", 1, true) then
    return nil
  end
  return days_of(math.tointeger(year), math.tointeger(month), math.tointeger(day))
end

local function date_format(days)
  return ("%04d-%02d-%02d"):format(date_of(days))
end

local function clock_parse(text)
  local sign, hour, minute, rest = text:match("([-+]?)(%d+):(%d+):?([%d.]*)")
  if not hour then
    return nil
  end
  local seconds = math.floor((tonumber(rest) or 0) * SECOND + 0.5)
  local ordinal = math.tointeger(hour) * HOUR + math.tointeger(minute) * 60 * SECOND + seconds
  return sign == "-" and -ordinal or ordinal
end

local function clock_format(ordinal)
  local seconds, fraction = ordinal // SECOND, ordinal % SECOND
  local text = ("%02d:%02d:%02d"):format(seconds // 3600, seconds // 60 % 60, seconds % 60)
  return fraction == 0 and text or text .. (".%06d"):format(fraction)
end

-- A timestamptz is written in UTC, the time zone that the connection is set to.
local function timestamp_parse(text)
  local days, clock = date_parse(text), text:match("[ T](%d+:%d+[:%d.]*)")
  return days and days * DAY + (clock and clock_parse(clock) or 0)
end

local function timestamp(zone)
  return maker({
    parse = timestamp_parse,
    format = function(ordinal)
      local days = ordinal // DAY
      return date_format(days) .. " " .. clock_format(ordinal - days * DAY) .. zone
    end,
    step = SECOND, gap = HOUR, low = FIRST_DAY * DAY, high = LAST_DAY * DAY, is_whole = true,
    day = DAY,
  }, {
    "infinity", "2000-02-29 23:59:59.999999" .. zone, "-infinity", "1970-01-01 00:00:00" .. zone,
    "2024-01-01 00:00:00" .. zone, "9999-12-31 23:59:59" .. zone,
  }, USUAL_DAY * DAY, DAY, 22 * 3600)
end

local units = {
  year = 365 * DAY, mon = 30 * DAY, week = 7 * DAY, day = DAY, hour = HOUR, min = 60 * SECOND,
  minute = 60 * SECOND, sec = SECOND, second = SECOND,
}

-- "1 year 2 mons 3 days 04:05:06", as the server writes it (intervalstyle postgres).
local function interval_parse(text)
  local ordinal, is_understood = clock_parse(text) or 0, text:find("%d:%d") ~= nil
  for count, unit in text:gmatch("([-+]?%d+)%s*(%a+)") do
    local size = units[unit:lower():gsub("s$", "")]
    if not size then
      return nil
    end
    ordinal, is_understood = ordinal + math.tointeger(tonumber(count)) * size, true
  end
  return is_understood and ordinal or nil
end

local function interval_format(ordinal)
  local sign = ordinal < 0 and "-" or ""
  ordinal = math.abs(ordinal)
  return ("%s%d days %s%s"):format(sign, ordinal // DAY, sign, clock_format(ordinal % DAY))
end

local makers = {
  smallint = function()
    return whole(-32768, 32767, { "32767", "0", "-32768", "-1" })
  end,
  integer = function()
    return whole(-2147483648, 2147483647, { "2147483647", "0", "-2147483648", "-1" })
  end,
  bigint = function()
    return whole(math.mininteger, math.maxinteger,
      { "9223372036854775807", "0", "-9223372036854775808", "-1", "4294967296" })
  end,
  oid = function()
    return whole(0, 4294967295, { "4294967295", "0" })
  end,
  xid = function()
    return whole(0, 4294967295, { "4294967295" })
  end,
  cid = function()
    return whole(0, 4294967295, { "4294967295" })
  end,
  xid8 = function()
    return whole(0, math.maxinteger, { "9223372036854775807" })
  end,
  numeric = numeric,
  real = function()
    return real(2, 1e6, { "0", "-1.5", "1.5e+10", "1e-07" })
  end,
  ["double precision"] = function()
    return real(3, 1e15, { "0", "-1.5", "123456789.125", "1e-07", "0.1" })
  end,
  money = function()
    return real(2, 1e13, { "0", "92233720368547758.07", "-0.01" })
  end,
  date = function()
    return maker({
      parse = date_parse, format = date_format, step = 1, gap = 1, low = FIRST_DAY,
      high = LAST_DAY, is_whole = true, day = 1,
    }, {
      "infinity", "2000-02-29", "-infinity", "1970-01-01", "9999-12-31", "0001-01-01",
    }, USUAL_DAY, 3, 2)
  end,
  ["timestamp without time zone"] = function()
    return timestamp("")
  end,
  ["timestamp with time zone"] = function()
    return timestamp("+00")
  end,
  ["time without time zone"] = function()
    return maker({
      parse = clock_parse, format = clock_format, step = SECOND, gap = 60 * SECOND, low = 0,
      high = DAY - SECOND, is_whole = true, day = DAY,
    }, { "24:00:00", "00:00:00", "23:59:59.999999" }, 60 * SECOND, 120 * SECOND, 59)
  end,
  interval = function()
    return maker({
      parse = interval_parse, format = interval_format, step = SECOND, gap = HOUR,
      low = -36500 * DAY, high = 36500 * DAY, is_whole = true, day = DAY,
    }, {
      "1 year 2 mons 3 days 04:05:06.789", "00:00:00", "-1 days", "00:00:00.000001",
    }, DAY, HOUR, 3599)
  end,
}

---The maker of a built-in type of this kind, or nil.
---@param name string  as format_type writes it, without typmod
---@param modifiers integer[]  numbers of the typmod: numeric(10,2) → { 10, 2 }
---@return table|nil
function ordinals.maker(name, modifiers)
  local make = makers[name]
  return make and make(modifiers[1], modifiers[2])
end

---A distance between two values, in ordinals: a number, or an interval between dates or times.
---@param ordinal table
---@param text string  "10", "1 day"
---@return number|nil
function ordinals.distance(ordinal, text)
  local number = number_of(text)
  if number or not ordinal.day then
    return number and (math.tointeger(number) or number)
  end
  local microseconds = interval_parse(text)
  if not microseconds or ordinal.day == DAY then
    return microseconds
  end
  return -(-microseconds // DAY) -- whole days
end

return ordinals
