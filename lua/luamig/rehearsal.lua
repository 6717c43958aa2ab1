--- An empty copy of a database in a scratch database, made from its snapshot, on which changes can
-- be tried. Owners and privileges are not copied: the role may not be allowed to give them.

local conn = require("luamig.core.conn")
local diff = require("luamig.diff")
local fault = require("luamig.fault")
local snapshot = require("luamig.snapshot")
local statements = require("luamig.diff.statements")

local rehearsal = {}

local Copy = {}
Copy.__index = Copy

-- What is told apart here.
local WITHOUT <const> = { owners = false, privileges = false, column_order = false }

local function without_owners(value)
  local objects = {}
  for identity, object in pairs(value.objects) do
    if object.kind ~= "default privileges" then
      objects[identity] = object
    end
  end
  return setmetatable({ objects = objects, unmodelled = {} }, { __index = value })
end

-- What stands between two values, in words; nil when nothing does.
local function apart(got, wanted)
  got, wanted = without_owners(got), without_owners(wanted)
  if snapshot.equal(got, wanted, WITHOUT) then
    return nil
  end
  local left = diff.between(got, wanted, WITHOUT)
  local first = left.changes[1] or left.unsupported[1]
  return first and first.identity
end

-- Faults of the server are an answer here, others are not.
local function tried(fn, ...)
  local ok, failure = pcall(fn, ...)
  if ok then
    return nil
  elseif not fault.is(failure) or failure.kind ~= "server" and failure.kind ~= "operation" then
    error(failure, 0)
  end
  return failure.message
end

---Runs changes. Raises: server, connection, interrupted.
---@param changes table[]  of luamig.diff
function Copy:run(changes)
  for _, statement in ipairs(statements.of(changes, self.context)) do
    self.connection:exec(statement.sql)
  end
end

---@return table value  of luamig.snapshot
function Copy:read()
  return snapshot.read(self.connection)
end

---Runs changes and compares what they lead to, owners and privileges aside.
---@param wanted table  snapshot
---@return string|nil problem  in words
function Copy:try(changes, wanted)
  return tried(self.run, self, changes) or apart(self:read(), wanted)
end

function Copy:close()
  self.connection:close()
end

Copy.__close = Copy.close

---Makes a copy. Raises: server (no database can be made), connection, interrupted.
---@param place table    of luamig.scratch
---@param value table    snapshot of what is to be copied
---@param context table  of a rendering
---@return table|nil copy  to be closed; nil when it would not be the same
---@return string|nil why
function rehearsal.copy(place, value, context)
  local self = setmetatable({
    context = context,
    connection = conn.open({ url = place:create().url, application_name = "luamig scratch" }),
  }, Copy)
  local ok, why = pcall(function()
    local options = { owners = false, privileges = false, server_version = context.server_version }
    local result = diff.between(without_owners(self:read()), without_owners(value), options)
    return self:try(result.changes, value)
  end)
  if ok and not why then
    return self
  end
  self:close()
  if not ok then
    error(why, 0)
  end
  return nil, why
end

return rehearsal
