--- The executor that runs a revision on a database, statement by statement, without waiting.
--
-- A revision is one transaction unless it must commit in between: then it has segments. A segment
-- that is committed is journaled in its own transaction, so that the same revision, run again, goes
-- on behind it (see journal.lua). What PostgreSQL refuses inside a transaction is a segment of its
-- own, announced in the journal before it runs.

local fault = require("luamig.fault")
local journal = require("luamig.journal")
local outside = require("luamig.executor.outside")
local sandbox = require("luamig.sandbox")
local txn = require("luamig.core.txn")
local types = require("luamig.types")
local value = require("luamig.value")

local online = {}

local Online = {}
Online.__index = Online

---@class luamig.executor.OnlineOptions
---@field wire table         the connection
---@field sql table          texts of luamig.core.version
---@field settings table     of transactions
---@field context table      what scripts see as op.context
---@field step table         { rev=, direction= }: put into faults
---@field segments? table    what an earlier run committed
---@field committing fun(): fun()  called when a COMMIT is queued; its result when it is confirmed
---@field on_segment fun(is_none?: boolean)  called when the journal has got an entry for this
---  revision, or has none any more
---@field batches? fun(): table  what runs batched migrations (luamig.backfill.revisions)
---@field is_dry? boolean    nothing is committed; what cannot be rolled back is left out
---@field observer? table    luamig.trace: runs each statement and looks at what it does
---@field report table       where notes go

---@param options luamig.executor.OnlineOptions
function online.new(options)
  local step = options.step
  return setmetatable({
    kind = "online",
    context = options.context,
    wire = options.wire,
    sql = options.sql,
    settings = options.settings,
    step_info = step,
    report = options.report,
    is_dry = options.is_dry,
    observer = options.observer,
    on_record = options.observer and function(self, record)
      self.observer:record(record)
    end,
    cursor = journal.cursor(options.segments, {
      file = step.rev.file,
      revision = step.rev.id,
      direction = step.direction,
    }),
    batches = options.batches,
    committing = options.committing,
    on_segment = options.on_segment,
    depth = 0, -- of savepoints
  }, Online)
end

-- A statement that failed fails the revision, also when the script looked away with pcall.
local function guard(self)
  if self.failed then
    error(self.failed, 0)
  end
end

---Fails the revision: a call of the script did not do what it says.
---@param f any  what was raised
function Online:fail(f)
  self.failed = self.failed or f
end

local function own(self, statement)
  statement.step = self.step_info
  return statement
end

---Begins a transaction unless one is open.
function Online:begin()
  local wire = self.wire
  if wire.is_open then
    return
  end
  local seq = wire:call(txn.begin, wire.conn, self.settings)
  wire.is_open = true
  local origin = { file = self.step_info.rev.file }
  local statement = own(self, { sql = "BEGIN", origin = origin })
  wire:own(seq, statement)
  wire:own(seq - 1, statement)
end

---Queues COMMIT.
---@param after? fun()  called when the server has confirmed it
function Online:commit(after)
  local wire = self.wire
  local confirm = self.committing()
  wire:send(own(self, { sql = "COMMIT", origin = { file = self.step_info.rev.file } }),
    function()
      confirm()
      if after then
        after()
      end
    end, "COMMIT")
  wire.is_open = false
end

local function send_own(self, name, params, on_result)
  self.wire:send(own(self, {
    sql = self.sql[name],
    params = params,
    prepared = self.settings.is_prepared,
    origin = { file = self.step_info.rev.file },
  }), on_result)
end

local function journal_params(self)
  local cursor, step = self.cursor, self.step_info
  local hashes = cursor:hashes()
  return {
    step.rev.id, step.direction, cursor.segment, #hashes,
    types.text(hashes, "text[]"),
    next(cursor.results) and journal.encode(cursor.results) or value.null, step.rev.text, n = 7,
  }
end

---Commits what the script has done so far, with its entry in the journal.
function Online:commit_segment()
  self.has_boundary = false
  local cursor = self.cursor
  if cursor.index == 0 then
    return
  elseif not cursor:is_replaying() and not self.is_dry then
    self:begin()
    send_own(self, "journal_write", journal_params(self))
    self:commit(function()
      self.on_segment()
    end)
  end
  cursor:next()
end

local function note_failure(self, f)
  self.failed = f
  if fault.is(f) then
    self.cursor:keep({ fault = { kind = f.kind, message = f.message, sqlstate = f.sqlstate } })
  end
  error(f, 0)
