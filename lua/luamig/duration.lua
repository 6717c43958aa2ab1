--- Durations as people write them. Pure.

local duration = {}

local units = { ms = 1, s = 1000, min = 60000, h = 3600000, d = 86400000 }

---A duration in milliseconds: a number of milliseconds, or "500ms", "5s", "10min", "1h", "1d";
---a bare number in a text counts as seconds there. Returns nil for anything else.
---@param value number|string
---@return integer|nil
function duration.milliseconds(value)
  if math.type(value) and value >= 0 then
    return math.floor(value)
  elseif type(value) ~= "string" then
    return nil
  end
  local number, unit = value:match("^%s*(%d+%.?%d*)%s*(%a*)%s*$")
  unit = unit == "" and "s" or unit == "m" and "min" or unit
  if not number or not units[unit] then
    return nil
  end
  return math.floor(tonumber(number) * units[unit])
end

---Seconds for eyes: "850 ms", "12 s", "3 min 20 s", "2 h 5 min", "4 d 3 h".
---@param seconds number
---@return string
function duration.text(seconds)
  if seconds < 1 then
    return ("%d ms"):format(math.floor(seconds * 1000 + 0.5))
  end
  local s = math.floor(seconds + 0.5)
  if s < 60 then
    return ("%d s"):format(s)
  elseif s < 3600 then
    return ("%d min %d s"):format(s // 60, s % 60)
  elseif s < 86400 then
    return ("%d h %d min"):format(s // 3600, s % 3600 // 60)
  end
  return ("%d d %d h"):format(s // 86400, s % 86400 // 3600)
end

return duration
