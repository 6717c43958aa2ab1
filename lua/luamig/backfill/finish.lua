--- The end of a backfill for good: the proof that nothing is left.

local endings = require("luamig.backfill.endings")
local engine = require("luamig.backfill.engine")
local fault = require("luamig.fault")
local proof = require("luamig.backfill.proof")
local state = require("luamig.backfill.state")

local finish = {}

local RANGES <const> = 64 -- of a pass for what was left over

local function not_done_raise(row, progress)
  local how_far = progress.pass == 0 and "nobody has begun"
    or ("%d of about %d rows are done"):format(progress.rows,
      math.max(progress.rows, progress.rows_estimate or 0))
  fault.raise({
    kind = "operation",
    message = ("the backfill '%s' is not finished: %s"):format(row.name, how_far),
    hint = progress.failure,
    try = ("luamig backfill %s %s"):format(progress.outcome == "failed" and "retry" or "run",
      row.name),
  })
end

local function rows_left(row, count, what)
  return ("%d row%s of '%s' %s"):format(count, count == 1 and "" or "s", row.relation, what)
end

local function remaining_raise(st, row, place, remaining, errors)
  local has_predicate = engine.spec_of(row).remaining ~= nil
  fault.raise({
    kind = "operation",
    message = rows_left(row, remaining,
      has_predicate and "still match its `remaining`" or "were put aside"),
    detail = has_predicate and "keys: " .. table.concat(proof.samples(st, row, place), " ") or nil,
    hint = errors > 0 and ("%d of them were put aside: luamig backfill errors %s"):format(
      math.min(errors, remaining), row.name) or "does the application still write the old way?",
    try = ("luamig backfill %s %s, or allow for them: %s"):format(errors > 0 and "retry"
      or "finalize", row.name, "--max-remaining, max_remaining of op.require_backfill"),
  })
end

---Ends a backfill for good: all ranges are done and no row matches `remaining`; rows that came
---meanwhile are done now. Raises: usage (no such backfill), operation (not finished, rows left).
---@param place luamig.backfill.Place
---@param name string
---@param options? { max_remaining?: integer }
---@return integer|nil remaining
function finish.finalize(place, name, options)
  local st <close> = state.open(place, name)
  local row = st:get(name)
  if row.outcome == "finalized" then
    return row.remaining
  elseif row.outcome ~= "done" then
    not_done_raise(row, st:progress(row.id)[1])
  end
  local remaining = endings.told(st, row, row, function()
    return proof.sweep(st, row, place, {
      ranges = RANGES,
      script = engine.script_of(row),
    })
  end)
  local errors = st:progress(row.id)[1].errors
  if (remaining or errors) > (options and options.max_remaining or 0) then
    remaining_raise(st, row, place, remaining or errors, errors)
  end
  st:exec("finalize", row.id)
  return remaining
end

return finish