end

local function replayed_result(self, result)
  if result and result.fault then
    self.failed = fault.new(result.fault)
    error(self.failed, 0)
  end
  return result and result.rows
end

local function rows_of(packed)
  local rows = packed.list
  rows.columns = packed.columns
  rows.tag = packed.tag
  return rows
end

-- Enters a statement; `send` runs it unless the journal says that it was committed.
local function inside(self, statement, send)
  guard(self)
  own(self, statement)
  local is_replayed, result = self.cursor:enter(statement)
  if is_replayed then
    local packed = replayed_result(self, result)
    return packed and rows_of(packed)
  end
  local ok, rows = pcall(function()
    local is_new = not self.wire.is_open
    self:begin()
    if self.observer and statement.op ~= "savepoint" then
      return self.observer:around(self, statement, send, is_new)
    end
    return send(self.wire, statement)
  end)
  if not ok then
    note_failure(self, rows)
  end
  return rows
end

local function send_plain(wire, statement)
  wire:send(statement)
end

-- The setting rides along in the same round trip.
local function send_without_lock_timeout(self, wire, statement)
  local function set(text)
    wire:send(own(self, {
      sql = "SELECT pg_catalog.set_config('lock_timeout', $1, true)",
      params = { text },
      origin = statement.origin,
    }))
  end
  set("0")
  wire:send(statement)
  set(self.settings.lock_timeout)
end

local function is_alone(self, statement)
  return statement.transactional == false or (self.is_autocommit and statement.may_commit)
end

local function settle_boundary(self, statement)
  if self.has_boundary and not statement.boundary_after then
    self:commit_segment()
  end
  self.has_boundary = self.has_boundary or statement.boundary_after
end

---Runs a statement whose rows nobody reads: it is queued.
function Online:run(statement)
  guard(self)
  settle_boundary(self, statement)
  if is_alone(self, statement) then
    return self:run_alone(statement)
  end
  if statement.lock_timeout == false then
    inside(self, statement, function(wire, s)
      send_without_lock_timeout(self, wire, s)
    end)
  else
    inside(self, statement, send_plain)
  end
  if self.is_autocommit and self.depth == 0 then
    self:commit_segment()
  end
end

