--- Finds the functions of a batched migration in the text of its revision. They cannot be stored in
-- a table, so the script runs again up to the call, with an executor that does nothing: other
-- processes and threads get the same functions with everything they refer to.

local fault = require("luamig.fault")
local op = require("luamig.op")
local revision = require("luamig.revision")

local recorded = {}

local FOUND = {} -- ends the script once the call has come

local Capture = {}
Capture.__index = Capture

local function capture(self, spec)
  if spec.name == self.wanted then
    self.spec = spec
    error(FOUND, 0)
  end
end

Capture.batch_execute = capture
Capture.backfill = capture

function Capture.run() end

function Capture.copy() end

function Capture.require_backfill() end

function Capture.note() end

function Capture.savepoint(_, fn)
  return fn()
end

function Capture.autocommit(_, fn)
  return fn()
end

function Capture.step(_, _, fn)
  return fn()
end

-- What the revision read then may be another thing now.
function Capture:query(statement)
  local origin = statement.origin or {}
  fault.raise({
    kind = "script",
    message = ("'%s' cannot be worked on by other threads or processes: its revision reads from "
      .. "the database before the call"):format(self.wanted),
    hint = "put the map function into a module of the project and name it: map = \"module\"",
    origin = statement.op,
    file = origin.file,
    line = origin.line,
  })
end

local function functions_of(rev, direction)
  if rev.change then
    return "change"
  end
  return direction == "downgrade" and "downgrade" or "upgrade"
end

---@class luamig.backfill.Script
---@field text string
---@field file string
---@field direction? "upgrade"|"downgrade"
---@field path? string[]    folders of the project's modules
---@field context? table    what the script sees as op.context

---The specification of a batched migration as its script makes it, functions included.
---Raises: script.
---@param script luamig.backfill.Script
---@param name string
---@return luamig.BatchSpec
function recorded.spec(script, name)
  local rev = revision.parse(script.text, script.file,
    { path = script.path or {}, print = function() end })
  local executor = setmetatable({
    kind = "capture",
    wanted = name,
    context = script.context or {},
  }, Capture)
  local ok, f = pcall(op.with, executor, revision.call, rev, functions_of(rev, script.direction))
  if executor.spec then
    return executor.spec
  elseif not ok then
    error(f, 0)
  end
  return fault.raise({
    kind = "script",
    message = ("the revision does not come to the call of '%s' when it runs again"):format(name),
    hint = "the call must not depend on what the database holds; put the map function into a "
      .. "module of the project and name it: map = \"module\"",
    file = script.file,
  })
end

---The map function of a specification. Raises: script.
---@param map function|string|nil  as in the specification of this state
---@param script luamig.backfill.Script|nil
---@param name string
---@return function
function recorded.map(map, script, name)
  if type(map) == "function" then
    return map
  elseif type(map) == "string" then
    local box = require("luamig.sandbox").new({ path = script and script.path or {} })
    local module = require("luamig.sandbox").call(box.require, box, map)
    local fn = type(module) == "table" and module.map or module
    if type(fn) ~= "function" then
      fault.raise({
        kind = "script",
        message = ("the module '%s' returns neither a function nor a table with map"):format(map),
      })
    end
    return fn
  elseif not script then
    fault.raise({
      kind = "operation",
      message = ("the map function of '%s' is not at hand: no script is stored"):format(name),
    })
  end
  return recorded.map(recorded.spec(script, name).map, script, name)
end

return recorded
