--- Runs operations with nothing behind them and gives back what a database would have got.

local fault = require("luamig.fault")
local op = require("luamig.op")
local recording = require("luamig.executor.recording")

local record = {}

---The executor after the function has run.
---@param context? table
function record.executor(fn, context)
  local executor = recording.new(context)
  op.with(executor, fn)
  return executor
end

---The statements as one text, one a line.
---@param context? table  server_version, naming …
function record.sql(fn, context)
  return table.concat(record.executor(fn, context):sql(), "\n")
end

---The fault that the function ends with.
function record.fault(fn, context)
  local ok, f = pcall(record.executor, fn, context)
  assert(not ok, "no fault was raised")
  assert(fault.is(f), tostring(f))
  return f
end

return record
