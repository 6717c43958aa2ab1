--- How a run ended that did not come to its end, as an error that says how far it has come.

local fault = require("luamig.fault")

local endings = {}

local function how_far(progress)
  return ("%d rows of '%s' are done and committed, about %d in all"):format(progress.rows,
    progress.name, math.max(progress.rows, progress.rows_estimate or 0))
end

---What ends a run although rows are left.
---@param ended string     of engine.run
---@param progress table   afterwards
---@return table fields of a fault
function endings.unfinished(ended, progress)
  local name = progress.name
  if ended == "stopped" then
    return { kind = "interrupted", message = "interrupted" }
  elseif ended == "changed" then
    return {
      kind = "edited",
      message = ("the code of '%s' was changed while it ran"):format(name),
    }
  elseif progress.outcome == "failed" then
    return {
      kind = "lock",
      message = ("%d range%s of '%s' could not be done: %s"):format(progress.ranges_failed,
        progress.ranges_failed == 1 and "" or "s", name, progress.failure or "?"),
    }
  end
  return {
    kind = "partial",
    message = ("'%s' was %s"):format(name, progress.desired_state),
    try = ("luamig backfill resume %s"):format(name),
  }
end

---Runs a function; whatever is raised in it says how far the work has come.
---@param about { revision?: string, direction?: string }
---@param fn fun(): any, string|nil  the second value: how it ended, when not well
function endings.told(st, row, about, fn)
  local ok, result, ended = pcall(fn)
  if ok and ended == nil then
    return result
  end
  local progress = st:persist("progress", row.id)[1]
  local f = result
  if ok then
    f = fault.new(endings.unfinished(ended, progress))
  end
  if fault.is(f) then
    fault.complete(f, {
      state = how_far(progress),
      revision = about.revision,
      direction = about.direction,
    })
  end
  error(f, 0)
end

return endings
