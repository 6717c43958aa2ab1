--- A map function over rows that are Lua tables already: what the workers do in C, for a single
-- batch that is measured and rolled back. Pure.

local types = require("luamig.types")
local value = require("luamig.value")

local rehearsal = {}

local function array_text(list, column)
  local element = column.has_array and column.type or "text"
  local texts = {}
  for i = 1, list.n do
    local text = types.text(list[i], column.base_type)
    texts[i] = text == nil and value.null or text
  end
  return types.text(value.new("array", { values = texts, element = element }), "text[]")
end

local function names_of(changes)
  local names = {}
  for name in pairs(changes) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

-- The key of a row: its own columns of it, or those that the function sees too.
local function key_of(row, target)
  local key = {}
  for i, column in ipairs(target.key) do
    local v = row["luamig_key_" .. i]
    key[i] = v ~= nil and v or row[column.name]
  end
  return key
end

local function seen_by_function(row)
  local out = {}
  for name, v in pairs(row) do
    if not name:find("^luamig_key_") then
      out[name] = v
    end
  end
  return out
end

local function call(map, row, name)
  local is_rejected = false
  local ctx = {
    name = name,
    reject = function()
      is_rejected = true
    end,
  }
  local ok, changes = pcall(map, row, ctx)
  if not ok or is_rejected then
    return false
  end
  return true, type(changes) == "table" and next(changes) and changes or nil
end

local function group_of(groups, names)
  local id = table.concat(names, "\0")
  if not groups[id] then
    groups[id] = { names = names, rows = 0, keys = {}, values = {} }
    groups[#groups + 1] = groups[id]
  end
  return groups[id]
end

local function add(group, key, changes)
  group.rows = group.rows + 1
  group.keys[group.rows] = key
  group.values[group.rows] = changes
end

local function column_of(list, field)
  local out = { n = #list }
  for i, each in ipairs(list) do
    out[i] = each[field]
  end
  return out
end

local function params_of(group, target)
  local params = {}
  for i, column in ipairs(target.key) do
    params[i] = array_text(column_of(group.keys, i), column)
  end
  for _, name in ipairs(group.names) do
    params[#params + 1] = array_text(column_of(group.values, name), target.columns[name])
  end
  return params
end

---@param map fun(row: table, ctx: table): table|nil
---@param rows table[]  as the reading statement of render.lua gives them
---@param target luamig.backfill.Target
---@param spec luamig.BatchSpec
---@return { groups: { names: string[], rows: integer }[], rejected: integer, left: integer }
function rehearsal.map(map, rows, target, spec)
  local out = { groups = {}, rejected = 0, left = 0 }
  for _, row in ipairs(rows) do
    local ok, changes = call(map, seen_by_function(row), spec.name)
    if changes then
      add(group_of(out.groups, names_of(changes)), key_of(row, target), changes)
    elseif ok then
      out.left = out.left + 1
    else
      out.rejected = out.rejected + 1
    end
  end
  return out
end

---The parameters that the changes of a group go to the server as.
---@param group table  of rehearsal.map
---@param target luamig.backfill.Target
---@return string[]
function rehearsal.params(group, target)
  return params_of(group, target)
end

return rehearsal
