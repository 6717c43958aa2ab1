--- Takes a database from one revision to another: one transaction a revision, queued one behind the
-- other without waiting; retries after a lock timeout; and, when something fails, the truth about
-- what has happened and what has not.

local clock = require("luamig.core.clock")
local config = require("luamig.config")
local fault = require("luamig.fault")
local hooks = require("luamig.hooks")
local inquiry = require("luamig.inquiry")
local online = require("luamig.executor.online")
local quote = require("luamig.quote")
local script = require("luamig.script")
local txn = require("luamig.core.txn")
local value = require("luamig.value")
local verdict = require("luamig.verdict")
local wire = require("luamig.wire")

local runner = {}

local Run = {}
Run.__index = Run

local LOCK_STATES = { ["55P03"] = true, ["40P01"] = true }

local function milliseconds_text(duration)
  return tostring(config.milliseconds(duration) or 0)
end

local function search_path_of(cfg, state)
  local path = cfg.search_path
  if type(path) == "table" then
    return quote.idents(path)
  end
  return path or state.session.search_path
end

---The settings of every transaction that runs a script.
function runner.settings(cfg, state)
  return {
    lock_timeout = milliseconds_text(cfg.lock_timeout),
    statement_timeout = milliseconds_text(cfg.statement_timeout),
    search_path = search_path_of(cfg, state),
    role = cfg.role or "none",
    is_pooled = state.is_pooled,
    is_prepared = not state.is_pooled, -- a pooler's server connections do not know our names
    of_session = cfg.role and "role" or cfg.search_path and "search_path" or nil,
  }
end

---@class luamig.Step
---@field id string
---@field rev luamig.Revision
---@field direction "upgrade"|"downgrade"
---@field remove string[]  version rows that go
---@field add string[]     version rows that come
---@field rows string[]    version rows afterwards

---@param options { migration: table, steps: luamig.Step[], direction: string, is_dry?: boolean,
---  trace?: table }  trace: a luamig.trace that measures every statement
function runner.new(options)
  local migration = options.migration
  local cfg = migration.cfg
  local self = setmetatable({
    migration = migration,
    cfg = cfg,
    report = migration.report,
    steps = options.steps,
    direction = options.direction,
    is_dry = options.is_dry or false,
    observer = options.trace,
    is_one = options.is_dry or cfg.transaction == "all", -- one transaction for the whole run
    settings = runner.settings(cfg, migration.state),
    id = ("%016x%08x"):format(clock.jitter_ms(math.maxinteger - 1), clock.now_ms() & 0xffffffff),
    finished = {}, -- steps whose script has ended and whose COMMIT is not queued yet
    done = 0,      -- steps that the server has confirmed
    rows_before = migration.state.rows,
    unfinished = {},
    signals = clock.interrupts(),
  }, Run)
  for _, open in ipairs(migration.state.unfinished) do
    self.unfinished[open.revision .. " " .. open.direction] = true
  end
  self:attach(migration.conn)
  return self
end

