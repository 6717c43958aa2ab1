--- How the values of a column get a new type: by themselves, or by an expression. Pure.

local names = require("luamig.diff.names")
local quote = require("luamig.quote")

local conversion = {}

-- Among the types of one line PostgreSQL converts on assignment.
local groups = {
  { "smallint", "integer", "bigint", "real", "double precision", "numeric" },
  { "text", "character varying", "character", "name", '"char"' },
  { "date", "timestamp", "timestamptz" },
  { "bit", "bit varying" },
  { "json", "jsonb" },
  { "inet", "cidr" },
  { "macaddr", "macaddr8" },
}

local pairs_to = { -- [from] = what it is assigned to, beside its group
  timestamp = "time", timestamptz = "time timetz", time = "interval timetz", interval = "time",
  timetz = "time", numeric = "money", money = "numeric", integer = "money oid",
  bigint = "money oid", smallint = "oid", point = "box", path = "polygon", box = "polygon",
  polygon = "path",
}

-- Casts that must be asked for.
local explicit = {
  integer = "boolean bit", boolean = "integer", bigint = "bit", bit = "integer bigint",
  jsonb = "boolean numeric smallint integer bigint real double",
}

local strings = { text = true, ["character varying"] = true, character = true, name = true }

local group_of = {}
for i, group in ipairs(groups) do
  for _, word in ipairs(group) do
    group_of[word] = i
  end
end

-- The type under a domain, in the short words of the tables above.
local function plain(plan, type_name)
  local base = names.base_type(type_name)
  local domain = plan.b.objects["domain " .. base] or plan.a.objects["domain " .. base]
  if domain then
    return plain(plan, domain.type)
  end
  local word = names.base_type(names.type(type_name))
  local back = { varchar = "character varying", char = "character", varbit = "bit varying" }
  return back[word] or word
end

local function lists(map, from, to)
  return (" " .. (map[from] or "") .. " "):find(" " .. to:match("%S+") .. " ", 1, true) ~= nil
end

local function has_own_cast(plan, from, to)
  local cast = plan.b.objects[("cast (%s as %s)"):format(from, to)]
  return cast and cast.context ~= nil
end

local function is_assigned(plan, from, to)
  local x, y = plain(plan, from), plain(plan, to)
  return x == y or strings[y] or (group_of[x] and group_of[x] == group_of[y])
    or lists(pairs_to, x, y)
    or has_own_cast(plan, names.base_type(from), names.base_type(to))
end

local function dimensions(type_name)
  return select(2, type_name:gsub("%[%]", ""))
end

---The expression behind USING, or nil when values convert by themselves.
---@param column string  its name
---@param from string    type, as format_type has it
---@param to string
---@return string|nil
function conversion.using(plan, column, from, to)
  local name = quote.ident(column)
  if dimensions(from) ~= dimensions(to) then
    return not strings[plain(plan, to)] and ("%s::text::%s"):format(name, to) or nil
  elseif is_assigned(plan, from:gsub("%[%]", ""), (to:gsub("%[%]", ""))) then
    return nil
  end
  local x, y = plain(plan, from), plain(plan, to)
  if strings[x] or lists(explicit, x, y) then
    return ("%s::%s"):format(name, to)
  end
  return ("%s::text::%s"):format(name, to)
end

-- Conversions that leave something of a value out, and say nothing.
local losing = {
  real = "smallint integer bigint", ["double precision"] = "smallint integer bigint real",
  numeric = "smallint integer bigint real double", timestamp = "date time",
  timestamptz = "date time timetz", interval = "time", timetz = "time", json = "jsonb",
}

-- How many digits behind the point, or of a second, a type keeps; nil: all of them.
local function digits(type_name)
  local precision, scale = type_name:match("%((%d+),?(%-?%d*)%)")
  if not precision then
    return nil
  elseif type_name:find("^numeric") then
    return tonumber(scale) or 0
  end
  return tonumber(precision)
end

local keeps_digits = {
  numeric = true, timestamp = true, timestamptz = true, time = true, timetz = true,
}

---Whether values may come out as others when a column gets another type, without a word of the
---server: what is too long or too big for the new type is an error, and no loss.
---@param from string  type, as format_type has it
---@param to string
---@return boolean
function conversion.loses(plan, from, to)
  local x, y = plain(plan, from), plain(plan, to)
  if x ~= y then
    return lists(losing, x, y)
  end
  local had, has = digits(from), digits(to)
  return keeps_digits[x] and has ~= nil and (had == nil or has < had) or false
end

---Whether columns of the two types can refer to each other, so that a foreign key survives while
---one side has its new type and the other the old one.
---@return boolean
function conversion.comparable(plan, from, to)
  local x, y = plain(plan, from), plain(plan, to)
  return x == y or (group_of[x] ~= nil and group_of[x] == group_of[y])
end

return conversion
