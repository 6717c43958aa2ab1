--- Watches over the workers of this process while they run: follows what operators want, asks the
-- throttle, tells how far the work is, ends it in time.

local clock = require("luamig.core.clock")
local core = require("luamig.core.batch")
local fault = require("luamig.fault")
local throttle = require("luamig.backfill.throttle")

local supervise = {}

local TICK_MS <const> = 200
local LOOK_MS <const> = 1000

---@class luamig.backfill.Job
---@field url? string
---@field state table       of the supervisor's own connection
---@field id integer        of the backfill
---@field code string
---@field plan table        texts of a batch
---@field spec luamig.BatchSpec
---@field transform? table  a map function of this Lua state: one worker
---@field bundle? string    a map function for states of the workers' own
---@field workers? integer  fixed; else what the table says, and follows it
---@field end_ms? integer   on the clock: then the batches at hand are finished, and no more begun
---@field waits? boolean    while it is paused or held, instead of ending
---@field when? function    the throttle's predicate
---@field on_progress? fun(progress: table)

local function pool_options(job)
  local options = {}
  for name, text in pairs(job.plan) do
    options[name] = text
  end
  options.name = nil -- of the table
  options.url = job.url
  options.application_name = "luamig:" .. job.spec.name
  options.schema = job.state.schema
  options.table = job.state.table
  options.backfill = tostring(job.id)
  options.code = job.code
  options.synchronous_commit = job.spec.synchronous_commit
  options.counts_updates = job.spec.kind ~= "sql"
  options.is_compared = job.spec.is_compared
  options.waits_while_paused = job.waits
  options.transform = job.transform
  options.bundle = job.bundle
  return options
end

local Supervisor = {}
Supervisor.__index = Supervisor

function Supervisor:resize(progress)
  local workers = self.job.transform and 1 or self.job.workers or progress.wanted_workers
  if workers ~= self.workers then
    self.workers = workers
    self.pool:resize(workers)
  end
end

local function share_or_rows(vacuum_every, estimate)
  return vacuum_every < 1 and vacuum_every * (estimate or 0) or vacuum_every
end

-- Several processes come here: the one whose UPDATE hits has it done.
function Supervisor:vacuum(progress)
  local every = share_or_rows(progress.vacuum_every, progress.rows_estimate)
  if every >= 1 and progress.changed - progress.vacuumed_rows >= every
    and self.job.state:exec("vacuum", progress.id, progress.vacuumed_rows, progress.changed)[1] then
    self.pool:vacuum()
  end
end

function Supervisor:throttle(progress)
  local hold, percent, slow = self.governor:check(self.job.state.conn, progress)
  self.pool:hold(hold ~= nil)
  self.pool:slow(percent)
  local reason = hold or slow
  if reason ~= self.reason then
    self.reason = reason
    self.job.state:exec("hold", progress.id, reason)
  end
end

function Supervisor:look()
  local progress = self.job.state:progress(self.job.id)[1]
  if not progress then
    return -- removed meanwhile: the workers say so
  end
  progress.here = self.pool:status()
  self:resize(progress)
  self:throttle(progress)
  self:vacuum(progress)
  if self.job.on_progress then
    self.job.on_progress(progress)
  end
end

-- The supervisor's connection may be lost; the workers have their own, and go on meanwhile.
function Supervisor:look_safely()
  local ok, f = pcall(self.look, self)
  if not ok then
    if not fault.is(f) or f.kind ~= "connection" then
      error(f, 0)
    end
    self.job.state:revive()
  end
end

---Runs the workers until no range is open, or they are stopped.
---@param job luamig.backfill.Job
---@return "done"|"stopped"|"paused"|"closed"|"changed"
function supervise.run(job)
  local pool <close> = core.pool(pool_options(job))
  local self = setmetatable({ job = job, pool = pool }, Supervisor)
  self.governor = throttle.new(job)
  local progress = job.state:progress(job.id)[1]
  self:throttle(progress) -- before anybody begins
  self:resize(progress)
  local next_look = clock.now_ms() + LOOK_MS
  while pool:wait(TICK_MS) do
    local now = clock.now_ms()
    if job.end_ms and now >= job.end_ms then
      pool:stop()
    end
    if now >= next_look then
      self:look_safely()
      next_look = clock.now_ms() + LOOK_MS
    end
  end
  return pool:finish()
end

return supervise