-- A wait is looked at while it lasts, in time before lock_timeout strikes; not sooner than needed,
-- for the second connection that asks costs the first one a few round trips.
function Run:watch_after_ms()
  local lock_timeout = config.milliseconds(self.cfg.lock_timeout)
  if lock_timeout == 0 then
    return 1000
  end
  return math.max(50, math.min(1000, lock_timeout // 3))
end

---Sets the connection to work on.
function Run:attach(conn)
  self.conn = conn
  self.pid = conn:info().pid
  self.wire = wire.new(conn, {
    on_notice = function(notice, owner)
      self:notice(notice, owner)
    end,
    on_send = self.report.verbosity() > 1 and function(statement)
      self:trace(statement)
    end or nil,
  })
  self.watch = txn.watch(conn, self:watch_after_ms())
end

-- With -vv: every statement, with its place.
function Run:trace(statement)
  local origin = statement.origin or {}
  local place = origin.line and ("%s:%d  "):format(origin.file, origin.line) or ""
  self.report.debug(2, ("  %s%s"):format(place, (statement.sql:gsub("%s+", " "))))
end

function Run:notice(notice, owner)
  local place = ""
  if owner and owner.origin and owner.origin.line then
    place = (" (%s:%d)"):format(owner.origin.file, owner.origin.line)
  end
  local line = ("%s: %s%s"):format(notice.severity, notice.message, place)
  if notice.severity == "WARNING" then
    self.report.warn(line)
  elseif notice.severity ~= "DEBUG" then
    self.report.info(line)
  end
end

local function parents_text(rev)
  return #rev.down > 0 and table.concat(rev.down, ", ") or "<base>"
end

---"003 -> 004, title", in the direction of the step.
function runner.step_text(step)
  local rev = step.rev
  local from, to = parents_text(rev), rev.id
  if step.direction == "downgrade" then
    from, to = to, from
  end
  return ("%s -> %s%s"):format(from, to, rev.doc ~= "" and ", " .. rev.doc or "")
end

function Run:announce(step)
  self.report.info(("running %s %s (%d ms)"):format(step.direction, runner.step_text(step),
    step.ms or 0))
end

---Counts a step as done: the server has said that it is.
function Run:confirm(step)
  self.done = self.done + 1
  self:announce(step)
  hooks.run(self.cfg, "after_revision", self:hook_info(step))
end

-- What to call when the COMMIT that is queued now has been confirmed.
function Run:committing()
  local batch = self.finished
  self.finished = {}
  for _, step in ipairs(batch) do
    step.is_commit_sent = true
  end
  return function()
    for _, step in ipairs(batch) do
      self:confirm(step)
    end
  end
end

function Run:hook_info(step)
  return {
    revision = step and step.id,
    direction = self.direction,
    environment = self.cfg.environment,
    dry_run = self.is_dry,
    ms = step and step.ms,
  }
end

function Run:context(step)
  return {
    revision = step.id,
    direction = step.direction,
    environment = self.cfg.environment,
    offline = false,
    server_version = self.conn:info().server_version,
    x = self.migration.x,
    naming = self.cfg.naming,
  }
end

function Run:executor(step)
  local segments
  if self.unfinished[step.id .. " " .. step.direction] then
    self.wire:sync() -- so that what fails now is the reading itself
    segments = self.migration.state:segments(step.id, step.direction)
  end
  local run = self
  if self.observer then
    self.observer:begin_revision(step.id, step.direction)
  end
  return online.new({
    wire = self.wire,
    sql = self.migration.state.sql,
    settings = self.settings,
    context = self:context(step),
    step = step,
    segments = segments,
    is_dry = self.is_dry,
    observer = self.observer,
    report = self.report,
    batches = function()
      return require("luamig.backfill.revisions").new(run.migration, step)
    end,
    committing = function()
      return run:committing()
    end,
    on_segment = function(is_none)
      run.unfinished[step.id .. " " .. step.direction] = not is_none or nil
    end,
  })
end

local function record_of(self, step)
  local rev = step.rev
  local is_up = step.direction == "upgrade"
  return {
    rev.id, step.direction, self.migration.hostname, self.migration.luamig,
    is_up and rev.sha256 or value.null, is_up and rev.text or value.null, self.id, n = 7,
  }
end

-- Queues one revision. Nothing is waited for unless the script reads.
function Run:queue(step)
  self.step = step
  step.is_begun = true
  step.is_commit_sent = false
  if hooks.has(self.cfg, "before_revision") or hooks.has(self.cfg, "after_revision") then
    self.wire:sync() -- a hook must see what is, not what is queued
  end
  hooks.run(self.cfg, "before_revision", self:hook_info(step))
  local executor = self:executor(step)
  script.run(step.rev, step.direction, executor)
  executor:finish({
    record = record_of(self, step),
    on_record = function(rows)
      step.ms = rows[1].ms
    end,
  })
  self.finished[#self.finished + 1] = step
  if not self.is_one then
    executor:commit()
  end
  self.last_executor = executor
  self.wire:deliver()
end

-- A dry run makes luamig's own tables inside the transaction that it rolls back.
function Run:begin_dry()
  txn.begin(self.conn, self.settings)
  self.wire.is_open = true
  self.migration.state:send_missing(self.wire)
end

-- Queues what is left and waits for it.
function Run:attempt()
  if self.is_dry then
    self:begin_dry()
  else
    self.migration.state:queue_missing(self.wire)
  end
  for i = self.done + 1, #self.steps do
    self:queue(self.steps[i])
  end
  if self.is_one and not self.is_dry then
    self.last_executor:commit()
  end
  self.wire:sync()
end

-- A Lua error may come while an earlier statement that failed is still on its way: that one counts.
function Run:first_failure_of(err)
  if fault.is(err) and err.seq or not self.conn:alive() then
    return err
  end
  local ok, earlier = pcall(self.wire.sync, self.wire)
  return not ok and fault.is(earlier) and earlier.seq and earlier or err
end

-- Rolls back what failed, and finds out what was committed. An answer may have come and not been
-- heard, when the failure came in between.
function Run:recover(err)
  if self.conn:alive() then
    txn.rollback(self.conn)
    self.wire:deliver()
    self.wire:reset()
  end
  self.finished = {}
  if self.is_dry then
    return
  elseif self.conn:alive() then
    inquiry.settle(self, self.conn)
  else
    inquiry.after_loss(self, err)
  end
end

local function blockers_text(rows)
  local lines = {}
  for i, row in ipairs(rows) do
    lines[i] = ("pid %d (%s, %s, %s for %d s): %s"):format(row.pid, row.role or "?",
      row.application_name ~= "" and row.application_name or "no name", row.state or "?",
      row.seconds or 0, ((row.query or ""):gsub("%s+", " ")))
  end
  return table.concat(lines, "\n")
end

-- Who was in the way, as seen while waiting.
function Run:name_blockers(f)
  local blockers = self.watch:blockers()
  if not blockers or #blockers == 0 then
    return nil
  end
  local text = blockers_text(blockers)
  f.detail = (f.detail and f.detail .. "\n" or "") .. "blocked by " .. text
  f.blockers = blockers
  self.watch:reset()
  return text
end

-- How long to wait before the next try; nil when the deadline would be over then.
function Run:next_delay_ms()
  self.first_failure = self.first_failure or clock.now_ms()
  self.tries = (self.tries or 0) + 1
  local deadline = self.first_failure + config.milliseconds(self.cfg.lock_deadline)
  local delay = txn.retry_delay_ms(self.tries)
  return clock.now_ms() + delay < deadline and delay or nil
end

-- A signal may have come while the failure was seen to: then nothing is tried again.
local function wait_undisturbed(self, delay)
  return clock.interrupts() == self.signals and clock.sleep_ms(delay)
end

-- Whether to try again after a lock was not had; waits meanwhile.
function Run:may_retry(f)
  if f.kind ~= "server" or not LOCK_STATES[f.sqlstate or ""] then
    return false
  end
  local who = self:name_blockers(f)
  local delay = self:next_delay_ms()
  if not delay then
    f.kind = "lock"
    fault.complete(f, { hint = ("gave up after %d tries; lock_timeout = %s, lock_deadline = %s")
      :format(self.tries, tostring(self.cfg.lock_timeout), tostring(self.cfg.lock_deadline)) })
    return false
  end
  self.report.warn(("revision %s: %s%s; trying again in %.1f s"):format(
    self.step and self.step.id or "?", f.message, who and ", blocked by " .. who or "",
    delay / 1000))
  if not wait_undisturbed(self, delay) then
    f.kind = "interrupted"
    return false
  end
  return true
end

local function forget_tries(self)
  self.first_failure = nil
  self.tries = nil
end

-- Lua says no more than this when there is no memory, and calls no handler.
local function as_fault(err)
  if err == "not enough memory" then
    return fault.new({ kind = "memory", message = err })
  end
  return err
end

---Runs the steps. Raises whatever failed, completed with the state of the database.
function Run:run()
  while true do
    local before = self.done
    local ok, err = xpcall(self.attempt, function(e)
      return fault.is(e) and e or debug.traceback(tostring(e), 2)
    end, self)
    if ok then
      break
    end
    err = as_fault(self:first_failure_of(err))
    self:recover(err)
    if not fault.is(err) then
      error(err, 0) -- a defect of luamig's own
    end
    local f = err
    if self.done > before then
      forget_tries(self)
    end
    if not self:may_retry(f) then
      self.watch:close()
      hooks.on_error(self.cfg, f, self:hook_info(self.step))
      error(verdict.complete(self, f), 0)
    end
  end
  self.watch:close()
  if self.is_dry then
    self:end_dry()
  end
end

function Run:end_dry()
  txn.rollback(self.conn)
  for _, step in ipairs(self.finished) do
    self:announce(step)
  end
  self.report.info("dry run: everything was rolled back, the database is as it was")
end

return runner
