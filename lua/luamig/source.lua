--- Records as the Lua source that a person would write: `op.create_table("users", { … })`, wrapped
-- at 100 columns. Pure.

local literal = require("luamig.literal")
local operations = require("luamig.operations")
local value = require("luamig.value")

local source = {}

local WIDTH <const> = 100
local INDENT <const> = "  "

-- Options that people write first or last; the others go by name.
local first = {
  "primary_key", "nullable", "type", "using", "collation", "default", "identity", "generated",
  "unique", "name", "table", "from", "to", "values", "range", "list", "hash", "on_delete",
  "on_update", "timing", "events", "for_each", "returns", "language", "roles", "kind",
}
local last = { "replace", "comment", "attributes", "sql", "body", "check" }

local ranks = {}
for i, name in ipairs(first) do
  ranks[name] = i - 1000
end
for i, name in ipairs(last) do
  ranks[name] = 1000 + i
end

local function named_keys(map)
  local keys = {}
  for key in pairs(map) do
    if type(key) == "string" then
      keys[#keys + 1] = key
    end
  end
  table.sort(keys, function(x, y)
    local a, b = ranks[x] or 0, ranks[y] or 0
    if a ~= b then
      return a < b
    end
    return x < y
  end)
  return keys
end

-- THE TREE   what is printed: { text = "…" } · { string = "…" } · { open =, items =, close = }
-- Each item of a list is a tree, with `key` in front when it is named.

local tree

local function list_tree(items, map)
  local out = { open = "{", items = {}, close = "}", is_table = true }
  for _, item in ipairs(items or {}) do
    out.items[#out.items + 1] = tree(item)
  end
  for _, key in ipairs(named_keys(map or {})) do
    local item = tree(map[key])
    item.key = literal.key(key) .. " = "
    out.items[#out.items + 1] = item
  end
  return out
end

local function call_tree(name, items)
  return { open = name .. "(", items = items, close = ")" }
end

local function without(map, names)
  local out = {}
  for key, item in pairs(map) do
    if not names[key] then
      out[key] = item
    end
  end
  return out
end

local function without_trailing_nils(items)
  while items[#items] and items[#items].text == "nil" do
    items[#items] = nil
  end
  return items
end

-- The options of a call stand in a table behind the parameters, or together with the list that is
-- the last one.
local function add_options(description, args, items, options)
  local mixed = description.options_in and (args[description.options_in] or {})
  if mixed and (mixed[1] or next(options)) then
    items[#items] = list_tree(mixed, options)
  elseif not mixed and next(options) then
    items[#items + 1] = list_tree(nil, options)
  end
end

local function argument_trees(description, args)
  local items, taken = {}, { tag = true, kind = args.tag ~= nil or nil }
  for i, parameter in ipairs(description.parameters or {}) do
    local v = args[parameter.name]
    taken[parameter.name] = true
    items[i] = v == nil and { text = "nil" } or tree(v)
  end
  local options = without(args, taken)
  for name, option in pairs(description.options or {}) do
    if option.default ~= nil and options[name] == option.default then
      options[name] = nil
    end
  end
  add_options(description, args, items, options)
  return without_trailing_nils(items)
end

local tags = {}

function tags.sql(v)
  return call_tree("op.sql", { { string = v.sql } })
end

function tags.none()
  return { text = "op.none" }
end

function tags.column(v)
  return call_tree("op.column", argument_trees(operations.get("column"), v))
end

function tags.constraint(v)
  return call_tree("op." .. v.kind, argument_trees(operations.get(v.kind), v))
end

function tags.array(v)
  return call_tree("op.array", { list_tree(v.values), v.element and { string = v.element } })
end

function tags.json(v)
  return call_tree("op.json", { tree(v.value) })
end

function tree(v)
  if value.is(v) then
    return tags[v.tag](v)
  elseif v == value.null then
    return { text = "op.null" }
  elseif type(v) == "string" then
    return { string = v }
  elseif type(v) == "table" then
    return list_tree(v, v)
  end
  return { text = literal.number(v) }
end

-- On one line, or nil when a text in it has lines of its own.
local function flat(node)
  local key = node.key or ""
  if node.text then
    return key .. node.text
  elseif node.string then
    return not node.string:find("\n", 1, true) and key .. literal.quoted(node.string) or nil
  end
  local parts = {}
  for i, item in ipairs(node.items) do
    parts[i] = flat(item)
    if not parts[i] then
      return nil
    end
  end
  local inside = table.concat(parts, ", ")
  if node.is_table and inside ~= "" then
    inside = " " .. inside .. " "
  end
  return key .. node.open .. inside .. node.close
end

local layout

local function broken_items(node, indent, out)
  local inner = indent .. INDENT
  for i, item in ipairs(node.items) do
    local is_last_argument = not node.is_table and i == #node.items
    local comma = is_last_argument and "" or ","
    out[#out + 1] = inner .. layout(item, inner, #inner, #comma) .. comma
  end
  out[#out + 1] = indent .. node.close
end

-- All but the last of the items, as they stand behind the opening bracket; nil when one needs lines
-- of its own that it cannot have there.
local function head_of(node)
  local head = { (node.key or "") .. node.open }
  for i = 1, #node.items - 1 do
    local item = node.items[i]
    local text = flat(item) or item.string and literal.bracketed(item.string)
    if not text then
      return nil
    end
    head[#head + 1] = text .. ", "
  end
  return table.concat(head)
end

-- A word that is too long here need not be cut when it has a line of its own.
local function needs_own_line(tail, indent)
  local text = tail.string and flat(tail)
  return text and #indent + #INDENT + #text <= WIDTH
end

-- A call whose last argument is a table, or a text of several lines: what comes before it stands on
-- the first line.
local function hung(node, indent, start, trail)
  local tail = node.items[#node.items]
  local text = not tail.text and not needs_own_line(tail, indent) and head_of(node)
  if not text then
    return nil
  end
  local first_line, last_line = text:match("^[^\n]*"), text:match("[^\n]*$")
  if start + #first_line > WIDTH - 2 then
    return nil
  end
  local lead = first_line == text and start + #text or #last_line
  return text .. layout(tail, indent, lead, trail + #node.close) .. node.close
end

local function layout_string(node, indent, start, trail)
  local key = node.key or ""
  if node.string:find("\n", 1, true) then
    local text = literal.bracketed(node.string, WIDTH)
    if text then
      return key .. text
    end
  end
  return key .. literal.wrapped(node.string, WIDTH, indent .. INDENT, start + #key, trail)
end

---A tree as text.
---@param node table
---@param indent string  of the line it begins on
---@param start integer  columns taken before it
---@param trail integer  columns that follow it on its last line
function layout(node, indent, start, trail)
  local text = flat(node)
  if text and start + #text + trail <= WIDTH then
    return text
  elseif node.string then
    return layout_string(node, indent, start, trail)
  elseif node.text or not node.items[1] then
    return text
  end
  if not node.is_table then
    local hanging = hung(node, indent, start, trail)
    if hanging then
      return hanging
    end
  end
  local out = { (node.key or "") .. node.open }
  broken_items(node, indent, out)
  return table.concat(out, "\n")
end

---The call that makes a record.
---@param record table    { op = "drop_table", args = { name = "t" } }
---@param indent? string  of the line; blank by default
---@return string  without an end of line
function source.call(record, indent)
  indent = indent or ""
  local node = call_tree("op." .. record.op,
    argument_trees(operations.get(record.op), record.args))
  return indent .. layout(node, indent, #indent, 0)
end

---Calls, one behind the other.
---@param records table[]
---@param indent? string
---@return string  each with an end of line
function source.calls(records, indent)
  local out = {}
  for i, record in ipairs(records) do
    out[i] = source.call(record, indent) .. "\n"
  end
  return table.concat(out)
end

return source
