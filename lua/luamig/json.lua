--- JSON as luamig prints it: keys in order, so that two outputs can be compared line by line, and
-- an empty table is an empty list. Texts and numbers are left to cjson.

local cjson = require("cjson")

local json = {}

local function scalar(value)
  return (cjson.encode(value):gsub("\\/", "/"))
end

local function number(value)
  if math.type(value) == "integer" then
    return ("%d"):format(value)
  end
  return scalar(value)
end

local encode

local function list(value)
  local pieces = {}
  for i, item in ipairs(value) do
    pieces[i] = encode(item)
  end
  return "[" .. table.concat(pieces, ",") .. "]"
end

local function object(value)
  local names = {}
  for name in pairs(value) do
    names[#names + 1] = name
  end
  table.sort(names, function(a, b)
    return tostring(a) < tostring(b)
  end)
  local pieces = {}
  for i, name in ipairs(names) do
    pieces[i] = scalar(tostring(name)) .. ":" .. encode(value[name])
  end
  return "{" .. table.concat(pieces, ",") .. "}"
end

function encode(value)
  if type(value) == "table" then
    return (#value > 0 or next(value) == nil) and list(value) or object(value)
  elseif type(value) == "number" then
    return number(value)
  end
  return scalar(value)
end

---@param value any  tables, texts, numbers, booleans, cjson.null
---@return string  one line
function json.encode(value)
  return encode(value)
end

return json
