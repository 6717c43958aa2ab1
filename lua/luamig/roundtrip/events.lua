--- The report as JSON, an object a line: "begin", a "step" for each result, "unfilled", "summary".
-- Pure.

local explain = require("luamig.roundtrip.explain")
local json = require("luamig.json")

local events = {}

local Events = {}
Events.__index = Events

---@param options { out: fun(text: string), lines_of_fault: function, table_of_fault: function }
---@return table  an observer
function events.new(options)
  return setmetatable({ options = options }, Events)
end

function Events:send(event)
  self.options.out(json.encode(event) .. "\n")
end

function Events:begin(info)
  self:send({ event = "begin", revisions = info.count, server_version = info.server_version,
    throwaway = info.is_throwaway })
end

function Events:result(result)
  local event = { event = "step" }
  for _, name in ipairs({ "revision", "title", "step", "status", "ms", "message", "warning", "hint",
    "file", "line", "missing" }) do
    event[name] = result[name]
  end
  if result.fault then
    event.error = self.options.table_of_fault(result.fault).error
  end
  if result.lines then
    event.details = result.lines
  elseif result.fault then
    event.details = explain.lines(result, self.options.lines_of_fault)
  end
  self:send(event)
end

function Events:unfilled(one)
  self:send({ event = "unfilled", identity = one.identity, why = one.why })
end

function Events:finish(summary)
  local event = { event = "summary" }
  for name, v in pairs(summary) do
    event[name] = v
  end
  self:send(event)
end

return events
