--- What became of the steps of a run whose answer was lost: asked of the server, over a new
-- connection when the old one is gone. The old session may still be at work there, so its end is
-- waited for: only then is the answer final.

local clock = require("luamig.core.clock")
local fault = require("luamig.fault")

local inquiry = {}

local RECONNECT_MS <const> = 15000 -- a server that restarts is back by then
local SESSION_MS <const> = 5000    -- for a session that is still at work

local ABSENT <const> = { ["42P01"] = true, ["3F000"] = true } -- luamig's tables, in a first run

local function rows_of(conn, sql, params)
  local ok, rows = pcall(conn.exec, conn, sql, params)
  if ok then
    return rows
  elseif fault.is(rows) and ABSENT[rows.sqlstate or ""] then
    return {}
  end
  error(rows, 0)
end

local function reconnect(run)
  local finish = clock.now_ms() + RECONNECT_MS
  local delay = 200
  repeat
    local ok, conn = pcall(run.migration.reconnect, run.migration)
    if ok then
      return conn
    elseif not clock.sleep_ms(delay) then
      return nil
    end
    delay = math.min(delay * 2, 2000)
  until clock.now_ms() >= finish
  return nil
end

-- The lost session holds the runner lock until it has ended, and its transaction with it. One that
-- waits for what we would say next waits in vain, and is ended. One that is at work is let be: that
-- may be an index built for hours.
local function await_end(run, conn)
  local finish = clock.now_ms() + SESSION_MS
  while true do
    local holder = rows_of(conn, run.migration.state.sql.lock_holder)[1]
    if not holder or holder.pid ~= run.pid then
      return true
    elseif holder.state ~= "active" then
      conn:exec("SELECT pg_catalog.pg_terminate_backend($1::pg_catalog.int4)", { run.pid })
    end
    if clock.now_ms() >= finish or not clock.sleep_ms(50) then
      return false
    end
  end
end

local function has_happened(run, conn, step)
  local sql = run.migration.state.sql.happened
  local row = rows_of(conn, sql, { run.id, step.id, step.direction })[1]
  step.ms = row and row.ms or step.ms
  return row ~= nil
end

---Counts the steps that the history has as done, though nobody has heard of it.
---@param run table
---@param conn userdata
function inquiry.settle(run, conn)
  local step = run.steps[run.done + 1]
  while step and step.is_commit_sent and has_happened(run, conn, step) do
    run:confirm(step)
    step = run.steps[run.done + 1]
  end
end

-- Parts of a revision that were committed are in the journal.
local function note_unfinished(run, conn)
  for _, open in ipairs(rows_of(conn, run.migration.state.sql.journal_open)) do
    run.unfinished[open.revision .. " " .. open.direction] = true
  end
end

-- Returns why the answer is not final, nil when it is.
local function ask(run)
  local conn <close> = reconnect(run)
  if not conn then
    return "the server could not be asked again"
  end
  local is_ended = await_end(run, conn)
  inquiry.settle(run, conn)
  note_unfinished(run, conn)
  local step = run.steps[run.done + 1]
  if not is_ended then
    return ("pid %d on the server is still at work on it"):format(run.pid)
  elseif run.migration.state.is_pooled and step and step.is_commit_sent then
    return "behind a pooler the session cannot be told from others"
  end
  return nil
end

-- What was being sent when the loss was noticed may be far ahead of what the server was at.
local function correct_place(run, f)
  local step = run.steps[run.done + 1]
  if not run.is_one and f.step ~= step then
    f.step = step
    f.file, f.line, f.origin, f.statement, f.position = nil, nil, nil, nil, nil
  end
end

---Finds out what was committed when the connection was lost.
---@param run table
---@param f any  what was raised; a fault learns why the answer is not final
function inquiry.after_loss(run, f)
  local step = run.steps[run.done + 1]
  if step then
    run.report.info("the connection was lost; asking what became of revision " .. step.id)
  end
  local ok, why = pcall(ask, run)
  if fault.is(f) then
    f.uncertain = ok and why or not ok and "the server could not be asked again" or nil
    correct_place(run, f)
  end
end

return inquiry
