--- What PostgreSQL refuses inside a transaction, run outside one: with the session's settings for
-- once, and after an earlier try that was stopped midway.

local fault = require("luamig.fault")
local txn = require("luamig.core.txn")

local outside = {}

-- What a statement outside a transaction left behind when it was stopped midway.
local already_done = { ["42P04"] = true, ["42710"] = true, ["3D000"] = true, ["42704"] = true }

-- An index that CREATE INDEX CONCURRENTLY did not finish is there, and invalid.
local function leftover_index(executor, statement)
  local left = statement.leftover
  local rows = executor.wire.conn:exec([[
    SELECT pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) '.' OPERATOR(pg_catalog.||)
           pg_catalog.quote_ident(c.relname) AS name, i.indisvalid AS is_valid,
           EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p
                    WHERE p.index_relid OPERATOR(pg_catalog.=) c.oid) AS is_being_built
      FROM pg_catalog.pg_class t
      JOIN pg_catalog.pg_index i ON i.indrelid OPERATOR(pg_catalog.=) t.oid
      JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
      JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
     WHERE t.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)
       AND c.relname OPERATOR(pg_catalog.=) $2::pg_catalog.name]], { left.table, left.index })
  return rows[1]
end

-- Returns true when the index that an earlier try made is whole: there is nothing left to do.
local function clear_leftover(executor, statement, is_in_doubt)
  local index = statement.leftover and leftover_index(executor, statement)
  if not index or index.is_being_built then
    return false
  elseif index.is_valid then
    return is_in_doubt
  end
  executor.report.warn(("index %s was left invalid by an earlier try; it is dropped and built "
    .. "again"):format(index.name))
  executor.wire:query({
    sql = "DROP INDEX CONCURRENTLY " .. index.name,
    origin = statement.origin,
    op = statement.op,
    step = statement.step,
  })
  return false
end

local function exec_alone(executor, statement, is_in_doubt)
  if clear_leftover(executor, statement, is_in_doubt) then
    return
  end
  local ok, f = pcall(executor.wire.query, executor.wire, statement)
  if ok then
    return
  elseif is_in_doubt and fault.is(f) and already_done[f.sqlstate or ""] then
    executor.report.warn(("%s: taken as done by the earlier try that was interrupted"):format(
      f.message))
    return
  end
  error(f, 0)
end

local function with_session_settings(executor, statement, fn)
  local conn = executor.wire.conn
  local settings = executor.settings
  if settings.is_pooled then
    return fn() -- they would be left to the next user of the pool's connection
  end
  if statement.lock_timeout == false then
    settings = setmetatable({ lock_timeout = "0" }, { __index = settings })
  end
  txn.outside_begin(conn, {
    lock_timeout = settings.lock_timeout,
    statement_timeout = settings.statement_timeout,
    search_path = settings.search_path,
    role = settings.role,
  })
  local ok, f = pcall(fn)
  if conn:alive() then
    txn.outside_end(conn, settings.role)
  end
  if not ok then
    error(f, 0)
  end
end

-- An index that could not be built is there, and slows every write. It may be waited for no longer
-- than for any other lock: the next try drops it as well.
local function drop_leftover(executor, statement, f)
  local index
  local ok = pcall(with_session_settings, executor, {}, function()
    index = leftover_index(executor, statement)
    if index and not index.is_valid and not index.is_being_built then
      executor.wire.conn:exec("DROP INDEX CONCURRENTLY " .. index.name)
    end
  end)
  if not ok and index then
    f.detail = (f.detail and f.detail .. "\n" or "") .. ("index %s is left invalid; the next try "
      .. "drops it"):format(index.name)
  end
end

---Takes back that a statement was announced, when the server has refused it: it was not done, and
---another one may take its place.
---@param executor table
---@param statement table
---@param f any  what was raised
---@return boolean
function outside.withdraw(executor, statement, f)
  local conn, step, cursor = executor.wire.conn, executor.step_info, executor.cursor
  local is_answer = fault.is(f) and f.sqlstate and f.kind ~= "connection" and conn:alive()
  if not is_answer or statement.work then
    return false
  end
  if statement.leftover then
    drop_leftover(executor, statement, f)
  end
  return (pcall(conn.exec, conn, executor.sql.journal_withdraw,
    { step.rev.id, step.direction, cursor.segment }))
end

---Runs a statement outside a transaction; waits for it.
---@param executor table  luamig.executor.online
---@param statement table
---@param is_in_doubt boolean  an earlier try of it may have been stopped midway
function outside.run(executor, statement, is_in_doubt)
  with_session_settings(executor, statement, function()
    exec_alone(executor, statement, is_in_doubt)
  end)
end

return outside
