--- Backfills as commands show them: lines for people, tables for JSON. Pure.

local duration = require("luamig.duration")
local observe = require("luamig.backfill.observe")

local view = {}

---What --json prints of a backfill.
---@param progress table
---@param rate number|nil  rows a second
---@return table
function view.json(progress, rate)
  local state, detail = observe.state(progress)
  rate = rate or observe.rate_of_batches(progress)
  return {
    name = progress.name,
    revision = progress.revision,
    direction = progress.direction,
    kind = progress.kind,
    table = progress.relation,
    state = state,
    detail = detail,
    share = observe.share(progress),
    rows = progress.rows,
    rows_estimate = progress.rows_estimate,
    changed = progress.changed,
    errors = progress.errors,
    remaining = progress.remaining,
    batches = progress.batches,
    batch_rows = progress.last_batch_rows,
    batch_ms = progress.last_batch_ms,
    rows_per_s = rate and math.floor(rate + 0.5) or nil,
    eta_s = observe.eta_s(progress, rate),
    workers = progress.workers,
    hosts = progress.hosts,
    held = progress.held,
    held_s = progress.held_s,
    failure = progress.failure,
    last_error = progress.last_error,
    ranges = { total = progress.ranges, done = progress.ranges_done,
      failed = progress.ranges_failed },
    tuning = { batch_rows = progress.batch_rows, target_ms = progress.target_ms,
      pause_ms = progress.pause_ms, workers = progress.wanted_workers,
      lease_ms = progress.lease_ms, quarantine = progress.error_budget,
      vacuum_every = progress.vacuum_every },
    started = progress.started,
    finished = progress.finished,
    finalized = progress.finalized,
    elapsed_s = progress.elapsed_s,
  }
end

