--- Reasons to hold a backfill or to slow it down, asked once a second.

local clock = require("luamig.core.clock")
local cjson = require("cjson")

local throttle = {}

local reasons = {}

-- The furthest standby. One that has replayed all there is to replay is not behind, whatever it
-- last said of its lag. Of standbys that the role may not look at, everything is NULL.
function reasons.replication_lag_ms(conn, limit_ms)
  local row = conn:exec([[
SELECT pg_catalog.count(*) FILTER (WHERE r.state IS NULL) AS hidden,
  COALESCE(pg_catalog.max(pg_catalog.date_part('epoch', r.replay_lag)
    OPERATOR(pg_catalog.*) 1000) FILTER (WHERE r.replay_lsn
    OPERATOR(pg_catalog.<) pg_catalog.pg_current_wal_flush_lsn()), 0)::int8 AS lag,
  current_user::text AS role
FROM pg_catalog.pg_stat_replication r]])[1]
  if row.hidden > 0 then
    return ("the role '%s' may not see how far standbys are behind: GRANT pg_monitor TO it, or "
      .. "take replication_lag away"):format(row.role)
  elseif row.lag > limit_ms then
    return ("a standby is %.1f s behind (limit %.1f s)"):format(row.lag / 1000, limit_ms / 1000)
  end
end

function reasons.waiters(conn, limit)
  local row = conn:exec([[
SELECT pg_catalog.count(*) AS count FROM pg_catalog.pg_stat_activity a
WHERE a.wait_event_type OPERATOR(pg_catalog.=) 'Lock'
  AND a.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()]])[1]
  if row.count > limit then
    return ("%d sessions wait for locks (limit %d)"):format(row.count, limit)
  end
end

function reasons.autovacuum(conn, _, job)
  local row = conn:exec([[
SELECT p.pid FROM pg_catalog.pg_stat_progress_vacuum p
JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) p.pid
WHERE a.backend_type OPERATOR(pg_catalog.=) 'autovacuum worker'
  AND p.relid IN (SELECT t.relid FROM pg_catalog.pg_partition_tree($1::regclass) t
    UNION ALL SELECT $1::regclass) LIMIT 1]], { job.plan.name })[1]
  if row then
    return ("autovacuum is at work on the table (pid %d)"):format(row.pid)
  end
end

-- A window may span midnight.
function reasons.window(conn, window)
  local h1, m1, h2, m2 = window:match("^(%d+):(%d+)%s*%-%s*(%d+):(%d+)$")
  local from, to = h1 * 60 + m1, h2 * 60 + m2
  local now = conn:exec([[
SELECT (pg_catalog.date_part('hour', t.now) OPERATOR(pg_catalog.*) 60
  OPERATOR(pg_catalog.+) pg_catalog.date_part('minute', t.now))::int4 AS minute
FROM (SELECT pg_catalog.clock_timestamp() AS now) t]])[1].minute
  local inside = from < to and now >= from and now < to
    or from > to and (now >= from or now < to)
  if not inside then
    return ("outside of the window %s"):format(window)
  end
end

local function as_reason(v)
  if v == nil or v == false or v == cjson.null then
    return nil
  end
  return type(v) == "string" and v or "the throttle's `when` says so"
end

function reasons.when(conn, when, job)
  if type(when) == "string" then
    local rows = conn:exec(when)
    return as_reason(rows[1] and rows[1][rows.columns[1]])
  elseif job.when then
    return as_reason(job.when(function(sql, params)
      return conn:exec(sql, params)
    end))
  end
end

local order = { "window", "when", "replication_lag_ms", "waiters", "autovacuum" }

local Governor = {}
Governor.__index = Governor

-- Above the allowed rate the pauses grow, below it they shrink: a batch and its pause together
-- write as much as is allowed.
function Governor:wal_percent(conn, limit)
  local row = conn:exec([[SELECT pg_catalog.pg_wal_lsn_diff(
  pg_catalog.pg_current_wal_insert_lsn(), '0/0')::float8 AS lsn]])[1]
  local now = clock.now_ms()
  if self.lsn and now > self.lsn_ms then
    local rate = (row.lsn - self.lsn) * 1000 / (now - self.lsn_ms)
    self.percent = math.max(100, math.min(10000, self.percent * math.max(0.5, rate / limit)))
  end
  self.lsn, self.lsn_ms = row.lsn, now
  return math.floor(self.percent)
end

---Asks every signal; the first reason counts.
---@return string|nil hold   the reason to do nothing
---@return integer percent    100: full speed; 300: pause twice as long as a batch took
---@return string|nil slow    the reason to go slower
function Governor:check(conn, progress)
  local settings = self:settings(progress)
  for _, name in ipairs(order) do
    local reason = settings[name] and reasons[name](conn, settings[name], self.job)
    if reason then
      return reason, 100
    end
  end
  local percent = settings.wal_rate and self:wal_percent(conn, settings.wal_rate) or 100
  if percent <= 110 then
    return nil, percent
  end
  return nil, percent, ("slowed down: more WAL than %.1f MB/s"):format(settings.wal_rate / 1024 ^ 2)
end

-- As the table has them now: operators may change them.
function Governor:settings(progress)
  if progress.throttle ~= self.text then
    self.text = progress.throttle
    self.decoded = cjson.decode(progress.throttle)
  end
  return self.decoded
end

---@param job luamig.backfill.Job
function throttle.new(job)
  return setmetatable({ job = job, percent = 100 }, Governor)
end

return throttle
