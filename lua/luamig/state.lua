--- What luamig keeps in the database, read in one round trip: version rows, history, unfinished
-- revisions, and the lock that lets one runner at a time work on them.

local clock = require("luamig.core.clock")
local fault = require("luamig.fault")
local quote = require("luamig.quote")
local version = require("luamig.core.version")

local state = {}

local State = {}
State.__index = State

local ABSENT = { ["42P01"] = true, ["3F000"] = true }

-- Of luamig's own tables: what stands behind the name of the version table.
local suffixes <const> = {
  "", "_history", "_journal", "_backfill", "_backfill_range", "_backfill_error", "_backfill_event",
}

---What of a database is luamig's own and no part of the user's schema: schemas and tables, as
---luamig.snapshot ignores them.
---@param cfg luamig.Config
---@return string[]
function state.own_tables(cfg)
  local list = { "luamig" }
  if cfg.version_schema ~= "luamig" then
    local schema = quote.ident(cfg.version_schema) .. "."
    for _, suffix in ipairs(suffixes) do
      local name = (cfg.version_table .. suffix):sub(1, quote.NAME_BYTES) -- as PostgreSQL cuts it
      list[#list + 1] = schema .. quote.ident(name)
    end
  end
  return list
end

local function ask(conn, sql, params)
  return conn:send(sql, params, { isolated = true })
end

-- An isolated statement tells its SQLSTATE only; run again by itself, it raises the whole fault.
local function rows_or_raise(self, name, rows, params)
  if not rows.sqlstate then
    return rows
  elseif ABSENT[rows.sqlstate] then
    return {}
  end
  local ok, result = pcall(self.conn.exec, self.conn, self.sql[name], params)
  if ok then
    return result
  elseif fault.is(result) and result.sqlstate == "42501" then
    result.statement = nil -- it is luamig's own, and right
    local schema, role = quote.ident(self.cfg.version_schema),
      quote.ident(self.cfg.role or self.conn:info().user)
    fault.complete(result, { state = "nothing changed", try = ("let its owner run: GRANT USAGE ON "
      .. "SCHEMA %s TO %s; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %s TO %s")
      :format(schema, role, schema, role) })
  end
  error(result, 0)
end

local function column(rows, name)
  local out = {}
  for i, row in ipairs(rows) do
    out[i] = row[name]
  end
  return out
end

local function by_revision(rows)
  local out = {}
  for _, row in ipairs(rows) do
    out[row.revision] = row
  end
  return out
end

local function fill(self, results)
  self.rows = column(results.rows, "version_num")
  self.applied = by_revision(results.applied or {})
  self.unfinished = results.journal_open or {}
end

-- The first statement sets the role.
local function explain_session(self, name, f)
  if name == "session" and self.cfg.role and fault.is(f) and f.kind == "server" then
    f.statement, f.position = nil, nil
    fault.complete(f, { file = self.cfg.file, hint = ("the key `role` names it: %q"):format(
      self.cfg.role) })
  end
  error(f, 0)
end

-- Sends the named texts and takes their results, all in one round trip.
local function ask_all(self, names, params)
  local conn, seqs = self.conn, {}
  for _, name in ipairs(names) do
    seqs[ask(conn, self.sql[name], params[name])] = name
  end
  conn:sync()
  local results = {}
  for _ = 1, #names do
    local seq, rows = conn:take()
    local name = seqs[seq]
    local ok, result = pcall(rows_or_raise, self, name, rows, params[name])
    if not ok then
      explain_session(self, name, result)
    end
    results[name] = result
  end
  return results
end

---Reads the state. `names` beside the version rows: "applied" (last history row of each revision),
---"journal_open" (unfinished revisions), "lock" (tries the runner lock first).
---Raises: connection, server.
---@param conn userdata
---@param cfg luamig.Config
---@param names? string[]
function state.read(conn, cfg, names)
  local self = setmetatable({ conn = conn, cfg = cfg }, State)
  self.sql = version.sql(cfg.version_schema, cfg.version_table)
  local asked = { "session" }
  for _, name in ipairs(names or {}) do
    if name == "lock" then
      asked[#asked + 1] = name
    end
  end
  asked[#asked + 1] = "rows"
  for _, name in ipairs(names or {}) do
    if name ~= "lock" then
      asked[#asked + 1] = name
    end
  end
  local pid = conn:info().pid
  local params = { session = { pid, cfg.role or "none" }, lock = { pid } }
  local results = ask_all(self, asked, params)
  self.session = results.session[1]
  self.is_pooled = self.session.pid ~= pid
  self.has_lock = results.lock ~= nil and results.lock[1].had
  fill(self, results)
  return self
end

local function reread(self)
  fill(self, ask_all(self, { "rows", "applied", "journal_open" }, {}))
end

local function holder_text(holder)
  if not holder then
    return "another luamig"
  end
  return ("pid %d (%s, %s%s), connected since %s"):format(holder.pid, holder.role or "?",
    holder.application_name or "?", holder.host and ", from " .. holder.host or "",
    (holder.since or "?"):gsub("%.%d+", ""))
end

---Waits for the runner lock by polling; the holder is named meanwhile. A pooler has no such lock.
---Raises: lock, when it was not had in time; interrupted.
---@param wait_ms integer
---@param on_wait fun(text: string)  told who is waited for, once per holder
function State:lock(wait_ms, on_wait)
  local conn = self.conn
  local finish = clock.now_ms() + wait_ms
  local told
  local has_waited = false
  while not self.has_lock and not self.is_pooled do
    local holder = conn:exec(self.sql.lock_holder)[1]
    local text = holder_text(holder)
    if clock.now_ms() >= finish then
      fault.raise({
        kind = "lock",
        message = "another luamig is working on this database: " .. text,
        state = "nothing changed",
        try = "wait longer with --lock-wait 10min, or look at it with: luamig status",
      })
    elseif text ~= told then
      on_wait(text)
      told = text
    end
    if not clock.sleep_ms(100 + clock.jitter_ms(150)) then
      fault.raise({ kind = "interrupted", message = "interrupted while waiting for another luamig",
        state = "nothing changed" })
    end
    has_waited = true
    self.has_lock = conn:exec(self.sql.lock, { conn:info().pid })[1].had
  end
  if has_waited then
    reread(self)
  end
end

local creations = {
  { "create_schema", "has_schema" }, { "create_version", "has_version" },
  { "create_history", "has_history" }, { "create_journal", "has_journal" },
}

---The statements that make what is missing of luamig's own tables.
---@return string[]
function State:missing()
  local out = {}
  for _, pair in ipairs(creations) do
    if not self.session[pair[2]] then
      out[#out + 1] = self.sql[pair[1]]
    end
  end
  return out
end

local function creation_hint(self)
  local cfg, info = self.cfg, self.conn:info()
  local schema = quote.ident(cfg.version_schema)
  local what = self.session.has_schema and "SCHEMA " .. schema
    or "DATABASE " .. quote.ident(info.database)
  return ("luamig keeps its version table in schema %s; let the owner run: GRANT CREATE ON %s TO "
    .. "%s; or set version_schema in luamig.lua"):format(schema, what,
    quote.ident(cfg.role or info.user))
end

---Queues what makes the missing tables, in the transaction at hand; a failure comes out later, of
---the wire.
---@param wire table  luamig.wire
function State:send_missing(wire)
  local hints = { ["42501"] = creation_hint(self) }
  for _, sql in ipairs(self:missing()) do
    wire:send({ sql = sql, hints = hints, is_luamigs = true })
  end
end

---Makes the missing tables, all or nothing.
---@param wire table  luamig.wire
function State:queue_missing(wire)
  if #self:missing() == 0 then
    return
  end
  wire:send({ sql = "BEGIN" })
  self:send_missing(wire)
  wire:send({ sql = "COMMIT" }, function()
    for _, pair in ipairs(creations) do
      self.session[pair[2]] = true
    end
  end, "COMMIT")
end

---The stored text of the last upgrade of a revision, or nil.
---@return { script: string, sha256: string, finished: string, role: string }|nil
function State:script(id)
  return self.session.has_history and self.conn:exec(self.sql.script, { id })[1] or nil
end

---The history row that a revision left last, or nil.
function State:last_record(id)
  return self.applied[id]
end

---The committed segments of an unfinished revision.
---@return luamig.journal.Segment[]
function State:segments(id, direction)
  return self.conn:exec(self.sql.journal_read, { id, direction })
end

return state
