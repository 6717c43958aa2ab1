--- Sends the queries of all families in one pipeline and has each take its rows.

local annotations = require("luamig.snapshot.annotations")
local builder = require("luamig.snapshot.builder")
local code = require("luamig.snapshot.code")
local columns = require("luamig.snapshot.columns")
local constraints = require("luamig.snapshot.constraints")
local database = require("luamig.snapshot.database")
local foreign = require("luamig.snapshot.foreign")
local operators = require("luamig.snapshot.operators")
local relations = require("luamig.snapshot.relations")
local scope = require("luamig.snapshot.scope")
local types = require("luamig.snapshot.types")
local unmodelled = require("luamig.snapshot.unmodelled")

local reader = {}

-- In the order in which rows become objects: what others refer to comes first.
local families = {
  types.schemas, types.extensions, types.types,
  relations.relations, columns.columns, relations.sequences,
  constraints.constraints, constraints.indexes, relations.inheritance,
  code.functions, code.triggers, code.rules, code.policies, code.statistics,
  foreign, database,
  operators.wide, operators.operators, operators.text_search,
  annotations.comments, annotations.dependencies,
  unmodelled,
}

-- What the texts of the server depend on; and these queries are too short for jit.
local settings = {
  { "search_path", "pg_catalog, pg_temp" }, { "datestyle", "ISO, YMD" },
  { "intervalstyle", "postgres" }, { "timezone", "UTC" }, { "extra_float_digits", "1" },
  { "bytea_output", "hex" }, { "xmloption", "content" }, { "lc_monetary", "C" },
  { "quote_all_identifiers", "off" }, { "standard_conforming_strings", "on" },
  { "jit", "off" },
}

local function settings_sql()
  local calls = {}
  for i, setting in ipairs(settings) do
    calls[i] = ("pg_catalog.set_config('%s', '%s', true)"):format(setting[1], setting[2])
  end
  return "SELECT " .. table.concat(calls, ", ")
end

local made = {} -- [key of a scope] = its queries

---The queries, in their order.
---@param options table
---@param server_version integer
---@return string[]
function reader.queries(options, server_version)
  local places = scope.new(options, server_version)
  if not made[places.key] then
    local queries = {}
    for i, family in ipairs(families) do
      queries[i] = places:sql(family.sql)
    end
    made[places.key] = queries
  end
  return made[places.key]
end

-- Inside a transaction of the caller a savepoint takes the settings back.
local own_transaction = {
  first = { "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" },
  last = { "COMMIT" },
  undo = "ROLLBACK",
}
local callers_transaction = {
  first = { "SAVEPOINT luamig_snapshot" },
  last = { "ROLLBACK TO SAVEPOINT luamig_snapshot", "RELEASE SAVEPOINT luamig_snapshot" },
  undo = "ROLLBACK TO SAVEPOINT luamig_snapshot",
}

local function send_all(conn, statements, options)
  local seqs = {}
  for i, sql in ipairs(statements) do
    seqs[i] = conn:send(sql, nil, options)
  end
  return seqs
end

-- Planning takes more time than reading a small database: a connection that reads often prepares.
local function run(conn, bounds, queries, options)
  send_all(conn, bounds.first)
  conn:send(settings_sql())
  local seqs = send_all(conn, queries, { keep = true, prepared = options.prepare })
  send_all(conn, bounds.last)
  conn:sync()
  return seqs
end

-- Leaves the connection as it was, also when a query fails; then none of the results counts.
local function run_or_undo(conn, bounds, queries, options)
  local ok, seqs = pcall(run, conn, bounds, queries, options)
  if ok then
    return seqs
  end
  while conn:take() do end
  if conn:alive() then
    pcall(conn.exec, conn, bounds.undo)
  end
  error(seqs, 0)
end

---@param conn userdata
---@param options table
---@return table value
function reader.read(conn, options)
  local server_version = conn:info().server_version
  conn:sync() -- free when nothing is queued; else it decides whether a transaction is open
  local bounds = conn:transaction() == "T" and callers_transaction or own_transaction
  local seqs = run_or_undo(conn, bounds, reader.queries(options, server_version), options)
  local build = builder.new(options, server_version)
  for i, family in ipairs(families) do
    local seq, rows = conn:take()
    assert(seq == seqs[i], "a result of another statement was not taken")
    family.take(rows, build)
  end
  return build.value
end

return reader
