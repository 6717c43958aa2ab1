--- A visit to the catalogs: one transaction that only reads, whose queries see one snapshot of the
-- database; or, when the caller has a transaction open, a savepoint in it.

local visit = {}

local Visit = {}
Visit.__index = Visit

-- What the texts of the server depend on; and these queries are too short for jit.
local settings = {
  { "search_path", "pg_catalog, pg_temp" }, { "datestyle", "ISO, YMD" },
  { "intervalstyle", "postgres" }, { "timezone", "UTC" }, { "extra_float_digits", "1" },
  { "bytea_output", "hex" }, { "xmloption", "content" }, { "lc_monetary", "C" },
  { "quote_all_identifiers", "off" }, { "standard_conforming_strings", "on" },
  { "jit", "off" }, { "plan_cache_mode", "force_generic_plan" },
}

-- Plans are kept while the database grows: those that find rows by their OIDs, and others by those
-- rows, in the order in which the query names the catalogs, stay right.
local narrow_settings = {
  { "enable_seqscan", "off" }, { "enable_bitmapscan", "off" }, { "enable_hashjoin", "off" },
  { "enable_mergejoin", "off" }, { "enable_material", "off" }, { "join_collapse_limit", "1" },
}

local function settings_sql_of(list)
  local calls = {}
  for i, setting in ipairs(list) do
    calls[i] = ("pg_catalog.set_config('%s', '%s', true)"):format(setting[1], setting[2])
  end
  return "SELECT " .. table.concat(calls, ", ")
end

local settings_sql, narrow_sql = settings_sql_of(settings), settings_sql_of(narrow_settings)

-- Inside a transaction of the caller a savepoint takes the settings back.
local own_transaction = {
  first = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
  last = { "COMMIT" },
  undo = "ROLLBACK",
}
local callers_transaction = {
  first = "SAVEPOINT luamig_snapshot",
  last = { "ROLLBACK TO SAVEPOINT luamig_snapshot", "RELEASE SAVEPOINT luamig_snapshot" },
  undo = "ROLLBACK TO SAVEPOINT luamig_snapshot",
}

---@param conn userdata
---@param options { prepare?: boolean }
---@param opening? table  a query that is asked before the visit, in the same round trip as the
---  first that are asked in it; its rows come first
function visit.new(conn, options, opening)
  conn:sync() -- free when nothing is queued; else it decides whether a transaction is open
  local bounds = conn:transaction() == "T" and callers_transaction or own_transaction
  return setmetatable({
    conn = conn, bounds = bounds, prepare = options.prepare, opening = opening,
  }, Visit)
end

local function send(conn, query, options)
  if type(query) == "table" then
    return conn:send(query.sql, query.params, options)
  end
  return conn:send(query, nil, options)
end

local function send_all(self, queries, seqs)
  local options = { keep = true, prepared = self.prepare }
  for _, query in ipairs(queries) do
    seqs[#seqs + 1] = send(self.conn, query, options)
  end
end

local function begin(self, seqs)
  if self.is_open then
    return
  end
  if self.opening then
    seqs[1] = send(self.conn, self.opening, { isolated = true, prepared = self.prepare })
    self.opening = nil
  end
  self.is_open = true
  self.conn:send(self.bounds.first)
  self.conn:send(settings_sql, nil, { prepared = self.prepare })
end

local function finish(self)
  self.is_open = false
  for _, sql in ipairs(self.bounds.last) do
    self.conn:send(sql)
  end
end

-- Planning takes more time than reading a small database: a connection that reads often prepares.
local function run(self, queries, is_last)
  local seqs = {}
  begin(self, seqs)
  send_all(self, queries, seqs)
  if is_last then
    finish(self)
  end
  self.conn:sync() -- no round trip when nothing is queued
  return seqs
end

---Leaves the connection as it was, also when a query has failed; then no result counts.
function Visit:undo()
  self.is_open = false
  while self.conn:take() do end
  if self.conn:alive() then
    pcall(self.conn.exec, self.conn, self.bounds.undo)
  end
end

---Sends queries in one round trip; the first ones begin the visit.
---@param queries (string|{ sql: string, params?: table })[]
---@param is_last? boolean  they end it too
---@return fun(): table  the rows of the next query
function Visit:ask(queries, is_last)
  local ok, seqs = pcall(run, self, queries, is_last)
  if not ok then
    self:undo()
    error(seqs, 0)
  end
  local i = 0
  return function()
    i = i + 1
    local seq, rows = self.conn:take()
    assert(seq == seqs[i], "a result of another statement was not taken")
    return rows
  end
end

---The same; plans of queries that are new are made for few objects among many.
function Visit:ask_narrow(queries, is_last)
  if not self.is_narrow and #queries > 0 then
    self.is_narrow = true
    self.conn:send(narrow_sql, nil, { prepared = self.prepare })
  end
  return self:ask(queries, is_last)
end

---Ends the visit, when it is not ended yet, also when not all results were taken.
function Visit:close()
  if self.is_open then
    while self.conn:take() do end
    self:ask({}, true)
  end
end

return visit
