--- Reads keys of indexes, exclusion constraints and partitioned tables back from their definition.
-- Pure.

local names = require("luamig.diff.names")
local scan = require("luamig.diff.scan")
local value = require("luamig.value")

local key_text = {}

-- Takes a word off the end.
local function cut(text, word)
  if text:sub(-#word) == word then
    return text:sub(1, -#word - 1), true
  end
  return text, false
end

local function order_of(text)
  local key = {}
  local is_first, is_last, is_desc
  text, is_first = cut(text, " NULLS FIRST")
  text, is_last = cut(text, " NULLS LAST")
  text, is_desc = cut(text, " DESC")
  key.order = is_desc and "desc" or nil
  key.nulls = is_first and "first" or is_last and "last" or nil
  return text, key
end

-- The column or expression a key begins with, and where it ends.
local function target_of(text)
  if text:sub(1, 1) == "(" then
    local inside, after = scan.inside(text, 1)
    return value.sql(inside), after
  end
  local name, after = scan.name(text, 1)
  if name and not text:find("^[.(]", after) then
    return name, after
  end
  local _, stop = scan.dotted(text, 1)
  if text:sub(stop, stop) == "(" then
    local _, behind = scan.inside(text, stop)
    return value.sql(text:sub(1, behind - 1)), behind
  end
  return nil, 1
end

---One key: its target, and opclass, collation, order, nulls when they are said.
---@param text string  `lower(email) COLLATE "C" text_pattern_ops DESC`
---@return table|nil key  { target, collation=, … }; nil when the text is not understood
function key_text.key(text)
  local rest, key = order_of(text)
  local target, after = target_of(rest)
  if not target then
    return nil
  end
  key[1] = target
  rest = rest:sub(after)
  local collate = rest:match("^ COLLATE ()")
  if collate then
    local name, stop = scan.dotted(rest, collate)
    key.collation, rest = names.unquoted(name), rest:sub(stop)
  end
  if rest:find("%S") then
    local class = rest:match("^ (.+)$")
    if not class then
      return nil
    end
    key.opclass = class:find("(", 1, true) and value.sql(class) or class
  end
  return key
end

-- A key that is a mere column or expression needs no table around it.
local function simple(key)
  for name in pairs(key) do
    if name ~= 1 then
      return key
    end
  end
  return key[1]
end

---A list of keys.
---@param text string  "a, lower(b) DESC"
---@return table|nil keys
function key_text.keys(text)
  local keys = {}
  for i, part in ipairs(scan.split(text)) do
    local key = key_text.key(part)
    if not key then
      return nil
    end
    keys[i] = simple(key)
  end
  return keys
end

---Names in a list: `a, "B"`.
---@return string[]
function key_text.names(text)
  local out = {}
  for i, part in ipairs(scan.split(text)) do
    out[i] = scan.name(part, 1)
  end
  return out
end

---Storage parameters as scripts write them: numbers and booleans without quotes.
---@param options table<string, string>|nil
---@return table|nil
function key_text.settings(options)
  if not options then
    return nil
  end
  local out = {}
  for name, text in pairs(options) do
    local number = text:find("^%-?%d+%.?%d*$") and tonumber(text)
    if text == "true" or text == "false" then
      out[name] = text == "true"
    else
      out[name] = number or text
    end
  end
  return out
end

return key_text
