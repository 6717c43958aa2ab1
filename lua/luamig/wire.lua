--- A connection that remembers who sent what: statements are queued, and whatever goes wrong later
-- comes out as a fault with the place of the statement that failed. Results that somebody waits for
-- are handed over when they arrive.

local fault = require("luamig.fault")

local wire = {}

local Wire = {}
Wire.__index = Wire

---@param conn userdata  of luamig.core.conn
---@param options? { on_notice?: fun(notice: table, owner: table|nil), on_send?: fun(s: table) }
function wire.new(conn, options)
  return setmetatable({
    conn = conn,
    owners = {},  -- seq -> statement, for what may still fail
    oldest = nil, -- the first seq that is not forgotten; a connection may have a past
    waiting = {}, -- seq -> function(rows)
    is_open = false, -- a transaction was begun
    on_notice = options and options.on_notice,
    on_send = options and options.on_send,
  }, Wire)
end

-- A statement of luamig's own belongs to no script, also when one is running by the time that the
-- failure is heard of.
local NO_PLACE <const> = { file = false, line = false, origin = false, revision = false }

local function explain(self, f)
  if not fault.is(f) then
    error(f, 0)
  end
  -- A statement that is prepared has its PREPARE in front of it, which nobody owns.
  local owner = f.seq and (self.owners[f.seq] or self.owners[f.seq + 1])
  if owner then
    local origin = owner.origin or {}
    fault.complete(f, owner.is_luamigs and NO_PLACE or {})
    fault.complete(f, {
      file = origin.file,
      line = origin.line,
      origin = owner.op,
      step = owner.step,
      indent = owner.indent,
      hint = owner.hints and owner.hints[f.sqlstate],
    })
  end
  return f
end

-- Everything below the border raises faults that know only the number of the statement.
local function guarded(self, fn, ...)
  local ok, result = pcall(fn, ...)
  if ok then
    return result
  end
  local f = explain(self, result)
  self:deliver()
  error(f, 0)
end

---Calls a function that sends below: a failure of an earlier statement that comes out there is told
---with the place of that statement.
---@param fn function
---@return any  its first result
function Wire:call(fn, ...)
  return guarded(self, fn, ...)
end

---Says who sent a statement that was sent below: its failure is then told with the right place.
function Wire:own(seq, statement)
  self.owners[seq] = statement
  self.oldest = math.min(self.oldest or seq, seq)
end

---Queues a statement.
---@param statement table
---@param on_result? fun(rows: table)  called when the result is there
---@param expect? string  command tag that is required
---@return integer seq
function Wire:send(statement, on_result, expect)
  local options
  if on_result or expect or statement.prepared then
    options = { keep = on_result ~= nil, expect = expect, prepared = statement.prepared }
  end
  if self.on_send then
    self.on_send(statement)
  end
  local conn = self.conn
  local seq = guarded(self, conn.send, conn, statement.sql, statement.params, options)
  self.owners[seq] = statement
  self.oldest = self.oldest or seq
  if on_result then
    self.waiting[seq] = on_result
  end
  return seq
end

---Runs a statement and waits for its rows; what was queued before must have succeeded.
---@return table rows
function Wire:query(statement)
  local rows
  self:send(statement, function(result)
    rows = result
  end)
  self:sync()
  return rows
end

---Waits for all that was queued.
function Wire:sync()
  guarded(self, self.conn.sync, self.conn)
  self:deliver()
end

local function forget_up_to(self, seq)
  for i = self.oldest or seq, seq do
    self.owners[i] = nil
  end
  self.oldest = seq + 1
end

function Wire:tell_notices()
  for _, notice in ipairs(self.conn:notices()) do
    if self.on_notice then
      self.on_notice(notice, self.owners[notice.seq])
    end
  end
end

---Hands over the results that have come; never waits.
function Wire:deliver()
  self:tell_notices()
  while true do
    local seq, rows = self.conn:take()
    if not seq then
      return
    end
    local receive = self.waiting[seq]
    self.waiting[seq] = nil
    forget_up_to(self, seq)
    if receive then
      receive(rows)
    end
  end
end

---Sends rows by COPY; waits.
---@param next_chunk fun(): string|nil
function Wire:copy(statement, next_chunk)
  self:sync()
  local ok, f = pcall(self.conn.copy, self.conn, statement.sql, next_chunk)
  if not ok then
    if fault.is(f) and f.seq == nil then
      local origin = statement.origin or {}
      fault.complete(f, { file = origin.file, line = origin.line, origin = statement.op,
        step = statement.step })
    end
    error(f, 0)
  end
  self:tell_notices()
end

---Forgets what was queued and never answered: the connection was rolled back, or is gone.
function Wire:reset()
  self.owners = {}
  self.waiting = {}
  self.is_open = false
end

return wire
