--- Checks what a script hands to an operation against the operation's description, before anything
-- is rendered or sent. A defect is a fault of kind `operation` that gives the path of the argument,
-- what was found, what was expected, and the nearest known word.
--
-- A description says `parameters` (a list, in order) and `options` (by name). Each has a `type`:
--   name          "table" or "schema.table"        identifier    one name, no schema
--   type          a PostgreSQL type                string        any string
--   sql           op.sql only                      sql_or_string SQL, as a string or op.sql
--   boolean integer number function any            literal       a Lua value, op.sql, op.json …
--   columns       a list of names or op.sql        column, constraint
--   rows          a list of tables                 none          op.none
--   list<T>  map  map<T>  enum{a, b}               fields        a table, with `fields` beside
-- and unions of these: "identifier|column", "literal|none". `fields` beside a list are those of its
-- elements ([1], [2] go by position); `class` names them for editors. `refused` = { why there is no
-- such option, what to write }.

local fault = require("luamig.fault")
local nearest = require("luamig.nearest")
local quote = require("luamig.quote")
local value = require("luamig.value")

local shape = {}

---Raises what is wrong with a value.
---@param place { operation: string, path: string, bare: string }  where it stands in the call
---@param message string
---@param hint? string
function shape.refuse(place, message, hint)
  fault.raise({
    kind = "operation",
    message = ("%s: %s: %s"):format(place.operation, place.path, message),
    origin = place.operation,
    hint = hint,
  })
end

local refuse = shape.refuse

local function inside(place, suffix)
  return { operation = place.operation, path = place.bare .. suffix, bare = place.bare .. suffix }
end

local articles = { array = "an array", json = "JSON", none = "op.none", sql = "op.sql" }

---What a value is, in words.
---@return string
function shape.found(v)
  if v == nil then
    return "nothing"
  elseif v == value.null then
    return "op.null"
  elseif value.is(v) then
    return articles[v.tag] or "a " .. v.tag
  elseif type(v) == "string" and #v <= 30 and not v:find("%c") then
    return ("the string '%s'"):format(v)
  end
  return "a " .. type(v)
end

local function is_string(v)
  return type(v) == "string"
end

---Is it a table of the script's, and no value such as op.sql?
function shape.is_plain_table(v)
  return type(v) == "table" and not value.is(v)
end

local is_plain_table = shape.is_plain_table

local function is_tag(tag)
  return function(v)
    return value.is(v, tag)
  end
end

local function deep_name(v, place)
  local parts, defect = quote.parts(v)
  if not parts then
    refuse(place, defect)
  elseif #parts > 2 then
    refuse(place, ("the name '%s' has more than two parts"):format(v),
      "put a part that holds a dot in double quotes")
  end
  return v
end

local function deep_identifier(v, place)
  local defect = quote.name_defect(v)
  if defect then
    refuse(place, defect)
  end
  return v
end

local function deep_text(v, place)
  local text = type(v) == "table" and v.sql or v
  if text:find("^%s*$") then
    refuse(place, "the text is empty")
  elseif text:find("\0", 1, true) then
    refuse(place, "the text has a NUL byte in it")
  end
  return v
end

-- No other keys and no holes: a nil from a misspelt variable must not pass in silence.
local function check_list(list, place, hole_hint)
  local count = 0
  for key in pairs(list) do
    if math.type(key) ~= "integer" then
      refuse(inside(place, "." .. tostring(key)), "expected a list, found a named field")
    end
    count = count + 1
  end
  for i = 1, count do
    if list[i] == nil then
      refuse(inside(place, ("[%d]"):format(i)), "expected a value, got nothing (a nil in the list)",
        hole_hint)
    end
  end
  return list
end

local takes_null = { any = true, literal = true }

local function deep_list(v, place, node, spec)
  local out = {}
  local hint = takes_null[node.of[1].kind] and "op.null stands for NULL" or nil
  for i, item in ipairs(check_list(v, place, hint)) do
    out[i] = shape.check_type(item, inside(place, ("[%d]"):format(i)), node.of, spec)
  end
  return out
end

local function deep_columns(v, place, node)
  if next(v) == nil then
    refuse(place, "the list of columns is empty")
  end
  return deep_list(v, place, node)
end

local function deep_map(v, place, node)
  local out = {}
  for key, item in pairs(v) do
    if type(key) ~= "string" then
      refuse(place, "expected names as keys, got " .. shape.found(key))
    end
    out[key] = node.of and shape.check_type(item, inside(place, "." .. key), node.of) or item
  end
  return out
end

local function deep_rows(v, place)
  for i, row in ipairs(check_list(v, place)) do
    if not is_plain_table(row) then
      refuse(inside(place, ("[%d]"):format(i)),
        "expected a row (a table), got " .. shape.found(row))
    end
  end
  return v
