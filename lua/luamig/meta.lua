--- The definition file for editors (LuaLS): every function of `op` with its parameters, options,
-- documentation and example, and the globals that a revision file may assign. It is made of the
-- descriptions that also check the arguments, so the two cannot differ.

local description = require("luamig.description")
local shape = require("luamig.shape")

local meta = {}

local HEAD <const> = [[
---@meta luamig.op

-- Made by luamig from the descriptions of its operations; `luamig init` writes it anew.
]]

-- The header of a revision file.
local globals = {
  { name = "revision", type = "string", doc = "The id of this revision." },
  {
    name = "down_revision",
    type = "string|string[]|nil",
    doc = "The id of the revision before this one; nil for the first, a list for a merge.",
  },
  {
    name = "branch_labels",
    type = "string|string[]|nil",
    doc = "Names of the branch that starts here.",
  },
  {
    name = "depends_on",
    type = "string|string[]|nil",
    doc = "Ids or labels of revisions that must be applied before.",
  },
  {
    name = "transactional",
    type = "boolean|nil",
    doc = "false: every statement is committed by itself.",
  },
  {
    name = "data_loss",
    type = "string|nil",
    doc = "What a downgrade does not bring back: \"phone numbers are dropped\".",
  },
  { name = "irreversible", type = "string|nil", doc = "Why there is no way back." },
  { name = "upgrade", is_function = true, doc = "Brings the database to this revision." },
  { name = "downgrade", is_function = true, doc = "Takes the database back to the one before." },
  {
    name = "change",
    is_function = true,
    doc = "In place of the two: its operations, and for the downgrade their inverses, backwards.",
  },
}

local classes = [[
---SQL text: op.sql
---@class luamig.Sql
---@field sql string

---A PostgreSQL array: op.array
---@class luamig.Array

---JSON: op.json
---@class luamig.Json

---op.none
---@class luamig.None

---op.null
---@alias luamig.Null lightuserdata

---A constant, or SQL text that makes one
---@alias luamig.Literal string|number|boolean|table|luamig.Null|luamig.Sql|luamig.Array|luamig.Json

---A column: op.column
---@class luamig.Column: luamig.ColumnOptions
---@field name string
---@field type string

---A constraint: op.primary_key, op.unique, op.check, op.foreign_key, op.exclude …
---@class luamig.Constraint
---@field kind string
]]

local plain = {
  name = "string", identifier = "string", type = "string", string = "string",
  boolean = "boolean", integer = "integer", number = "number", any = "any",
  sql = "luamig.Sql", literal = "luamig.Literal", column = "luamig.Column",
  constraint = "luamig.Constraint", none = "luamig.None", rows = "table<string, any>[]",
  ["function"] = "function",
}

local function camel(name)
  return (("_" .. name):gsub("_(%w)", string.upper))
end

local type_text

local compound = {
  sql_or_string = function()
    return { "string", "luamig.Sql" }
  end,
  enum = function(node)
    local words = {}
    for i, word in ipairs(node.words) do
      words[i] = ("%q"):format(word)
    end
    return words
  end,
  fields = function(_, class)
    return { class or "table" }
  end,
  map = function(node, class)
    return { ("table<string, %s>"):format(node.of and type_text(node.of, class) or "any") }
  end,
  list = function(node, class)
    local of = type_text(node.of, class)
    return { (of:find("|", 1, true) and "(" .. of .. ")" or of) .. "[]" }
  end,
}
compound.columns = compound.list

