--- `change()`: one function for both ways. Its operations are recorded, and for the downgrade their
-- inverses run in reverse order. One that cannot be inverted is found before anything runs.

local fault = require("luamig.fault")
local op = require("luamig.op")
local operations = require("luamig.operations")
local recording = require("luamig.executor.recording")
local revision = require("luamig.revision")

local change = {}

local function refuse(rev, record, why)
  local origin = record.origin or {}
  fault.raise({
    kind = "operation",
    message = ("change() cannot be undone: op.%s has no inverse: %s"):format(record.op, why),
    origin = record.op,
    file = origin.file or rev.file,
    line = origin.line,
    revision = rev.id,
    try = "write upgrade() and downgrade() instead of change(), or give what is missing",
  })
end

---The records that undo change(), in the order to run them. Raises: operation, script.
---@param rev luamig.Revision
---@param context table  of the executor
---@return table[] records
function change.inverse(rev, context)
  local executor = recording.new(context)
  op.with(executor, revision.call, rev, "change")
  local records = {}
  for i = #executor.records, 1, -1 do
    local record = executor.records[i]
    local description = operations.get(record.op)
    if not description.inverse then
      refuse(rev, record, "it is not known")
    end
    local inverse, why = description.inverse(record.args)
    if not inverse then
      refuse(rev, record, why or "it is not known")
    end
    inverse.origin = record.origin
    records[#records + 1] = inverse
  end
  return records
end

---Runs the downgrade of a revision that has change().
function change.downgrade(rev, executor)
  local records = change.inverse(rev, executor.context)
  for _, record in ipairs(records) do
    op.invoke(record)
  end
end

return change
