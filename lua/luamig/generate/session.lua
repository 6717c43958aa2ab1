--- The transaction in which tables are filled: its settings, what it asks the server first, and a
-- pipeline of items of which one may fail without the others. Inside a transaction of the caller it
-- is a savepoint.

local containers = require("luamig.generate.containers")
local extensions = require("luamig.generate.extensions")
local fault = require("luamig.fault")
local quote = require("luamig.quote")

local statement = require("luamig.generate.statement")

local session = {}

local Session = {}
Session.__index = Session

-- Values are written in these words.
local settings = {
  { "timezone", "UTC" }, { "datestyle", "ISO, YMD" }, { "intervalstyle", "postgres" },
  { "lc_monetary", "C" }, { "xmloption", "content" }, { "jit", "off" },
}

local TABLES = 100 -- tables that one statement counts the rows of
local CHUNK = 64 -- items on their way at a time: what has to be sent again when one fails

-- ---- beginning ----

local facts_sql = [[
SELECT x.n AS name, t.typtype AS kind, t.typnotnull AS not_null,
  CASE WHEN t.typtype = 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END AS type,
  ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid
    ORDER BY e.enumsortorder) AS labels,
  ARRAY(SELECT pg_catalog.pg_get_constraintdef(k.oid) FROM pg_catalog.pg_constraint k
    WHERE k.contypid = t.oid AND k.contype = 'c' ORDER BY k.conname) AS checks
FROM pg_catalog.unnest($1::text[]) x (n)
  JOIN pg_catalog.pg_type t ON t.oid = pg_catalog.to_regtype(x.n)]]

local bounds_sql = [[
SELECT x.n AS name,
  pg_catalog.pg_get_partition_constraintdef(pg_catalog.to_regclass(x.n)) AS bound
FROM pg_catalog.unnest($1::text[]) x (n)]]

local function settings_sql(function_name)
  local out = {}
  for i, setting in ipairs(settings) do
    out[i] = function_name == "current_setting"
      and ("pg_catalog.current_setting('%s') AS %s"):format(setting[1], setting[1])
      or ("pg_catalog.set_config('%s', '%s', true)"):format(setting[1], setting[2])
  end
  return "SELECT " .. table.concat(out, ", ")
end

-- The catalog's own texts are read with a path on which nothing is found by its plain name.
local function send_facts(conn, asks)
  conn:send("SELECT pg_catalog.set_config('luamig.path', "
    .. "pg_catalog.current_setting('search_path'), true)")
  conn:send("SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true)")
  conn:send("SELECT pg_catalog.current_setting('server_encoding') AS encoding", nil,
    { keep = true })
  conn:send(facts_sql, { containers.array_text(asks.types) }, { keep = true })
  conn:send(bounds_sql, { containers.array_text(asks.partitions) }, { keep = true })
  -- A connection whose path is empty is one of ours. Triggers find their tables along the path that
  -- the application's sessions begin with.
  conn:send("SELECT pg_catalog.set_config('search_path', COALESCE(NULLIF("
    .. "pg_catalog.current_setting('luamig.path'), ''), (SELECT s.reset_val "
    .. "FROM pg_catalog.pg_settings s WHERE s.name OPERATOR(pg_catalog.=) 'search_path')), true)")
end

-- Several statements, for the server plans a long one slowly. One that may not be read ends the
-- counting: then no table counts as full.
local function send_counts(conn, names, limit)
  conn:send("SAVEPOINT luamig_counts")
  local first = conn:send("SELECT 1")
  for from = 1, #names, TABLES do
    conn:send(statement.counts({ table.unpack(names, from, from + TABLES - 1) }, limit), nil,
      { keep = true })
  end
  conn:send("RELEASE SAVEPOINT luamig_counts")
  return first
end

local function take_counts(conn, names)
  local out = {}
  for from = 1, #names, TABLES do
    local _, rows = conn:take()
    for _, row in ipairs(rows or {}) do
      out["table " .. names[from + row.place - 1]] = row.rows
    end
  end
  return out
