--- Backfills as samples in the text format of Prometheus. Pure.

local observe = require("luamig.backfill.observe")

local metrics = {}

local list_of_metrics = {
  { "rows_total", "counter", "rows that batches have looked at", function(p)
    return p.rows
  end },
  { "rows_changed_total", "counter", "rows that batches have changed", function(p)
    return p.changed
  end },
  { "rows_estimate", "gauge", "rows that there are, estimated when it began", function(p)
    return p.rows_estimate or 0
  end },
  { "batches_total", "counter", "batches that were committed", function(p)
    return p.batches
  end },
  { "batch_seconds_total", "counter", "time that batches took", function(p)
    return p.ms / 1000
  end },
  { "errors", "gauge", "rows that were put aside", function(p)
    return p.errors
  end },
  { "workers", "gauge", "workers with a lease", function(p)
    return p.workers
  end },
  { "held_seconds", "gauge", "how long it is being held; 0 when it is not", function(p)
    return p.held_s or 0
  end },
  { "ranges_failed", "gauge", "ranges that failed", function(p)
    return p.ranges_failed
  end },
}

local states = {
  "registered", "running", "held", "waiting", "paused", "cancelled", "done", "failed", "finalized",
}

local function label(text)
  return (text:gsub("[\\\"\n]", { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n" }))
end

---The text format of Prometheus.
---@param list table[]
---@return string[]
function metrics.lines(list)
  local lines = {}
  for _, metric in ipairs(list_of_metrics) do
    local name = "luamig_backfill_" .. metric[1]
    lines[#lines + 1] = ("# HELP %s %s"):format(name, metric[3])
    lines[#lines + 1] = ("# TYPE %s %s"):format(name, metric[2])
    for _, progress in ipairs(list) do
      lines[#lines + 1] = ('%s{name="%s"} %s'):format(name, label(progress.name),
        ("%.14g"):format(metric[4](progress)))
    end
  end
  lines[#lines + 1] = "# HELP luamig_backfill_state 1 for the state that it is in"
  lines[#lines + 1] = "# TYPE luamig_backfill_state gauge"
  for _, progress in ipairs(list) do
    local now = observe.state(progress)
    for _, state in ipairs(states) do
      lines[#lines + 1] = ('luamig_backfill_state{name="%s",state="%s"} %d'):format(
        label(progress.name), state, state == now and 1 or 0)
    end
  end
  return lines
end

return metrics