---A type of a description as LuaLS writes it.
---@param alternatives table  of shape.parse
---@param class string|nil    the class of what has `fields`
---@return string
function type_text(alternatives, class)
  local out, seen = {}, {}
  for _, node in ipairs(alternatives) do
    local words = compound[node.kind] and compound[node.kind](node, class)
      or { plain[node.kind] or "any" }
    for _, word in ipairs(words) do
      if not seen[word] then
        seen[word] = true
        out[#out + 1] = word
      end
    end
  end
  return table.concat(out, "|")
end

local function doc_lines(out, text)
  for line in (text .. "\n"):gmatch("(.-)\n") do
    out[#out + 1] = "---" .. line
  end
end

local function one_line(text)
  return (text:gsub("%s*\n%s*", " "))
end

-- A type's text; the class that its `fields` make is written first, and once: descriptions share
-- fields with one another.
local write_class

local function field_type(out, field, class)
  local fields = field.fields
  if fields and not out.class_of[fields] then
    out.class_of[fields] = field.class and "luamig." .. field.class or class
    write_class(out, out.class_of[fields], fields)
  end
  return type_text(shape.parse(field.type), fields and out.class_of[fields])
end

local function field_doc(field)
  local doc = field.doc or ""
  if field.default ~= nil then
    doc = ("%s (default %s)"):format(doc, description.constant(field.default))
  end
  return doc ~= "" and " # " .. one_line(doc) or ""
end

---@param items? string  the type of what stands in the same table by position
function write_class(out, class, fields, items)
  local lines = { "---@class " .. class }
  if items then
    lines[2] = "---@field [integer] " .. items
  end
  for _, entry in ipairs(description.fields(fields)) do
    local key, field = entry.key, entry.field
    local is_position = math.type(key) == "integer"
    local text = field_type(out, field, class .. camel(is_position and "item" .. key or key))
    lines[#lines + 1] = ("---@field %s%s %s%s"):format(is_position and ("[%d]"):format(key) or key,
      field.required and "" or "?", text, field_doc(field))
  end
  out[#out + 1] = table.concat(lines, "\n") .. "\n"
end

-- The type of a parameter; the class of a table that holds a list and options too is written first.
local function parameter_type(out, one, parameter)
  local class = "luamig." .. camel(one.name) .. camel(parameter.name)
  if one.options_in == parameter.name then
    local items = type_text(shape.parse(parameter.type)[1].of)
    write_class(out, class, one.options, items)
    return class
  end
  return field_type(out, parameter, class .. (parameter.fields and "Item" or ""))
end

local reserved = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat
  return then true until while]]):gmatch("%S+") do
  reserved[word] = true
end

local function safe_name(name)
  return reserved[name] and name .. "_" or name
end

local function signature_lines(out, lines, one)
  local names = {}
  for i, parameter in ipairs(one.parameters or {}) do
    names[i] = safe_name(parameter.name)
    lines[#lines + 1] = ("---@param %s%s %s%s"):format(names[i], parameter.optional and "?" or "",
      parameter_type(out, one, parameter), field_doc(parameter))
  end
  if one.options and next(one.options) and not one.options_in then
    local class = "luamig." .. camel(one.name) .. "Options"
    write_class(out, class, one.options)
    names[#names + 1] = "options"
    lines[#lines + 1] = "---@param options? " .. class
  end
  if one.returns then
    lines[#lines + 1] = "---@return " .. one.returns
  end
  lines[#lines + 1] = ("function op.%s(%s) end"):format(one.name, table.concat(names, ", "))
end

local function write_function(out, one)
  local lines = {}
  doc_lines(lines, one.summary)
  for _, part in ipairs({
    one.doc or false,
    "Raises: " .. description.raises(one),
    description.inverse(one) and "Inverse: " .. description.inverse(one) or false,
    one.example and "```lua\n" .. one.example .. "\n```" or false,
  }) do
    if part then
      doc_lines(lines, "\n" .. part)
    end
  end
  signature_lines(out, lines, one)
  out[#out + 1] = table.concat(lines, "\n") .. "\n"
end

local function write_op(out)
  local lines = { "---What a revision does.", "---@class luamig.op" }
  for _, field in ipairs(description.values) do
    lines[#lines + 1] = ("---@field %s %s # %s"):format(field.name, field.type, field.summary)
  end
  lines[#lines + 1] = "op = {}\n"
  out[#out + 1] = table.concat(lines, "\n")
  lines = { "---@class luamig.Context" }
  for _, field in ipairs(description.context_fields) do
    lines[#lines + 1] = ("---@field %s %s # %s"):format(field.name, field.type, field.doc)
  end
  out[#out + 1] = table.concat(lines, "\n") .. "\n"
end

local function write_globals(out)
  for _, field in ipairs(globals) do
    local text = "---" .. field.doc .. "\n"
    if field.is_function then
      text = ("%sfunction %s() end\n"):format(text, field.name)
    else
      text = ("%s---@type %s\n%s = nil\n"):format(text, field.type, field.name)
    end
    out[#out + 1] = text
  end
end

-- Classes that a description returns and nothing above defines.
local function write_missing(out)
  local text = table.concat(out, "\n")
  local seen = {}
  for name in text:gmatch("luamig%.%u%w*") do
    if not seen[name] then
      seen[name] = true
      local is_there = text:find("@class " .. name .. "%f[^%w]")
        or text:find("@alias " .. name .. "%f[^%w]")
      if not is_there then
        out[#out + 1] = ("---@class %s\n"):format(name)
      end
    end
  end
end

---The whole definition file.
---@return string
function meta.text()
  local out = { HEAD, classes, class_of = {} }
  write_op(out)
  for _, one in ipairs(description.all()) do
    write_function(out, one)
  end
  write_globals(out)
  write_missing(out)
  out[#out + 1] = "return op\n"
  return table.concat(out, "\n")
end

return meta
