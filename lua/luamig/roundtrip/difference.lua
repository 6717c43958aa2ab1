--- What differs between two values of luamig.snapshot, object by object and field by field. Pure.

local json = require("luamig.json")

local difference = {}

-- The order of columns is let be: no downgrade can put a column back between two others.

---@class luamig.roundtrip.Difference
---@field identity string   "table app.users", "index app.users_email"
---@field path string|nil   "columns.email.default"; nil: the whole object is gone, or is new
---@field before any        nil: absent
---@field after any         nil: absent

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b
  end
  for key, item in pairs(a) do
    if not same(item, b[key]) then
      return false
    end
  end
  for key in pairs(b) do
    if a[key] == nil then
      return false
    end
  end
  return true
end

local function is_columns(list)
  return type(list) == "table" and type(list[1]) == "table" and list[1].name ~= nil
end

local function is_list(v)
  return type(v) == "table" and (#v > 0 or next(v) == nil)
end

local function by_name(columns)
  local out = {}
  for _, column in ipairs(columns or {}) do
    out[column.name] = column
  end
  return out
end

local function sorted_keys(a, b)
  local seen, keys = {}, {}
  for _, map in ipairs({ a, b }) do
    for key in pairs(map) do
      if not seen[key] then
        seen[key] = true
        keys[#keys + 1] = key
      end
    end
  end
  table.sort(keys, function(x, y)
    return tostring(x) < tostring(y)
  end)
  return keys
end

local compare_fields

-- A field that is a map of fields on both sides is looked into; anything else is one value.
local function compare_value(found, identity, path, a, b)
  if is_columns(a) or is_columns(b) then
    a, b = by_name(a), by_name(b)
  elseif type(a) ~= "table" or type(b) ~= "table" or is_list(a) or is_list(b) then
    if not same(a, b) then
      found[#found + 1] = { identity = identity, path = path, before = a, after = b }
    end
    return
  end
  compare_fields(found, identity, path .. ".", a, b)
end

function compare_fields(found, identity, prefix, a, b)
  for _, key in ipairs(sorted_keys(a, b)) do
    compare_value(found, identity, prefix .. tostring(key), a[key], b[key])
  end
end

-- What is of an object that is itself gone or new needs no line of its own.
local function is_told_by_parent(object, others)
  local parent = object.parent
  return parent ~= nil and others[parent] == nil
end

local function compare_objects(found, a, b)
  for _, identity in ipairs(sorted_keys(a, b)) do
    local before, after = a[identity], b[identity]
    if before and after then
      compare_fields(found, identity, "", before, after)
    elseif before and not is_told_by_parent(before, b) then
      found[#found + 1] = { identity = identity, before = before }
    elseif after and not is_told_by_parent(after, a) then
      found[#found + 1] = { identity = identity, after = after }
    end
  end
end

local function names(unmodelled)
  local out = {}
  for _, entry in ipairs(unmodelled) do
    out[entry.kind .. " " .. entry.name] = entry
  end
  return out
end

---@param before table  a value of luamig.snapshot
---@param after table
---@return luamig.roundtrip.Difference[]  sorted; empty when they are alike
function difference.list(before, after)
  local found = {}
  compare_objects(found, before.objects, after.objects)
  compare_objects(found, names(before.unmodelled), names(after.unmodelled))
  return found
end

local function shown(v)
  if v == nil then
    return "nothing"
  elseif type(v) == "table" then
    return json.encode(v)
  end
  return tostring(v)
end

local TEXT_AT_MOST <const> = 160

-- The beginning of the character that a byte belongs to.
local function boundary(text, position)
  local ok, start = pcall(utf8.offset, text, 0, position)
  return ok and start or position
end

local function shortened(text)
  text = text:gsub("%s+", " "):gsub("^ ", "")
  if #text <= TEXT_AT_MOST then
    return text
  end
  return text:sub(1, boundary(text, TEXT_AT_MOST + 1) - 1) .. " …"
end

local function common_length(a, b)
  local n = 0
  while n < #a and a:byte(n + 1) == b:byte(n + 1) do
    n = n + 1
  end
  return n
end

local CONTEXT <const> = 40

-- Two values beside each other; of long ones that begin alike, from shortly before they part.
local function shown_both(before, after)
  local a, b = shown(before):gsub("%s+", " "), shown(after):gsub("%s+", " ")
  local common = common_length(a, b)
  if math.max(#a, #b) > TEXT_AT_MOST and common > 2 * CONTEXT then
    local start = boundary(a, common - CONTEXT)
    a, b = "… " .. a:sub(start), "… " .. b:sub(start)
  end
  return shortened(a), shortened(b)
end

local function place(found)
  local column, rest = (found.path or ""):match("^columns%.(.-)%.([%a_]+)$")
  if column then
    return ("%s: column %s: %s"):format(found.identity, column, rest)
  end
  local whole = (found.path or ""):match("^columns%.(.+)$")
  if whole then
    return ("%s: column %s"):format(found.identity, whole)
  end
  return found.path and ("%s: %s"):format(found.identity, found.path) or found.identity
end

local function words(found, gone, new)
  local is_whole = not found.path or found.path:find("^columns%.[^.]+$")
  if is_whole and found.after == nil then
    return gone
  elseif is_whole and found.before == nil then
    return new
  end
  return nil
end

---A difference in one line.
---@param found luamig.roundtrip.Difference
---@param said { gone: string, new: string, before: string, after: string }  words for: it is only
---  in the first, only in the second, the value in the first, in the second
---@return string
function difference.line(found, said)
  local whole = words(found, said.gone, said.new)
  if not whole then
    local before, after = shown_both(found.before, found.after)
    return ("%s: %s %s, %s %s"):format(place(found), said.before, before, said.after, after)
  end
  local object = found.before or found.after
  local text = type(object) == "table" and object.definition
  return ("%s: %s%s"):format(place(found), whole, text and " (" .. shortened(text) .. ")" or "")
end

---@param found luamig.roundtrip.Difference[]
---@return string[]
function difference.lines(found, said)
  local lines = {}
  for i, each in ipairs(found) do
    lines[i] = difference.line(each, said)
  end
  return lines
end

return difference