local function hosts_text(hosts)
  local names = {}
  for host in pairs(hosts or {}) do
    names[#names + 1] = host
  end
  table.sort(names)
  for i, host in ipairs(names) do
    names[i] = ("%d on %s"):format(hosts[host], host)
  end
  return #names > 0 and table.concat(names, ", ") or nil
end

local function field(lines, label, text)
  if text then
    lines[#lines + 1] = ("%-10s %s"):format(label == "" and "" or label .. ":", text)
  end
end

local function rate_text(progress, rate)
  if not rate then
    return nil
  end
  local eta = observe.eta_s(progress, rate)
  return ("%s rows/s%s"):format(observe.count(math.floor(rate + 0.5)),
    eta and ", about " .. duration.text(eta) .. " left" or "")
end

local function batches_text(progress)
  if progress.batches == 0 then
    return nil
  end
  local last = progress.last_batch_rows
    and (", the last of %s rows in %d ms"):format(observe.count(progress.last_batch_rows),
      progress.last_batch_ms) or ""
  local pause = progress.pause_ms > 0 and (", with pauses of %d ms"):format(progress.pause_ms) or ""
  return ("%s%s (aiming at %d ms%s)"):format(observe.count(progress.batches), last,
    progress.target_ms, pause)
end

local function rows_text(progress)
  if observe.share(progress) == 1 then
    return ("%s, %s changed"):format(observe.count(progress.rows),
      observe.count(progress.changed))
  end
  return ("%s of about %s (%.1f %%), %s changed"):format(observe.count(progress.rows),
    observe.count(math.max(progress.rows, progress.rows_estimate or 0)),
    observe.share(progress) * 100, observe.count(progress.changed))
end

local function errors_text(progress)
  if progress.errors == 0 and progress.error_budget == 0 then
    return nil
  end
  return ("%d put aside (%d allowed)%s"):format(progress.errors, progress.error_budget,
    progress.errors > 0 and "; see: luamig backfill errors " .. progress.name or "")
end

local nexts = {
  failed = "luamig backfill retry %s, after the cause is mended",
  paused = "luamig backfill resume %s",
  registered = "luamig backfill run %s",
  waiting = "luamig backfill run %s",
  done = "luamig backfill finalize %s",
}

-- Rows that were put aside are the next thing to look at.
local function next_text(progress, state)
  local text = state == "done" and progress.errors > 0
    and "luamig backfill retry %s, after the rows or the function are mended" or nexts[state]
  return text and text:format(progress.name)
end

local function ranges_text(progress)
  if progress.ranges == 0 then
    return nil
  end
  return ("%d, %d done%s"):format(progress.ranges, progress.ranges_done,
    progress.ranges_failed > 0 and (", %d failed"):format(progress.ranges_failed) or "")
end

local function title(progress)
  return ("%s, of %s%s"):format(progress.name, progress.relation,
    progress.revision and " (revision " .. progress.revision .. ")" or "")
end

local function add_events(lines, events)
  for i, event in ipairs(events or {}) do
    field(lines, i == 1 and "events" or "", ("%s  %s%s"):format(event.at:sub(1, 19), event.what,
      event.detail and ": " .. event.detail or ""))
  end
end

---One backfill in full.
---@param progress table  of control.status
---@param rate number|nil
---@return string[]
function view.block(progress, rate)
  local state, detail = observe.state(progress)
  rate = rate or observe.rate_of_batches(progress)
  local lines = {}
  field(lines, "backfill", title(progress))
  field(lines, "state", state .. ": " .. detail)
  field(lines, "rows", rows_text(progress))
  field(lines, "rate", rate_text(progress, rate))
  field(lines, "batches", batches_text(progress))
  field(lines, "workers", hosts_text(progress.hosts))
  field(lines, "ranges", ranges_text(progress))
  field(lines, "errors", errors_text(progress))
  field(lines, "trouble", progress.outcome == "" and progress.last_error or nil)
  field(lines, "remaining", progress.remaining and observe.count(progress.remaining))
  field(lines, "elapsed", progress.elapsed_s and duration.text(progress.elapsed_s))
  add_events(lines, progress.events)
  field(lines, "try", next_text(progress, state))
  return lines
end

---A line a backfill, with its name in front.
---@return string
function view.list_line(progress, width)
  return ("%-" .. width .. "s  %s"):format(progress.name,
    observe.line(progress, observe.rate_of_batches(progress)))
end

local function bytes_text(bytes)
  local unit = 1
  local names = { "B", "kB", "MB", "GB", "TB" }
  while bytes >= 1024 and unit < #names do
    bytes = bytes / 1024
    unit = unit + 1
  end
  return unit == 1 and ("%d B"):format(bytes) or ("%.1f %s"):format(bytes, names[unit])
end

local function batch_lines(lines, report)
  local batch = report.batch
  field(lines, "batch", ("%s rows in %.1f ms, rolled back"):format(observe.count(batch.rows),
    batch.ms))
  if batch.map_ms then
    field(lines, "function", ("%.1f ms of it; %d rows left alone, %d rejected"):format(batch.map_ms,
      batch.left, batch.rejected))
  end
  field(lines, "WAL", ("%.0f B a row, about %s in all"):format(report.wal_per_row,
    bytes_text(report.wal_bytes)))
  field(lines, "HOT", report.hot_share and ("%.0f %% of the updates"):format(
    report.hot_share * 100) or nil)
  field(lines, "time", report.eta_s and ("about %s with one worker at full speed"):format(
    duration.text(report.eta_s)) or nil)
end

local function shown(text)
  if text == nil then
    return "NULL"
  end
  return #text > 60 and ("'%s…'"):format(text:sub(1, utf8.offset(text, 0, 57) - 1))
    or ("'%s'"):format(text)
end

local function rows_text_of(count)
  return ("%s row%s"):format(observe.count(count), count == 1 and "" or "s")
end

local function sample_lines(lines, name, sample, kind)
  if sample.differ == 0 then
    lines[#lines + 1] = ("%s: %s at random hold%s what `%s` gives now"):format(name,
      rows_text_of(sample.rows), sample.rows == 1 and "s" or "", kind)
  else
    lines[#lines + 1] = ("%s: %s of %s at random do%s not hold what `%s` gives now"):format(name,
      observe.count(sample.differ), rows_text_of(sample.rows), sample.differ == 1 and "es" or "",
      kind)
  end
  for _, each in ipairs(sample.examples) do
    lines[#lines + 1] = ("  %s  %s is %s, would be %s"):format(each.key, each.column,
      shown(each.held), shown(each.given))
  end
  if (sample.rejected or 0) > 0 then
    lines[#lines + 1] = ("%s: %s at random `%s` does not take"):format(name,
      rows_text_of(sample.rejected), kind)
  end
  if (sample.left or 0) > 0 then
    lines[#lines + 1] = ("%s: %s at random `%s` leaves alone"):format(name,
      rows_text_of(sample.left), kind)
  end
end

---What `backfill verify` found.
---@param result { name: string, kind: string, remaining?: integer, keys: string[],
---  sample?: luamig.backfill.Spotcheck }
---@return string[]
function view.verdict(result)
  local lines = {}
  if result.remaining then
    lines[1] = ("%s: %d row%s still match `remaining`"):format(result.name, result.remaining,
      result.remaining == 1 and "" or "s")
  end
  for _, key in ipairs(result.keys) do
    lines[#lines + 1] = "  " .. key
  end
  if result.sample then
    sample_lines(lines, result.name, result.sample, result.kind)
  end
  return lines
end

---What `backfill plan` found.
---@param report table  of trial.run
---@return string[]
function view.plan(report)
  local lines = {}
  field(lines, "backfill", ("%s, of %s by (%s)"):format(report.name, report.relation,
    table.concat(report.key, ", ")))
  field(lines, "rows", ("about %s in %d range%s%s"):format(observe.count(report.rows),
    report.ranges, report.ranges == 1 and "" or "s",
    report.leaves > 1 and (" of %d tables"):format(report.leaves) or ""))
  if report.batch and report.wal_per_row then
    batch_lines(lines, report)
    for _, problem in ipairs(report.problems) do
      field(lines, "problem", problem)
    end
    if #report.problems == 0 then
      field(lines, "plan", "no table is read whole for a batch")
    end
  end
  return lines
end

return view
