--- Names and scalar values as SQL text. Pure.

local fault = require("luamig.fault")
local value = require("luamig.value")

local quote = {}

quote.NAME_BYTES = 63 -- NAMEDATALEN - 1

-- Key words of PostgreSQL 14 to 18 that are not "unreserved" (pg_get_keywords): the ones that
-- quote_ident() quotes. A name quoted without need on one version is still right.
local keywords = {}
for word in ([[
  all analyse analyze and any array as asc asymmetric authorization between bigint binary bit
  boolean both case cast char character check coalesce collate collation column concurrently
  constraint create cross current_catalog current_date current_role current_schema current_time
  current_timestamp current_user dec decimal default deferrable desc distinct do else end except
  exists extract false fetch float for foreign freeze from full grant greatest group grouping
  having ilike in initially inner inout int integer intersect interval into is isnull join json
  json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar
  json_serialize json_table json_value lateral leading least left like limit localtime
  localtimestamp merge_action national natural nchar none normalize not notnull null nullif numeric
  offset on only or order out outer overlaps overlay placing position precision primary real
  references returning right row select session_user setof similar smallint some substring symmetric
  system_user table tablesample then time timestamp to trailing treat trim true union unique user
  using values varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement
  xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
]]):gmatch("%S+") do
  keywords[word] = true
end

local function refuse(message, ...)
  fault.raise({ kind = "operation", message = message:format(...) })
end

---What is wrong with a name, or nil.
---@param name any
---@return string|nil
function quote.name_defect(name)
  if type(name) ~= "string" then
    return "expected a name (a string), got a " .. type(name)
  elseif name == "" then
    return "the name is empty"
  elseif name:find("\0", 1, true) then
    return "the name has a NUL byte in it"
  elseif #name > quote.NAME_BYTES then
    return ("the name '%s' has %d bytes, PostgreSQL takes %d"):format(name, #name, quote.NAME_BYTES)
  end
  return nil
end

---One identifier, in quotes only when it needs them.
---Raises: operation (empty, too long, NUL).
---@param name string
---@return string
function quote.ident(name)
  local defect = quote.name_defect(name)
  if defect then
    refuse("%s", defect)
  end
  if name:find("^[a-z_][a-z0-9_]*$") and not keywords[name] then
    return name
  end
  return '"' .. name:gsub('"', '""') .. '"'
end

-- One part of a dotted name, from `start`: its text and where the next one begins.
local function part_of_name(text, start)
  if text:sub(start, start) ~= '"' then
    local stop = text:find(".", start, true) or #text + 1
    return text:sub(start, stop - 1), stop
  end
  local stop = start
  repeat
    stop = text:find('"', stop + 1, true)
    local is_doubled = stop and text:sub(stop + 1, stop + 1) == '"'
    stop = is_doubled and stop + 1 or stop
  until not is_doubled
  if not stop then
    return nil
  end
  return text:sub(start + 1, stop - 1):gsub('""', '"'), stop + 1
end

---The parts of "name" or "schema.name"; a part in double quotes may hold a dot.
---@param text string
---@return string[]|nil parts, string|nil defect
function quote.parts(text)
  if type(text) ~= "string" then
    return nil, quote.name_defect(text)
  end
  local parts, position = {}, 1
  repeat
    local part, after = part_of_name(text, position)
    if not part then
      return nil, ("the name %s lacks a closing double quote"):format(text)
    end
    local next_byte = text:sub(after, after)
    if next_byte ~= "" and next_byte ~= "." then
      return nil, ("the name %s has text after a closing double quote"):format(text)
    end
    local defect = quote.name_defect(part)
    if defect then
      return nil, defect
    end
    parts[#parts + 1] = part
    position = after + 1
  until next_byte == ""
  return parts
end

---@param text string  "name" or "schema.name"
---@return string|nil schema, string name
function quote.split_name(text)
  local parts, defect = quote.parts(text)
  if not parts then
    refuse("%s", defect)
  elseif #parts > 2 then
    refuse("the name '%s' has more than two parts", text)
  end
  return parts[#parts - 1], parts[#parts]
end

---@param text string  "name" or "schema.name"
---@return string
function quote.name(text)
  local schema, name = quote.split_name(text)
  return schema and quote.ident(schema) .. "." .. quote.ident(name) or quote.ident(name)
end

---Identifiers with commas between them.
---@param names string[]
---@return string
function quote.idents(names)
  local out = {}
  for i, name in ipairs(names) do
    out[i] = quote.ident(name)
  end
  return table.concat(out, ", ")
end

---A string constant. A backslash makes it an E'' string, which reads the same whatever
---standard_conforming_strings says.
---@param text string
---@return string
function quote.string(text)
  if text:find("\0", 1, true) then
    refuse("a string with a NUL byte cannot be stored in PostgreSQL")
  end
  text = text:gsub("'", "''")
  if text:find("\\", 1, true) then
    return "E'" .. text:gsub("\\", "\\\\") .. "'"
  end
  return "'" .. text .. "'"
end

---The shortest text that reads back as the same number.
---@param number number
---@return string
function quote.number_text(number)
  if math.type(number) == "integer" then
    return tostring(number)
  elseif number ~= number then
    return "NaN"
  elseif number == math.huge or number == -math.huge then
    return number > 0 and "Infinity" or "-Infinity"
  end
  for digits = 15, 16 do
    local text = ("%%.%dg"):format(digits):format(number)
    if tonumber(text) == number then
      return text
    end
  end
  return ("%.17g"):format(number)
end

local function number_literal(number)
  local text = quote.number_text(number)
  return text:find("^%-?[IN]") and ("'%s'::float8"):format(text) or text
end

---A scalar as a constant: string, number, boolean, `op.null`, or SQL text as it is. Arrays and JSON
---are in `luamig.types`.
---@param v string|number|boolean|userdata|table
---@return string
function quote.literal(v)
  local kind = type(v)
  if kind == "string" then
    return quote.string(v)
  elseif kind == "number" then
    return number_literal(v)
  elseif kind == "boolean" then
    return v and "true" or "false"
  elseif v == value.null then
    return "NULL"
  elseif value.is(v, "sql") then
    return v.sql
  end
  return refuse("a %s has no form in SQL; use op.array or op.json", kind)
end

return quote
