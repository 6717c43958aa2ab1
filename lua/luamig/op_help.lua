--- The texts of `luamig help op` and `luamig help op.NAME`, made of the descriptions of operations.

local description = require("luamig.description")
local fault = require("luamig.fault")
local nearest = require("luamig.nearest")
local shape = require("luamig.shape")

local op_help = {}

local WIDTH <const> = 100
local FIELD_WIDTH <const> = 22 -- a longer name pushes its text to the next line
local OPERATION_WIDTH <const> = 30

local plain = {
  name = "name", identifier = "name", type = "type", sql = "op.sql", sql_or_string = "SQL",
  literal = "value", columns = "list of (name | op.sql)", rows = "list of rows", none = "op.none",
  fields = "table",
}

local type_words

local function in_parentheses(alternatives)
  local words = type_words(alternatives)
  return words:find("|", 1, true) and "(" .. words .. ")" or words
end

local compound = {
  list = function(node)
    return "list of " .. in_parentheses(node.of)
  end,
  map = function(node)
    return node.of and "table of " .. in_parentheses(node.of) or "table"
  end,
  enum = function(node)
    return '"' .. table.concat(node.words, '" | "') .. '"'
  end,
}

-- A type in few words: "name | op.sql".
function type_words(alternatives)
  local words, seen = {}, {}
  for _, node in ipairs(alternatives) do
    local word = compound[node.kind] and compound[node.kind](node) or plain[node.kind] or node.kind
    if not seen[word] then
      seen[word] = true
      words[#words + 1] = word
    end
  end
  return table.concat(words, " | ")
end

-- Words filled into lines; the first one begins behind `first`, the others behind spaces.
local function add_wrapped(lines, first, text)
  local indent = (" "):rep(utf8.len(first) or #first)
  local line = first
  for word in text:gmatch("%S+") do
    local is_empty = line == first or line == indent
    local length = (utf8.len(line) or #line) + (utf8.len(word) or #word)
    if not is_empty and length >= WIDTH then
      lines[#lines + 1] = line
      line, is_empty = indent, true
    end
    line = line .. (is_empty and "" or " ") .. word
  end
  lines[#lines + 1] = line
end

local function add_text(lines, title, text)
  lines[#lines + 1] = ""
  lines[#lines + 1] = title
  add_wrapped(lines, "  ", text)
end

local function add_entry(lines, indent, width, name, text)
  local column = indent + width
  local head = (" "):rep(indent) .. name
  if #head + 2 > column then
    lines[#lines + 1] = head
    head = ""
  end
  add_wrapped(lines, head .. (" "):rep(column - #head), text)
end

local function field_text(field, remark)
  local of_type = type_words(shape.parse(field.type))
  if field.default ~= nil then
    of_type = ("%s, default %s"):format(of_type, description.constant(field.default))
  end
  if field.required then
    of_type = of_type .. ", required"
  end
  return ("%s%s [%s]"):format(field.doc or "", remark or "", of_type)
end

-- Fields that were shown already are not shown again: those of an option that repeats the options
-- around it (`from` of alter_column), and those that an option above had too.
local function nested_fields(lines, field, around)
  local fields = field.fields
  if not fields then
    return nil
  elseif lines.shown[fields] then
    return nil, ", fields as above"
  end
  for key, one in pairs(fields) do
    if not around or around[key] ~= one then
      lines.shown[fields] = true
      return fields
    end
  end
  return nil, ", fields as these options"
end

local function add_fields(lines, indent, fields)
  for _, entry in ipairs(description.fields(fields)) do
    local name = math.type(entry.key) == "integer" and ("[%d]"):format(entry.key) or entry.key
    local nested, remark = nested_fields(lines, entry.field, fields)
    add_entry(lines, indent, FIELD_WIDTH, name, field_text(entry.field, remark))
    add_fields(lines, indent + 2, nested)
  end
end

local function add_parameters(lines, one)
  if not one.parameters or not one.parameters[1] then
    return
  end
  lines[#lines + 1] = ""
  lines[#lines + 1] = "Parameters"
  for _, parameter in ipairs(one.parameters) do
    local name = parameter.name .. (parameter.optional and " (may be nil)" or "")
    local nested, remark = nested_fields(lines, parameter)
    add_entry(lines, 2, FIELD_WIDTH, name, field_text(parameter, remark))
    add_fields(lines, 4, nested)
  end
end

local function add_options(lines, one)
  if not one.options or not next(one.options) then
    return
  end
  lines[#lines + 1] = ""
  lines[#lines + 1] = one.options_in and ("Options, in the table `%s`"):format(one.options_in)
    or "Options"
  add_fields(lines, 2, one.options)
end

local function add_example(lines, example)
  lines[#lines + 1] = ""
  lines[#lines + 1] = "Example"
  for line in (example .. "\n"):gmatch("(.-)\n") do
    lines[#lines + 1] = "  " .. line
  end
end

local function value_text(name)
  for _, field in ipairs(description.values) do
    if field.name == name then
      local lines = { "op." .. name, "" }
      add_wrapped(lines, "  ", field.summary)
      if name == "context" then
        lines[#lines + 1] = ""
        for _, entry in ipairs(description.context_fields) do
          add_entry(lines, 2, FIELD_WIDTH, entry.name, entry.doc)
        end
      end
      return table.concat(lines, "\n")
    end
  end
  return nil
end

local function unknown_raise(name)
  local names = {}
  for _, list in ipairs({ description.all(), description.values }) do
    for _, one in ipairs(list) do
      names[#names + 1] = one.name
    end
  end
  local near = nearest.of(name, names)
  fault.raise({
    kind = "usage",
    message = ("there is no op.%s"):format(name),
    hint = near and ("did you mean op.%s?"):format(near) or nil,
    try = near and "luamig help op." .. near or "luamig help op",
  })
end

---Help on one operation. Raises: usage, when there is none of that name.
---@param name string  "create_table" or "op.create_table"
---@return string
function op_help.text(name)
  name = name:gsub("^op%.", "")
  local one = description.get(name)
  if not one then
    return value_text(name) or unknown_raise(name)
  end
  local lines = { description.signature(one), "", shown = {} }
  add_wrapped(lines, "  ", one.summary)
  if one.doc then
    lines[#lines + 1] = ""
    add_wrapped(lines, "  ", one.doc)
  end
  add_parameters(lines, one)
  add_options(lines, one)
  if one.returns then
    add_text(lines, "Returns", one.returns)
  end
  add_text(lines, "Raises", description.raises(one))
  local inverse = description.inverse(one)
  if inverse then
    add_text(lines, "Inverse", inverse)
  end
  if one.example then
    add_example(lines, one.example)
  end
  return table.concat(lines, "\n")
end

-- Families in the order of their first operation.
local function families()
  local order, members = {}, {}
  for _, one in ipairs(description.all()) do
    local family = one.family or "control"
    if not members[family] then
      members[family] = {}
      order[#order + 1] = family
    end
    table.insert(members[family], one)
  end
  return order, members
end

---The list of all operations.
---@return string
function op_help.list()
  local lines = { "What a revision can do, by family. More on each: luamig help op.NAME" }
  local order, members = families()
  for _, family in ipairs(order) do
    lines[#lines + 1] = ""
    lines[#lines + 1] = family:sub(1, 1):upper() .. family:sub(2)
    for _, one in ipairs(members[family]) do
      add_entry(lines, 2, OPERATION_WIDTH, one.name, one.summary)
    end
  end
  lines[#lines + 1] = ""
  lines[#lines + 1] = "Fields"
  for _, field in ipairs(description.values) do
    add_entry(lines, 2, OPERATION_WIDTH, field.name, field.summary)
  end
  return table.concat(lines, "\n")
end

return op_help
