--- Lua values in the text forms of PostgreSQL's types: literals for statements, fields for COPY.
-- Keys of JSON objects come out sorted, so that one script always makes one text. Pure.

local fault = require("luamig.fault")
local quote = require("luamig.quote")
local value = require("luamig.value")

local types = {}

local function refuse(message, ...)
  fault.raise({ kind = "operation", message = message:format(...) })
end

---A type as it is compared here: lower case, single spaces, without length or precision.
---@param type_name string|nil
---@return string|nil
local function plain_type(type_name)
  if not type_name then
    return nil
  end
  local plain = type_name:lower():gsub("%s+", " "):gsub("%s*%b()", "")
  return (plain:gsub("^pg_catalog%.", ""):gsub("^ ", ""):gsub(" $", ""))
end

---The type of the elements, or nil when it is no array: "integer[]", "text[3][]", "int array".
---@param type_name string|nil
---@return string|nil
function types.element(type_name)
  if not type_name then
    return nil
  end
  return type_name:match("^(.-)%s*%[[%d%s%[%]]*%]%s*$")
    or type_name:match("^(.-)%s+[aA][rR][rR][aA][yY]%s*$")
end

---@return boolean
function types.is_json(type_name)
  local plain = plain_type(type_name)
  return plain == "json" or plain == "jsonb"
end

local json_escapes = {
  ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r",
  ["\t"] = "\\t",
}

local function json_string(text)
  return '"' .. text:gsub('[%c"\\]', function(c)
    return json_escapes[c] or ("\\u%04x"):format(c:byte())
  end) .. '"'
end

local function is_list(t)
  local count = 0
  for key in pairs(t) do
    if math.type(key) ~= "integer" then
      return false
    end
    count = count + 1
  end
  return count > 0 and count == #t
end

local function json_keys(t)
  local keys = {}
  for key in pairs(t) do
    if type(key) ~= "string" then
      refuse("a JSON object has string keys, got the %s %s", type(key), tostring(key))
    end
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

local json_text

local function json_table(t, depth)
  if depth > 1000 then
    refuse("a JSON value is nested more than 1000 levels deep")
  end
  local out = {}
  if value.is(t, "array") or is_list(t) or value.is_empty_array(t) then
    for i, item in ipairs(t.values or t) do
      out[i] = json_text(item, depth + 1)
    end
    return "[" .. table.concat(out, ",") .. "]"
  end
  for i, key in ipairs(json_keys(t)) do
    out[i] = json_string(key) .. ":" .. json_text(t[key], depth + 1)
  end
  return "{" .. table.concat(out, ",") .. "}"
end

local json_scalars = {
  string = json_string,
  boolean = tostring,
  number = function(v)
    local text = quote.number_text(v)
    return text:find("^%-?[IN]") and refuse("JSON has no %s", text) or text
  end,
}

function json_text(v, depth)
  local scalar = json_scalars[type(v)]
  if scalar then
    return scalar(v)
  elseif v == value.null then
    return "null"
  elseif value.is(v, "json") then
    return json_text(v.value, depth)
  elseif type(v) == "table" and (not value.is(v) or value.is(v, "array")) then
    return json_table(v, depth)
  end
  return refuse("a %s has no form in JSON", value.is(v) and "op." .. v.tag or type(v))
end

---JSON text with sorted keys. An empty table is `{}`; an empty array is `op.array({})`, or one that
---a query gave.
---@param v any
---@return string
function types.json(v)
  return json_text(v, 0)
end

local function array_element(v, element_type)
  if v == value.null then
    return "NULL"
  end
  local is_nested = value.is(v, "array") or (type(v) == "table" and not value.is(v, "json")
    and not types.is_json(element_type))
  local text = types.text(v, is_nested and (element_type or "") .. "[]" or element_type)
  if is_nested or (text:find("^[%w_.+-]+$") and text:lower() ~= "null") then
    return text
  end
  return '"' .. text:gsub('[\\"]', "\\%0") .. '"'
end

local function array_text(list, element_type)
  local out = {}
  local count = 0
  for key in pairs(list) do
    count = count + 1
    if math.type(key) ~= "integer" then
      refuse("an array has integer keys, got the %s %s", type(key), tostring(key))
    end
  end
  if count ~= #list then
    refuse("an array has a hole in it; use op.null for NULL")
  end
  for i, item in ipairs(list) do
    out[i] = array_element(item, element_type)
  end
  return "{" .. table.concat(out, ",") .. "}"
end

local function table_text(v, type_name)
  local element = types.element(type_name)
  if value.is(v, "array") then
    return array_text(v.values, v.element or element)
  elseif value.is(v, "json") then
    return types.json(v.value)
  elseif value.is(v) then
    return refuse("op.%s is no value of a row", v.tag)
  elseif element then
    return array_text(v, element)
  elseif types.is_json(type_name) then
    return types.json(v)
  elseif not type_name then
    return refuse("a table needs op.array or op.json around it, for its type is not known here")
  end
  return refuse("a table is no value of type %s; use op.array or op.json", type_name)
end

---A value in the text form that the type's input function reads; nil for NULL.
---@param v any
---@param type_name? string  PostgreSQL's spelling; without it a table must be wrapped
---@return string|nil
function types.text(v, type_name)
  local kind = type(v)
  if v == nil or v == value.null then
    return nil
  elseif kind == "string" and not types.is_json(type_name) then
    if plain_type(type_name) == "bytea" then
      return "\\x" .. v:gsub(".", function(c)
        return ("%02x"):format(c:byte())
      end)
    end
    return v
  elseif kind == "string" then
    return v -- JSON text already; op.json("…") makes a JSON string of it
  elseif kind == "number" then
    return quote.number_text(v)
  elseif kind == "boolean" then
    return v and "true" or "false"
  elseif kind == "table" then
    return table_text(v, type_name)
  end
  return refuse("a %s is no value of a database", kind)
end

local copy_escapes = {
  ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\b"] = "\\b", ["\f"] = "\\f",
  ["\v"] = "\\v",
}

---One field of COPY's text format.
---@return string
function types.copy_field(v, type_name)
  local text = types.text(v, type_name)
  if not text then
    return "\\N"
  elseif text:find("\0", 1, true) then
    fault.raise({
      kind = "operation",
      message = "a string with a NUL byte cannot be stored in PostgreSQL",
      hint = 'bytes of a bytea need its type: types = { column = "bytea" }',
    })
  end
  return (text:gsub("[\\\n\r\t\b\f\v]", copy_escapes))
end

---A value as a constant in SQL. A table and a bytea carry their type with them.
---@param v any
---@param type_name? string
---@return string
function types.literal(v, type_name)
  if value.is(v, "array") then
    local element = v.element or types.element(type_name)
    return quote.string(types.text(v, type_name)) .. (element and "::" .. element .. "[]" or "")
  elseif value.is(v, "json") then
    local json_type = types.is_json(type_name) and type_name or "jsonb"
    return quote.string(types.text(v)) .. "::" .. json_type
  elseif type(v) == "table" and not value.is(v) then
    return quote.string(types.text(v, type_name)) .. "::" .. type_name
  elseif type(v) == "string" and plain_type(type_name) == "bytea" then
    return quote.string(types.text(v, type_name)) .. "::bytea"
  end
  return quote.literal(v)
end

return types
