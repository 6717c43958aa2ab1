--- Expressions of the catalogs as scripts write them: constants as Lua values, the rest as op.sql.
-- Pure.

local names = require("luamig.diff.names")
local quote = require("luamig.quote")
local value = require("luamig.value")

local expression = {}

local integers = { smallint = true, integer = true, bigint = true, numeric = true }
local floats = { numeric = true, ["double precision"] = true, real = true }

-- A number whose text is the same again: 1.50 stays SQL.
local function number_of(text)
  local number = tonumber(text)
  return number and quote.number_text(number) == text and number or nil
end

local function number_constant(text, type_name)
  type_name = names.base_type(type_name)
  local negative, cast = text:match("^'(%-[%d.]+)'::(.+)$")
  if negative then
    text = (cast == type_name or cast == "integer" and integers[type_name]) and negative or ""
  end
  if text:find("^%-?%d+$") and (integers[type_name] or floats[type_name]) then
    return math.tointeger(number_of(text))
  elseif text:find("^%-?%d+%.%d+$") and floats[type_name] then
    return number_of(text)
  end
  return nil
end

-- Types whose constants may be written as plain strings.
local plain = {
  text = true, ["character varying"] = true, jsonb = true, uuid = true, date = true,
}

local function string_constant(text, type_name, is_enum)
  local inside, cast = text:match("^'(.*)'::(.+)$")
  if not inside or inside:gsub("''", ""):find("'", 1, true) then
    return nil
  elseif cast ~= names.base_type(type_name) or not (plain[cast] or is_enum) then
    return nil
  end
  return (inside:gsub("''", "'"))
end

---A default of a column as an argument.
---@param text string        "'draft'::text"
---@param type_name string   of the column, as format_type has it
---@param is_enum? boolean   the type is an enum
---@return string|number|boolean|table  "draft", or op.sql
function expression.default(text, type_name, is_enum)
  if (text == "true" or text == "false") and type_name == "boolean" then
    return text == "true"
  end
  local constant = number_constant(text, type_name)
  if constant == nil then
    constant = string_constant(text, type_name, is_enum)
  end
  if constant ~= nil then
    return constant
  end
  return value.sql(text)
end

---One bound of a partition: a constant, or op.sql("MINVALUE").
---@return string|number|boolean|table
function expression.bound(text)
  local inside = text:match("^'(.*)'$")
  if inside and not inside:gsub("''", ""):find("'", 1, true) then
    return (inside:gsub("''", "'"))
  elseif text:find("^%-?%d+$") and number_of(text) then
    return math.tointeger(number_of(text))
  elseif text == "true" or text == "false" then
    return text == "true"
  elseif text == "NULL" then
    return value.null
  end
  return value.sql(text)
end

return expression
