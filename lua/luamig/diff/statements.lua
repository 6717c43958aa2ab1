--- The statements of changes: what their operations render to.

local op = require("luamig.op")
local recording = require("luamig.executor.recording")

local statements = {}

---@param changes table[]  of luamig.diff
---@param context { server_version: integer, naming?: table }
---@return table[] statements  in order; see executor/*.lua
function statements.of(changes, context)
  local executor = recording.new(context)
  op.with(executor, function()
    for _, change in ipairs(changes) do
      for _, record in ipairs(change.records) do
        op.invoke(record)
      end
    end
  end)
  return executor.statements
end

---The text of each statement.
---@return string[]
function statements.sql(changes, context)
  local out = {}
  for i, statement in ipairs(statements.of(changes, context)) do
    out[i] = statement.sql
  end
  return out
end

return statements
