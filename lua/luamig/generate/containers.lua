--- Types that hold other types - arrays, ranges, multiranges, composites - as makers made of the
-- makers of their parts. Pure.

local containers = {}

-- One element or field in double quotes: what that form needs and takes always.
local function quoted(text)
  return '"' .. text:gsub('["\\]', "\\%0") .. '"'
end

---The text of an array.
---@param elements string[]
---@param delimiter? string  "," unless it is an array of boxes
function containers.array_text(elements, delimiter)
  local parts = {}
  for i, element in ipairs(elements) do
    parts[i] = quoted(element)
  end
  return "{" .. table.concat(parts, delimiter or ",") .. "}"
end

---@param element table  maker
function containers.array(element)
  local edges, delimiter = { "{}" }, element.delimiter
  if element.edges[1] then
    local some = { table.unpack(element.short_edges or element.edges, 1, 8) }
    edges[2] = containers.array_text(some, delimiter)
  end
  return {
    edges = edges,
    element = element,
    value = function(i, rng)
      local elements = {}
      for place = 1, rng:int(1, 3) do
        elements[place] = element.value(i + place - 1, rng)
      end
      return containers.array_text(elements, delimiter)
    end,
  }
end

-- Two texts of the subtype, the second above the first; ranges of different i do not touch.
local function bounds(subtype)
  local ordinal = subtype.ordinal
  if ordinal then
    local base = ordinal.parse(subtype.value(0, { int = function() return 0 end }))
    return function(i)
      local low = base + i * ordinal.gap * 10
      return ordinal.format(low), ordinal.format(low + ordinal.gap * 5)
    end
  elseif subtype.is_text then
    return function(i)
      return ("%06da"):format(i), ("%06dz"):format(i)
    end
  elseif subtype.values then
    return function()
      return subtype.values[1], subtype.values[#subtype.values]
    end
  end
end

---The text of a range with these ends.
function containers.range_text(low, high)
  return ("[%s,%s)"):format(quoted(low), quoted(high))
end

---@param subtype table  maker
---@return table|nil  nil when two values of the subtype cannot be told apart here
function containers.range(subtype)
  local pair = bounds(subtype)
  return pair and {
    subtype = subtype,
    edges = { "empty", "(,)", "[" .. quoted((pair(1))) .. ",)" },
    value = function(i)
      local low, high = pair(i)
      return containers.range_text(low, high)
    end,
  }
end

---@param range table  maker of the range type
function containers.multirange(range)
  return {
    edges = { "{}", "{(,)}" },
    value = function(i, rng)
      return ("{%s,%s}"):format(range.value(2 * i, rng), range.value(2 * i + 1, rng))
    end,
  }
end

---@param fields table[]  makers, in the order of the type's columns
function containers.composite(fields)
  local function row(text_of)
    local parts = {}
    for place, field in ipairs(fields) do
      local text = text_of(field)
      parts[place] = text and quoted(text) or ""
    end
    return "(" .. table.concat(parts, ",") .. ")"
  end
  local edges = { row(function() end) }
  edges[2] = row(function(field)
    return field.edges[1]
  end)
  return {
    edges = edges,
    value = function(i, rng)
      return row(function(field)
        return field.value(i, rng)
      end)
    end,
  }
end

return containers
