--- What a backfill is doing, said in words and numbers. Nobody writes this state down: it follows
-- from the ranges, the leases and what operators want, so it cannot be stuck. Pure.

local duration = require("luamig.duration")

local observe = {}

local function plural(count, word)
  return ("%d %s%s"):format(count, word, count == 1 and "" or "es")
end

local function in_flight(progress)
  return progress.workers > 0 and ", " .. plural(progress.workers, "batch") .. " in flight" or ""
end

local function ended_state(progress)
  if progress.outcome == "finalized" then
    return "finalized", "finished, and no row is left"
  elseif progress.outcome == "done" then
    return "done", "all rows are done"
  end
  return "failed", progress.failure or "failed"
end

local function open_state(progress)
  if progress.held then
    return "held", ("%s, for %s"):format(progress.held, duration.text(progress.held_s or 0))
  elseif progress.workers > 0 then
    return "running", ("%d worker%s"):format(progress.workers, progress.workers == 1 and "" or "s")
  elseif progress.pass == 0 then
    return "registered", "nobody has begun"
  elseif progress.ranges_done + progress.ranges_failed == progress.ranges then
    return "running", "all ranges have ended"
  elseif progress.leases_over > 0 then
    return "waiting", "its workers are gone; others may go on"
  end
  return "waiting", "no worker"
end

---The state in one word, and the reason or detail.
---@param progress table  a row of State:progress()
---@return string state  registered, running, held, waiting, paused, cancelled, done, failed or
---finalized
---@return string detail
function observe.state(progress)
  if progress.outcome ~= "" then
    return ended_state(progress)
  elseif progress.desired_state ~= "run" then
    return progress.desired_state, "by an operator" .. in_flight(progress)
  end
  return open_state(progress)
end

---The share that is done, from 0 to 1. The total is an estimate: it never says 1 too early.
---@return number
function observe.share(progress)
  if progress.outcome == "done" or progress.outcome == "finalized" then
    return 1
  end
  local total = progress.rows_estimate or 0
  if total <= 0 then
    return 0
  end
  return math.min(progress.rows / total, 0.999)
end

---@class luamig.backfill.Sample
---@field rows integer
---@field ms integer  on a clock

---Rows a second between two looks at the counters; nil when that cannot be said.
---@param before luamig.backfill.Sample|nil
---@param now luamig.backfill.Sample
---@return number|nil
function observe.rate(before, now)
  if not before or now.ms - before.ms < 200 or now.rows < before.rows then
    return nil
  end
  return (now.rows - before.rows) * 1000 / (now.ms - before.ms)
end

---Rows a second while batches run, from the last batch of each worker.
---@return number|nil
function observe.rate_of_batches(progress)
  local rows, ms = progress.last_batch_rows, progress.last_batch_ms
  if progress.workers == 0 or not rows or not ms or ms == 0 then
    return nil
  end
  return progress.workers * rows * 1000 / (ms + progress.pause_ms)
end

---Seconds until it is done at this rate; nil when that cannot be said.
---@return number|nil
function observe.eta_s(progress, rate)
  local left = (progress.rows_estimate or 0) - progress.rows
  if not rate or rate <= 0 or left <= 0 or progress.outcome ~= "" then
    return nil
  end
  return left / rate
end

---A count with a space between thousands.
---@return string
function observe.count(n)
  local text = ("%d"):format(n)
  return (text:reverse():gsub("(%d%d%d)", "%1 "):reverse():gsub("^ ", ""))
end

---The host in the name of an owner, "host:pid:worker:nonce".
function observe.host(owner)
  return owner:match("^(.*):%d+:%d+:%x+$") or owner
end

---One line: share, rows, rate, batch, workers, errors, time left.
---@param progress table
---@param rate number|nil
---@return string
function observe.line(progress, rate)
  local state, detail = observe.state(progress)
  local parts = {
    ("%5.1f %%"):format(observe.share(progress) * 100),
    observe.count(progress.rows) .. " rows",
  }
  if rate then
    parts[#parts + 1] = observe.count(math.floor(rate + 0.5)) .. " rows/s"
  end
  if progress.last_batch_rows and progress.last_batch_ms then
    parts[#parts + 1] = ("batches of %s in %d ms"):format(observe.count(progress.last_batch_rows),
      progress.last_batch_ms)
  end
  if progress.errors > 0 then
    parts[#parts + 1] = ("%d put aside"):format(progress.errors)
  end
  parts[#parts + 1] = state == "running" and detail or state .. ": " .. detail
  local eta = observe.eta_s(progress, rate)
  if eta then
    parts[#parts + 1] = "about " .. duration.text(eta) .. " left"
  end
  return table.concat(parts, ", ")
end

return observe
