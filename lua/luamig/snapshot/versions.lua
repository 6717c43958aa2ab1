--- The values that were read one after the other from one database. They share what did not change:
-- the newest state is held once, and each older value knows what has become of it since. A value's
-- tables are made when somebody looks at them.

local versions = {}

-- [value] = its version: { chain, next = the version after it,
--   undo = { objects = { [identity] = object, or false when there was none }, depends = … } }
local of_value = setmetatable({}, { __mode = "k" })

local Chain = {}
Chain.__index = Chain

-- What has become of one map from a version up to another: of each key what there was in the first.
local function gather(version, stop, name)
  local was = {}
  while version ~= stop do
    for key, item in pairs(version.undo[name]) do
      if was[key] == nil then
        was[key] = item
      end
    end
    version = version.next
  end
  return was
end

local function made(version, name)
  local map = {}
  for key, item in pairs(version.chain.state[name]) do
    map[key] = item
  end
  for key, item in pairs(gather(version, version.chain.newest, name)) do
    map[key] = item or nil
  end
  return map
end

local value_metatable = {}

function value_metatable.__index(value, name)
  if name == "objects" or name == "depends" then
    local map = made(of_value[value], name)
    rawset(value, name, map)
    return map
  end
  return nil
end

function value_metatable.__pairs(value)
  return next, { server_version = value.server_version, objects = value.objects,
    depends = value.depends, unmodelled = value.unmodelled }, nil
end

-- The newest version of the state as it is now.
local function new_value(chain)
  local value = setmetatable({
    server_version = chain.state.server_version, unmodelled = chain.state.unmodelled,
  }, value_metatable)
  local version = { chain = chain }
  of_value[value] = version
  chain.newest, chain.value = version, value
  return value
end

---A chain with its first value.
---@param state table  objects, depends, unmodelled, server_version; it belongs to the chain now
---@param follower table  what reads the next value
function versions.new(state, follower)
  local chain = setmetatable({ state = state, follower = follower }, Chain)
  new_value(chain)
  return chain
end

---The state has changed.
---@param undo { objects: table, depends: table }  what there was, false for nothing
---@return table value  the newest
function Chain:add(undo)
  local last = self.newest
  local value = new_value(self)
  last.undo, last.next = undo, self.newest
  return value
end

---The chain that a value is of.
---@return table|nil
function versions.chain(value)
  local version = of_value[value]
  return version and version.chain
end

local function is_before(a, b)
  while a and a ~= b do
    a = a.next
  end
  return a == b
end

---What may differ between two values of one chain: identities, with the objects that they had
---(false for none).
---@return table<string, table|false>|nil a, table<string, table|false> b  nil: not of one chain
function versions.between(a, b)
  local from, to = of_value[a], of_value[b]
  if not (from and to) or from.chain ~= to.chain then
    return nil
  elseif not is_before(from, to) then
    local in_b, in_a = versions.between(b, a)
    return in_a, in_b
  end
  local before, after = gather(from, to, "objects"), {}
  local later = gather(to, to.chain.newest, "objects")
  for identity in pairs(before) do
    local object = later[identity]
    if object == nil then
      object = to.chain.state.objects[identity] or false
    end
    after[identity] = object
  end
  return before, after
end

return versions