---Runs a statement and returns its rows.
---@return table
function Online:query(statement)
  guard(self)
  settle_boundary(self, statement)
  local rows = inside(self, statement, function(wire, s)
    local got = wire:query(s)
    local list = table.move(got, 1, #got, 1, {})
    self.cursor:keep({ rows = { list = list, columns = got.columns, tag = got.tag } })
    return got
  end)
  if self.is_autocommit and self.depth == 0 then
    self:commit_segment()
  end
  return rows or {}
end

---Sends rows by COPY.
---@param next_chunk fun(): string|nil
function Online:copy(statement, next_chunk)
  guard(self)
  settle_boundary(self, statement)
  local digest = require("luamig.core.digest")
  local hash = ""
  local function hashed()
    local chunk = next_chunk()
    hash = chunk and digest.sha256(hash .. chunk) or hash
    return chunk
  end
  if self.cursor:is_replaying() then
    while hashed() do end
    statement.data_hash = hash
  end
  inside(self, statement, function(wire, s)
    wire:copy(s, hashed)
    s.data_hash = hash
  end)
end

local function refuse_alone(statement, message, hint)
  local origin = statement.origin or {}
  fault.raise({ kind = "operation", message = message, hint = hint, origin = statement.op,
    file = origin.file, line = origin.line, statement = statement.sql })
end

local function check_alone(self, statement)
  local setting = self.settings.of_session
  if self.depth > 0 then
    refuse_alone(statement, ("op.%s cannot run inside op.savepoint: it needs to be outside a "
      .. "transaction"):format(statement.op))
  elseif setting and self.settings.is_pooled then
    refuse_alone(statement, setting .. " cannot be set for a statement outside a transaction: the "
      .. "connection goes through a pooler", "connect directly, or leave " .. setting
      .. " out and qualify the names")
  end
end

-- What is stopped midway may have been done: the next run must know of it.
local function announce(self, params)
  local started
  send_own(self, "journal_start",
    { params[1], params[2], params[3], params[5], params[7] }, function(rows)
      started = rows[1].started
    end)
  self.wire:sync()
  self.on_segment()
  return started
end

---Runs a statement that PostgreSQL refuses inside a transaction.
function Online:run_alone(statement)
  check_alone(self, statement)
  self:commit_segment()
  own(self, statement)
  local is_in_doubt = self.cursor:is_in_doubt()
  if self.cursor:enter(statement) then
    self.cursor:next()
    return
  elseif self.is_dry then
    self.report.warn(("not run, for it cannot be rolled back: %s"):format(
      (statement.sql:gsub("%s+", " "))))
    self.cursor:next()
    return
  end
  local started -- of what was announced, until it is done
  local ok, f = pcall(function()
    self.wire:sync()
    local params = journal_params(self)
    started = not statement.is_gate and announce(self, params) or nil
    local function run()
      if statement.work then
        statement.work(started) -- by connections of its own
        return
      end
      outside.run(self, statement, is_in_doubt)
    end
    if self.observer then
      self.observer:alone(self, statement, run)
    else
      run()
    end
    started = nil
    send_own(self, "journal_write", params)
    self.wire:sync()
    self.on_segment()
  end)
  if not ok then
    if started and outside.withdraw(self, statement, f) and self.cursor.segment == 1 then
      self.on_segment(true)
    end
    note_failure(self, f)
  end
  self.cursor:next()
end

---Runs a function with each of its statements committed by itself.
function Online:autocommit(fn)
  guard(self)
  self:commit_segment()
  local before = self.is_autocommit
  self.is_autocommit = true
  local ok, f = pcall(sandbox.call, fn)
  self.is_autocommit = before
  if not ok then
    error(f, 0)
  end
  self:commit_segment()
end

---Runs a function as a segment of its own.
function Online:step(name, fn)
  guard(self)
  if self.depth > 0 then
    fault.raise({ kind = "operation", message = "op.step cannot be used inside op.savepoint",
      origin = "step" })
  end
  self:commit_segment()
  if self.report.verbosity() > 0 then
    self.wire:sync() -- what is said of the work before comes first
  end
  self.report.debug(1, ("  step %s%s"):format(name,
    self.cursor:is_replaying() and " (done before)" or ""))
  sandbox.call(fn)
  self:commit_segment()
end

local function control(self, text)
  return { sql = text, op = "savepoint", origin = { file = self.step_info.rev.file } }
end

local function roll_back_to(self, name)
  self.failed = nil
  inside(self, control(self, "ROLLBACK TO SAVEPOINT " .. name), function(wire, s)
    wire.conn:exec(s.sql)
  end)
  inside(self, control(self, "RELEASE SAVEPOINT " .. name), send_plain)
end

---Runs a function in a savepoint. When it fails, its work is rolled back and the fault raised.
function Online:savepoint(fn)
  guard(self)
  if self.has_boundary then
    self:commit_segment()
  end
  local name = ("luamig_%d"):format(self.depth + 1)
  -- What came before must have succeeded: a failure from here on is the function's own.
  inside(self, control(self, "SAVEPOINT " .. name), function(wire, s)
    wire:query(s)
  end)
  self.depth = self.depth + 1
  local result = table.pack(pcall(sandbox.call, fn))
  self.depth = self.depth - 1
  if result[1] and not self.failed then
    local ok, f = pcall(inside, self, control(self, "RELEASE SAVEPOINT " .. name),
      function(wire, s)
        wire:query(s)
      end)
    if ok then
      return table.unpack(result, 2, result.n)
    end
    result[2] = f
  end
  local f = self.failed or result[2]
  if not self.wire.conn:alive() then
    error(f, 0)
  end
  roll_back_to(self, name)
  error(f, 0)
end

function Online:note(text)
  self.report.info(text)
end

---The script has ended: its last transaction takes the version row and the history along.
---@param last { record: table, on_record: fun(rows: table) }  parameters of the text, its result
function Online:finish(last)
  guard(self)
  self.cursor:finish()
  self:begin()
  local step, record = self.step_info, last.record
  local has_journal = self.cursor.segment > 1 or #self.cursor.segments > 0
  if not has_journal and #step.remove == 1 and #step.add == 1 then
    record[8], record[9], record.n = step.remove[1], step.add[1], 9
    send_own(self, "finish", record, last.on_record)
    return
  end
  send_own(self, "move", { types.text(step.remove, "text[]"), types.text(step.add, "text[]") })
  send_own(self, "record", record, last.on_record)
  if has_journal then
    send_own(self, "journal_clear", { step.rev.id, step.direction })
  end
end

require("luamig.executor.batches").extend(Online)

return online
