--- What operators do with backfills. They write what they want; the workers read it with the next
-- batch, wherever they are.

local batch_spec = require("luamig.batch_spec")
local cjson = require("cjson")
local fault = require("luamig.fault")
local observe = require("luamig.backfill.observe")
local nearest = require("luamig.nearest")
local state = require("luamig.backfill.state")

local control = {}

---Every backfill of a database, as State:progress() gives it; none when there are no tables.
---@param st table
---@return table[]
function control.list(st)
  return st:exists() and st:progress() or {}
end

---How far one is, with its workers by host and the last events.
---@param st table
---@return table
function control.status(st, name)
  local progress = st:progress(st:get(name).id)[1]
  progress.hosts = {}
  for _, worker in ipairs(st:exec("workers", progress.id)) do
    if worker.live then
      local host = observe.host(worker.owner)
      progress.hosts[host] = (progress.hosts[host] or 0) + 1
    end
  end
  progress.events = st:exec("events", progress.id, 10)
  return progress
end

local function refuse(message, try)
  fault.raise({ kind = "usage", message = message, try = try })
end

local function desire(desired)
  return function(st, name)
    local row = st:get(name)
    if row.outcome == "done" or row.outcome == "finalized" then
      refuse(("the backfill '%s' is done already"):format(name))
    elseif row.outcome == "failed" and desired == "run" then
      refuse(("the backfill '%s' has failed: %s"):format(name, row.failure or "?"),
        "luamig backfill retry " .. name)
    end
    st:exec("desire", row.id, desired)
    return st:progress(row.id)[1]
  end
end

control.pause = desire("paused")
control.resume = desire("run")
control.cancel = desire("cancelled")

local function as_value(text)
  if text == "true" or text == "false" then
    return text == "true"
  elseif text == "none" then
    return nil
  end
  local number = tonumber(text)
  return number and (math.tointeger(number) or number) or text
end

local throttle_names = { "replication_lag", "wal_rate", "waiters", "autovacuum", "window", "when" }

-- The tuning of a row as a script would write it, so that one check serves both.
local function tuning_of(row)
  local throttle = cjson.decode(row.throttle)
  return {
    batch_rows = row.batch_rows,
    target_ms = row.target_ms,
    pause_ms = row.pause_ms,
    workers = row.workers,
    lease = row.lease_ms,
    quarantine = row.error_budget,
    vacuum_every = row.vacuum_every,
    replication_lag = throttle.replication_lag_ms,
    wal_rate = throttle.wal_rate,
    waiters = throttle.waiters,
    autovacuum = throttle.autovacuum,
    window = throttle.window,
    when = throttle.when,
  }
end

local names = {
  "batch_rows", "target_ms", "pause_ms", "workers", "lease", "quarantine", "vacuum_every",
  "replication_lag", "wal_rate", "waiters", "autovacuum", "window", "when",
}

local function check_name(name)
  for _, known in ipairs(names) do
    if known == name then
      return
    end
  end
  local near = nearest.of(name, names)
  fault.raise({
    kind = "usage",
    message = ("'%s' cannot be tuned"):format(name),
    hint = near and ("did you mean '%s'?"):format(near)
      or "known: " .. table.concat(names, ", "),
  })
end

-- Through the check of a specification, whose refusals name the option.
local function checked(row, tuning)
  local throttle = {}
  local kept
  for _, name in ipairs(throttle_names) do
    throttle[name] = tuning[name]
  end
  if type(throttle.when) == "table" then -- a function of the script
    kept, throttle.when = throttle.when, nil
  end
  local out = batch_spec.check(row.name, {
    table = "t",
    set = { c = 1 },
    batch_rows = tuning.batch_rows,
    target_ms = tuning.target_ms,
    pause_ms = tuning.pause_ms,
    workers = tuning.workers,
    lease = tuning.lease,
    vacuum_every = tuning.vacuum_every,
    on_error = { quarantine = tuning.quarantine },
    throttle = throttle,
  }).tuning
  out.throttle.when = out.throttle.when or kept
  return out
end

---Changes what may be changed while it runs. Raises: usage (unknown name), operation (bad value).
---@param st table
---@param name string
---@param changes table<string, string>  "none" takes a throttle away
---@return table progress
function control.tune(st, name, changes)
  local row = st:get(name)
  local tuning, told = tuning_of(row), {}
  for key, text in pairs(changes) do
    check_name(key)
    tuning[key] = as_value(text)
    told[#told + 1] = key .. "=" .. text
  end
  table.sort(told)
  local new = checked(row, tuning)
  st:exec("tune", row.id, new.batch_rows, new.target_ms, new.pause_ms, new.workers, new.lease_ms,
    new.error_budget, state.encode_throttle(new.throttle), new.vacuum_every,
    table.concat(told, " "))
  return st:progress(row.id)[1]
end

---The rows that were put aside and are not done yet.
---@return table[] { relation, key, sqlstate, message, attempts, at }
function control.errors(st, name, limit)
  return st:exec("errors", st:get(name).id, limit)
end

---Opens what has failed again: ranges, and the rows that were put aside. Whatever code runs it next
---is taken for right: that is how a mended script goes on.
---@return table progress
function control.retry(st, name)
  local row = st:get(name)
  return st:transaction(function()
    st:exec("retry", row.id, true)
    st:exec("retry_keys", row.id)
    return st:progress(row.id)[1]
  end)
end

return control
