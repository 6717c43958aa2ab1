--- What a change of one unit does to the texts of others: the server prints a name wherever an
-- object is mentioned, and a view's text follows the columns of what it reads.

local builder = require("luamig.snapshot.builder")
local compare = require("luamig.snapshot.compare")

local effects = {}

local class = builder.class

---What others may mention of a unit: its names, its columns, and the object itself.
---@return table face
function effects.face(build, unit)
  local face = { class = unit.class, identities = {}, columns = {}, names = {} }
  for _, key in ipairs(unit.rows) do
    local class_oid, oid = key >> 32, key & 0xffffffff
    face.identities[key] = build.ids[class_oid] and build.ids[class_oid][oid]
    if class_oid == class.relation then
      face.columns[oid], face.names[oid] = build.columns[oid], build.names[oid]
    end
  end
  local identity = build.ids[unit.class][unit.oid]
  face.object = identity and build.value.objects[identity]
  return face
end

local function is_renamed(before, after)
  for key, identity in pairs(before.identities) do
    local now = after.identities[key]
    if now and now ~= identity then
      return true
    end
  end
  return false
end

-- "all": names have changed; "queries": columns have come, gone or changed; nil: neither.
local function change_of_columns(before, after)
  local found
  for number, column in pairs(before) do
    local now = after[number]
    if now and now.name ~= column.name then
      return "all"
    elseif not now or now.type ~= column.type then
      found = "queries"
    end
  end
  for number in pairs(after) do
    found = found or not before[number] and "queries" or nil
  end
  return found
end

local unmentioned = { owners = false, privileges = false, comments = false }

-- Labels of an enum stand in constants; a function's signature decides how its calls are printed.
local function is_other_object(before, after)
  if before.class == class.type then
    return not compare.same_object(before.object, after.object, unmentioned)
  elseif before.class == class["function"] then
    local old, new = before.object, after.object
    return old.arguments ~= new.arguments or old.returns ~= new.returns
  end
  return false
end

---Whose texts may have changed with a unit.
---@param before table  its face
---@param after table|nil  nil: it is not in the value any more
---@return "all"|"queries"|nil  all that need it, those that hold queries, nobody
function effects.reach(before, after)
  if not after or is_renamed(before, after) then
    return "all"
  elseif before.object and after.object and is_other_object(before, after) then
    return "all"
  end
  local found
  for oid, columns in pairs(before.columns) do
    local change = change_of_columns(columns, after.columns[oid] or {})
    found = change == "all" and change or found or change
  end
  return found
end

local has_queries = {
  view = true, materialized = true, rule = true, ["function"] = true, procedure = true,
  policy = true,
}

local function names_of(build, face, into)
  for _, identity in pairs(face.identities) do
    into[#into + 1] = identity
  end
  for oid, columns in pairs(face.columns) do
    for _, column in pairs(columns) do
      into[#into + 1] = "column " .. face.names[oid] .. "." .. build:ident(column.name)
    end
  end
end

---All units that need a unit, near or far.
---@param face table  what it was before
---@param reach "all"|"queries"
---@return table<integer, true> keys
function effects.users(build, face, reach)
  local users, found, seen, queue = build:all_users(), {}, {}, {}
  names_of(build, face, queue)
  local i = 0
  while i < #queue do
    i = i + 1
    for from in pairs(users[queue[i]] or {}) do
      local unit = build.unit_of[from] or build.unit_of[build.parts[from]]
      if reach == "all" or has_queries[from:match("^%l+")] then
        found[unit.class << 32 | unit.oid] = true
      end
      if not seen[unit] then
        seen[unit] = true
        names_of(build, effects.face(build, unit), queue)
      end
    end
  end
  return found
end

local function mentions_unseen(item)
  if type(item) == "string" then
    return item:find("::[%w_.\"]*reg%l+%[%]") ~= nil
  elseif type(item) == "table" then
    for _, part in pairs(item) do
      if mentions_unseen(part) then
        return true
      end
    end
  end
  return false
end

---Units whose texts hold names that the server keeps no edge for: '{app.t}'::regclass[].
---@return table<integer, true> keys
function effects.unseen_users(build)
  local found = {}
  for identity, object in pairs(build.value.objects) do
    if mentions_unseen(object) then
      local unit = build.unit_of[identity]
      found[unit.class << 32 | unit.oid] = true
    end
  end
  return found
end

return effects
