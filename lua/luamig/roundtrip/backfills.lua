--- Backfills that revisions register: done at once, as they would be before the next release. A
-- later revision may require that they are finished.

local backfill = require("luamig.backfill")
local control = require("luamig.backfill.control")
local endings = require("luamig.backfill.endings")
local fault = require("luamig.fault")
local place = require("luamig.backfill.place")
local state = require("luamig.backfill.state")

local backfills = {}

-- What spares a production database has no meaning here, and a window would be waited for.
local unhindered <const> = {
  replication_lag = "none", wal_rate = "none", waiters = "none", autovacuum = "none",
  window = "none", when = "none", pause_ms = "0",
}

---Whether any revision speaks of one; the walk is quicker when none does.
---@param by_id table<string, luamig.Revision>
---@return boolean
function backfills.are_used(by_id)
  for _, rev in pairs(by_id) do
    if rev.text:find("backfill", 1, true) then
      return true
    end
  end
  return false
end

local function work(st, here, name)
  control.tune(st, name, unhindered)
  local ended, progress = backfill.run(here, name)
  if ended ~= "done" then
    fault.raise(endings.unfinished(ended, progress))
  end
end

---Does the work of those that are open. Raises: what a bad row or map function raises.
---@param cfg luamig.Config
---@param url string  of the database
function backfills.finish(cfg, url)
  local here = place.of(cfg, url)
  local st <close> = state.open(here, "test-roundtrip")
  for _, progress in ipairs(control.list(st)) do
    if progress.outcome == "" and progress.desired_state ~= "cancelled" then
      local ok, f = pcall(work, st, here, progress.name)
      if not ok then
        error(fault.is(f) and fault.complete(f, { origin = "backfill" }) or f, 0)
      end
    end
  end
end

-- Rows that are put aside stay so: whether that is allowed says who requires it.
local ANY_NUMBER <const> = math.maxinteger

---Has those that are done take in the rows that came since. Raises: as above.
---@param cfg luamig.Config
---@param url string
function backfills.sweep(cfg, url)
  local here = place.of(cfg, url)
  local st <close> = state.open(here, "test-roundtrip")
  for _, progress in ipairs(control.list(st)) do
    if progress.outcome == "done" then
      backfill.finalize(here, progress.name, { max_remaining = ANY_NUMBER })
    end
  end
end

return backfills