end

local function take(conn)
  local _, rows = conn:take()
  return rows
end

local function take_facts(conn)
  local out = { is_ascii = take(conn)[1].encoding ~= "UTF8", types = {}, bounds = {}, bases = {} }
  for _, row in ipairs(take(conn)) do
    if row.kind == "e" then
      out.types[row.name] = { labels = row.labels }
    elseif row.kind == "d" then
      out.types[row.name] = { type = row.type, checks = row.checks, not_null = row.not_null }
    else
      out.bases[#out.bases + 1] = row.name
    end
  end
  for _, row in ipairs(take(conn)) do
    out.bounds["table " .. row.name] = row.bound
  end
  return out
end

-- Whether the rows could be counted; all that was asked before must succeed.
local function sync_counts(conn, first)
  local ok, f = pcall(conn.sync, conn)
  if ok then
    return true
  elseif not (fault.is(f) and f.kind == "server" and f.seq and f.seq > first) then
    error(f, 0)
  end
  conn:send("ROLLBACK TO SAVEPOINT luamig_counts")
  conn:send("RELEASE SAVEPOINT luamig_counts")
  return false
end

local trial_body = [[
DECLARE
  kind pg_catalog.text; sample pg_catalog.text;
  found pg_catalog.jsonb := '{}'; good pg_catalog.jsonb;
BEGIN
  FOREACH kind IN ARRAY %s::pg_catalog.text[] LOOP
    good := '[]';
    FOREACH sample IN ARRAY %s::pg_catalog.text[] LOOP
      BEGIN
        EXECUTE pg_catalog.format('SELECT %%L::%%s', sample, kind);
        good := good OPERATOR(pg_catalog.||) pg_catalog.to_jsonb(sample);
      EXCEPTION WHEN OTHERS THEN
        NULL;
      END;
    END LOOP;
    found := pg_catalog.jsonb_set(found, ARRAY[kind], good);
  END LOOP;
  PERFORM pg_catalog.set_config('luamig.generate', found::pg_catalog.text, true);
END]]

-- Which texts the input functions of types take that nothing is known of.
local function try_texts(self, bases, facts)
  self:run({ {
    statements = {
      { sql = "DO " .. quote.string(trial_body:format(
        quote.string(containers.array_text(bases)),
        quote.string(containers.array_text(extensions.texts)))) },
      { sql = "SELECT pg_catalog.current_setting('luamig.generate')::pg_catalog.json AS found" },
    },
    done = function(results)
      for name, texts in pairs(results[2][1].found) do
        facts[name] = #texts > 0 and { texts = texts } or nil
      end
    end,
    failed = function() end, -- without PL/pgSQL nothing is found
  } })
end

---Begins a transaction, or a savepoint in the one that is open.
---Raises: operation (the transaction has failed), server, connection, interrupted.
---@param conn userdata
---@param asks { types: string[], partitions: string[], tables: string[], rows: integer }  types
---  that the snapshot does not have; partitions, tables: names as SQL; rows: as far as is counted
---@return table session, table facts  { is_ascii, types, bounds = { [identity] = SQL },
---  counts = { [identity] = rows } }
function session.begin(conn, asks)
  conn:sync() -- decides whether a transaction is open
  local state = conn:transaction()
  if state == "E" then
    fault.raise({ kind = "operation",
      message = "tables cannot be filled in a transaction that has failed" })
  end
  local self = setmetatable({ conn = conn, is_own = state ~= "T" }, Session)
  local ok, facts = pcall(function()
    conn:send(self.is_own and "BEGIN" or "SAVEPOINT luamig_generate")
    conn:send(settings_sql("current_setting"), nil, { keep = true })
    conn:send(settings_sql("set_config"))
    conn:send("SET CONSTRAINTS ALL IMMEDIATE")
    send_facts(conn, asks)
    local is_counted = sync_counts(conn, send_counts(conn, asks.tables, asks.rows))
    self.settings = take(conn)[1]
    local facts = take_facts(conn)
    facts.counts = is_counted and take_counts(conn, asks.tables) or {}
    while conn:take() do end
    if #facts.bases > 0 then
      try_texts(self, facts.bases, facts.types)
    end
    return facts
  end)
  if not ok then
    self:abort()
    error(facts, 0)
  end
  return self, facts
end

-- ---- items ----

-- They are made when they are sent: the server works meanwhile.
local function statements_of(item)
  item.statements = item.statements or item.make()
  return item.statements
end

local function send_items(self, items, first, last, owners)
  local conn = self.conn
  for place = first, last do
    owners[conn:send("SAVEPOINT luamig_item")] = place
    for _, one in ipairs(statements_of(items[place])) do
      owners[conn:send(one.sql, one.params, { keep = true })] = place
    end
    conn:send("RELEASE SAVEPOINT luamig_item")
  end
  conn:sync()
end

local function take_results(self, owners)
  local results = {}
  while true do
    local seq, rows = self.conn:take()
    if not seq then
      return results
    end
    local list = results[owners[seq]] or {}
    results[owners[seq]] = list
    list[#list + 1] = rows
  end
end

-- The server ends the work, not the statement: 57 operator intervention, 53 no resources, 40 the
-- transaction is rolled back, 25P02 it has failed before.
local function is_fatal(self, f)
  local class = fault.is(f) and f.sqlstate and f.sqlstate:sub(1, 2)
  return not class or f.kind == "interrupted" or not self.conn:alive()
    or class == "57" or class == "53" or class == "40" or f.sqlstate == "25P02"
end

-- Runs items from `first` on; returns the place of the next one to run.
local function run_some(self, items, first)
  local last, owners = math.min(first + CHUNK - 1, #items), {}
  local ok, f = pcall(send_items, self, items, first, last, owners)
  local results = take_results(self, owners)
  local failed = not ok and fault.is(f) and owners[f.seq]
  if not ok and (is_fatal(self, f) or not failed) then
    error(f, 0)
  end
  for place = first, (failed or last + 1) - 1 do
    items[place].done(results[place])
  end
  if not failed then
    return last + 1
  end
  self.conn:send("ROLLBACK TO SAVEPOINT luamig_item")
  self.conn:send("RELEASE SAVEPOINT luamig_item")
  items[failed].failed(f)
  return failed + 1
end

---Runs items in one pipeline, each in a savepoint: a failure costs a round trip, and no other item.
---Raises: connection, interrupted, server (what ends the transaction).
---@param items { statements?: { sql: string, params?: string[] }[], make?: fun(): table[],
---  done: fun(results: table[]), failed: fun(fault: table) }[]  make: gives the statements
function Session:run(items)
  local place = 1
  while place <= #items do
    place = run_some(self, items, place)
  end
  self.conn:sync()
end

-- ---- ending ----

local function restore_settings(self)
  local calls, params = {}, {}
  for i, setting in ipairs(settings) do
    calls[i] = ("pg_catalog.set_config('%s', $%d, true)"):format(setting[1], i)
    params[i] = self.settings[setting[1]]
  end
  self.conn:send("SELECT " .. table.concat(calls, ", "), params)
end

---Keeps what was done: commits, unless the transaction is the caller's.
function Session:finish()
  if self.is_own then
    self.conn:send("COMMIT", nil, { expect = "COMMIT" })
  else
    restore_settings(self)
    self.conn:send("RELEASE SAVEPOINT luamig_generate")
  end
  self.conn:sync()
end

---Undoes what was done; the connection is as it was, if it is alive.
function Session:abort()
  local conn = self.conn
  while conn:take() do end
  if not conn:alive() then
    return
  elseif self.is_own then
    pcall(conn.exec, conn, "ROLLBACK")
  else
    pcall(conn.exec, conn, "ROLLBACK TO SAVEPOINT luamig_generate")
    pcall(conn.exec, conn, "RELEASE SAVEPOINT luamig_generate")
  end
end

return session