end

local function deep_enum(v, place, node)
  local word = v:lower():gsub("_", " ")
  for _, known in ipairs(node.words) do
    if known:gsub("_", " ") == word then
      return known
    end
  end
  local near = nearest.of(v, node.words)
  return refuse(place,
    ("expected one of %s, got '%s'"):format(table.concat(node.words, ", "), v),
    near and ("did you mean '%s'?"):format(near))
end

local in_order = setmetatable({}, { __mode = "k" }) -- descriptions do not change

local function sort(names)
  table.sort(names, function(a, b)
    return tostring(a) < tostring(b)
  end)
end

local function keys_of(fields)
  local keys = in_order[fields]
  if not keys then
    keys = {}
    for key in pairs(fields) do
      keys[#keys + 1] = key
    end
    sort(keys)
    in_order[fields] = keys
  end
  return keys
end

local function suffix(key)
  return type(key) == "string" and "." .. key or ("[%s]"):format(tostring(key))
end

---Refuses a name that is none of the fields, with the nearest that is.
function shape.unknown_option(place, name, fields)
  local is_name = type(name) == "string"
  local known = {}
  for _, key in ipairs(keys_of(fields)) do
    known[#known + 1] = type(key) == "string" and not fields[key].refused and key or nil
  end
  local near = is_name and nearest.of(name, known)
  refuse(inside(place, suffix(name)),
    is_name and "there is no such option" or "expected options by name only",
    near and ("did you mean '%s'?"):format(near) or "known: " .. table.concat(known, ", "))
end

local function is_needed(field)
  return field.required or field.default ~= nil
end

-- Of many options few are given and few are needed: only those are looked at.
local needed_of = setmetatable({}, { __mode = "k" })

local function needed(fields)
  local names = needed_of[fields]
  if not names then
    names = {}
    for _, name in ipairs(keys_of(fields)) do
      names[#names + 1] = is_needed(fields[name]) and name or nil
    end
    needed_of[fields] = names
  end
  return names
end

local function given_of(given, fields)
  local names = {}
  for name in pairs(given) do
    names[#names + 1] = fields[name] and name or nil
  end
  if #names > 1 then
    sort(names)
  end
  return names
end

---Named fields of a table against their descriptions; what is missing gets its default.
---@param given table<any, any>
---@param place table
---@param fields table<any, table>
---@param out table<any, any>  gets what is checked
---@return table<any, any>  out
function shape.check_fields(given, place, fields, out)
  for _, name in ipairs(given_of(given, fields)) do
    local field, at = fields[name], inside(place, suffix(name))
    out[name] = field.refused and refuse(at, table.unpack(field.refused))
      or shape.check_type(given[name], at, shape.parse(field.type), field)
  end
  for _, name in ipairs(needed(fields)) do
    local field = fields[name]
    if given[name] == nil then
      out[name] = field.required and refuse(inside(place, suffix(name)),
        ("expected %s, got nothing"):format(shape.expected(field.type))) or field.default
    end
  end
  return out
end

local function deep_fields(v, place, _, spec)
  for name in pairs(v) do
    if not spec.fields[name] then
      shape.unknown_option(place, name, spec.fields)
    end
  end
  return shape.check_fields(v, place, spec.fields, {})
end

---A table against the fields of a description: those, and no others. Raises: operation.
---@param v table
---@param place table
---@param fields table<any, table>
---@return table<any, any>
function shape.check_table(v, place, fields)
  return deep_fields(v, place, nil, { fields = fields })
end

-- A column may also come as plain data (a record): it is checked as op.column would.
local function deep_column(v, place)
  if value.is(v, "column") then
    return v
  end
  local description = require("luamig.operations").get("column")
  local fields = { name = { type = "identifier", required = true },
    type = { type = "type", required = true } }
  for name, option in pairs(description.options) do
    fields[name] = option
  end
  return value.new("column", deep_fields(v, place, nil, { fields = fields }))
end

local kinds = {
  name = { text = "a name (a string)", is = is_string, deep = deep_name },
  identifier = { text = "a name (a string)", is = is_string, deep = deep_identifier },
  type = { text = "a type (a string)", is = is_string, deep = deep_text },
  string = { text = "a string", is = is_string },
  sql = { text = "op.sql", is = is_tag("sql"), deep = deep_text },
  sql_or_string = {
    text = "SQL (a string or op.sql)",
    is = function(v)
      return type(v) == "string" or value.is(v, "sql")
    end,
    deep = deep_text,
  },
  boolean = {
    text = "true or false",
    is = function(v)
      return type(v) == "boolean"
    end,
  },
  integer = {
    text = "an integer",
    is = function(v)
      return type(v) == "number" and math.tointeger(v) ~= nil
    end,
    deep = math.tointeger,
  },
  number = {
    text = "a number",
    is = function(v)
      return type(v) == "number"
    end,
  },
  literal = {
    text = "a value",
    is = function(v)
      local kind = type(v)
      return kind == "string" or kind == "number" or kind == "boolean" or v == value.null
        or is_plain_table(v) or value.is(v, "sql") or value.is(v, "array") or value.is(v, "json")
    end,
  },
  columns = { text = "a list of columns", is = is_plain_table, deep = deep_columns },
  column = {
    text = "a column",
    is = function(v)
      return value.is(v, "column") or is_plain_table(v)
    end,
    deep = deep_column,
  },
  constraint = { text = "a constraint", is = is_tag("constraint") },
  none = { text = "op.none", is = is_tag("none") },
  rows = { text = "a list of rows", is = is_plain_table, deep = deep_rows },
  map = { text = "a table", is = is_plain_table, deep = deep_map },
  fields = { text = "a table", is = is_plain_table, deep = deep_fields },
  list = { text = "a list", is = is_plain_table, deep = deep_list },
  enum = { text = "a word", is = is_string, deep = deep_enum },
  ["function"] = {
    text = "a function",
    is = function(v)
      return type(v) == "function"
    end,
  },
  any = {
    text = "a value",
    is = function(v)
      return v ~= nil
    end,
  },
}

local parsed = {}

local function parse_one(text)
  local node = { kind = text }
  local inner = text:match("^list<(.+)>$")
  local of = text:match("^map<(.+)>$")
  local words = text:match("^enum{(.+)}$")
  if inner then
    node = { kind = "list", of = shape.parse(inner) }
  elseif of then
    node = { kind = "map", of = shape.parse(of) }
  elseif words then
    node = { kind = "enum", words = {} }
    for word in words:gmatch("[^,]+") do
      node.words[#node.words + 1] = word:match("^%s*(.-)%s*$")
    end
  elseif text == "columns" then
    node.of = shape.parse("identifier|sql")
  end
  node.shape = assert(kinds[node.kind], "unknown type in a description: " .. text)
  return node
end

local function split_union(text)
  local out, depth, start = {}, 0, 1
  for i = 1, #text do
    local c = text:sub(i, i)
    depth = depth + ((c == "<" or c == "{") and 1 or (c == ">" or c == "}") and -1 or 0)
    if c == "|" and depth == 0 then
      out[#out + 1] = text:sub(start, i - 1)
      start = i + 1
    end
  end
  out[#out + 1] = text:sub(start)
  return out
end

---The alternatives of a type's text.
---@param text string
---@return table[]
function shape.parse(text)
  local alternatives = parsed[text]
  if not alternatives then
    alternatives = {}
    for i, part in ipairs(split_union(text)) do
      alternatives[i] = parse_one(part)
    end
    parsed[text] = alternatives
  end
  return alternatives
end

local function in_words(alternatives)
  local words, seen = {}, {}
  for _, node in ipairs(alternatives) do
    local word = node.words and "one of " .. table.concat(node.words, ", ") or node.shape.text
    if not seen[word] then
      seen[word] = true
      words[#words + 1] = word
    end
  end
  return table.concat(words, " or ")
end

---A type in words: "a name (a string) or a column".
---@return string
function shape.expected(text)
  return in_words(shape.parse(text))
end

local is_list = { columns = true, list = true, rows = true }

-- What was meant, when it can be seen.
local function meant(v, first)
  if is_list[first] and type(v) == "string" then
    return ("write { \"%s\" }"):format(v)
  elseif is_list[first] and value.is(v) and v.tag ~= "none" then
    return "write { … } around it"
  elseif first == "column" and type(v) == "string" then
    local name, type_name = v:match("^([%w_]+)%s+([%w_]+)")
    return ('write op.column("%s", "%s")'):format(name or v, type_name or "…")
  elseif value.is(v, "none") then
    return "op.none is for options that can be taken away"
  end
  return nil
end

---A value against the alternatives of its type. Raises: operation.
---@param v any
---@param place table
---@param alternatives table[]  of shape.parse
---@param spec table  the parameter or option
---@return any
function shape.check_type(v, place, alternatives, spec)
  for _, node in ipairs(alternatives) do
    if node.shape.is(v) then
      return node.shape.deep and node.shape.deep(v, place, node, spec) or v
    end
  end
  local hint = meant(v, alternatives[1].kind)
  local message = ("expected %s, got %s"):format(in_words(alternatives), shape.found(v))
  return refuse(place, message, hint)
end

return shape
