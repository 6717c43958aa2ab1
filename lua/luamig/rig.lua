--- A throwaway PostgreSQL on which revisions are run to see what they do: those before them without
-- a look, then each with a trace, on tables that have rows.

local core_conn = require("luamig.core.conn")
local fault = require("luamig.fault")
local generate = require("luamig.generate")
local migration = require("luamig.migration")
local quote = require("luamig.quote")
local runner = require("luamig.runner")
local sample_rows = require("luamig.sample_rows")
local script = require("luamig.script")
local session = require("luamig.session")
local snapshot = require("luamig.snapshot")
local state = require("luamig.state")
local trace = require("luamig.trace")

local rig = {}

local Rig = {}
Rig.__index = Rig

local MOST_ROLES <const> = 100
local ROWS <const> = 20

-- The config of a run that nobody but the trace shall see.
local function config_of(cfg)
  local copy = setmetatable({}, getmetatable(cfg))
  for name, item in pairs(cfg) do
    copy[name] = item
  end
  copy.role, copy.hooks, copy.protected = nil, {}, false
  copy.transaction, copy.statement_timeout = "revision", 0
  return copy
end

-- Nothing of what the runner says there concerns the user.
local function quiet(report)
  local function nothing() end
  return setmetatable({ info = nothing, warn = nothing, debug = nothing, verbosity = function()
    return 0
  end }, { __index = report })
end

local function server_of(self, ctx, options)
  if options.url then
    return options.url
  elseif options.server then -- a database beside the others there, dropped in the end
    self.place = require("luamig.scratch").open({ url = options.server, report = ctx.report,
      option = "--server" })
    return self.place:create().url
  end
  self.server = require("luamig.core.server").ephemeral({ in_memory = true })
  ctx.report.debug(1, ("started a throwaway PostgreSQL %d"):format(self.server:info().major))
  return self.server:url()
end

local attach

---Starts a server. Raises: config (no PostgreSQL on this machine), connection, graph, script.
---@param ctx table  luamig.session
---@param options? { server?: string, url?: string, command?: string }
---  server: URL of one to make a database on; url: of an empty database; command: as it can be
---  typed again, "luamig lint" when left out
---@return table rig  to be closed: `local r <close> = rig.open(ctx)`
function rig.open(ctx, options)
  local graph, by_id = ctx:graph()
  local self = setmetatable({ graph = graph, by_id = by_id, ctx = ctx, options = options or {},
    databases = 1, rows = ROWS }, Rig)
  local ok, f = pcall(function()
    attach(self, server_of(self, ctx, self.options))
  end)
  if not ok then
    self:close()
    error(f, 0)
  end
  return self
end

-- From here on it works in an empty database.
function attach(self, url)
  local ctx = self.ctx
  self.url, self.backfilled, self.filled, self.now = url, {}, {}, nil
  self.trace = trace.new(ctx:config(), { favours_indexes = true, prepares = true })
  self.conn = core_conn.open({ url = url, application_name = "luamig measuring" })
  self.conn:exec("SET jit = off")
  -- Whoever connects in there, workers of batches among them, must get to this server.
  local inner = session.new({ x = ctx.options.x, url = url }, quiet(ctx.report))
  inner.connection = self.conn
  inner.loaded_config, inner.loaded_graph, inner.by_id = config_of(ctx:config()), self.graph,
    self.by_id
  self.migration = migration.open(inner, self.options.command or "luamig lint")
  self.version = self.conn:info().server_version
end

function Rig:close()
  if self.conn then
    self.conn:close()
  end
  if self.server then
    self.server:stop()
  elseif self.place then
    self.place:close()
  end
end

Rig.__close = Rig.close

-- Roles belong to a server, not to a database: those that a script names are made, on a throwaway
-- one.
local function make_role(self, f)
  local name = not self.place and fault.is(f) and f.sqlstate == "42704"
    and f.message:match('^role "(.*)" does not')
  if not name then
    return false
  end
  self.conn:exec(("CREATE ROLE %s NOLOGIN"):format(quote.ident(name)))
  return true
end

local function run_once(self, step, with_trace)
  runner.new({
    migration = self.migration,
    steps = { step },
    direction = step.direction,
    trace = with_trace and self.trace or nil,
  }):run()
end

local function reread(self)
  local m = self.migration
  local search_path = m.state.session.search_path -- the user's: ours is empty by now
  m.state = state.read(self.conn, m.cfg, { "applied", "journal_open" })
  m.state.session.search_path = search_path
end

-- What a revision registers is work for later; here it is done at once, so that a revision that
-- requires it finds it done.
local function run_backfills(self)
  local place = require("luamig.backfill.place").of(self.migration.cfg, self.url)
  local name = quote.ident(self.migration.cfg.version_schema) .. ".backfill"
  if self.conn:exec("SELECT pg_catalog.to_regclass($1) IS NULL AS absent", { name })[1].absent then
    return
  end
  for _, row in ipairs(self.conn:exec("SELECT id, name FROM " .. name)) do
    if not self.backfilled[row.id] then
      self.backfilled[row.id] = true
      require("luamig.backfill").run(place, row.name)
    end
  end
end

---Runs one step. Raises what failed, the database being as it was (but for committed segments).
---@param step luamig.Step
---@param with_trace? boolean
function Rig:run(step, with_trace)
  for _ = 1, MOST_ROLES do
    local ok, f = pcall(run_once, self, step, with_trace)
    if ok then
      self.migration.state.rows = step.rows
      return step.direction == "upgrade" and run_backfills(self)
    end
    self.trace:refresh()
    reread(self)
    if not make_role(self, f) then
      error(f, 0)
    end
  end
end

---The step that applies a revision whose parents are applied.
---@return luamig.Step
function Rig:step_up(id)
  return self.migration:steps("upgrade", id)[1]
end

---The step that undoes it.
function Rig.step_down(up, rows_before)
  return { id = up.id, rev = up.rev, direction = "downgrade", remove = up.add, add = up.remove,
    rows = rows_before }
end

---Applies revisions without a look. Raises what failed.
---@param ids string[]  parents first
function Rig:apply(ids)
  for _, id in ipairs(ids) do
    self:run(self:step_up(id))
  end
  self.trace:refresh()
end

local function read(self)
  return snapshot.read(self.conn, { prepare = true,
    ignore = { "luamig", self:own("version_table") } })
end

---The qualified name of the version table.
function Rig:own(key)
  local cfg = self.migration.cfg
  return cfg.version_schema .. "." .. cfg[key]
end

-- Another empty database, on the same server.
local function another_url(self)
  if self.place then
    return self.place:create().url
  end
  self.databases = self.databases + 1
  local name = ("measuring_%d"):format(self.databases)
  local admin <close> = core_conn.open({ url = self.server:url(),
    application_name = "luamig measuring" })
  admin:exec("CREATE DATABASE " .. quote.ident(name))
  return require("luamig.scratch").url_of(self.server:url(), name)
end

---Begins anew in another database, with revisions applied: what a downgrade that failed has left
---may be anything. Raises what fails.
---@param ids string[]  parents first
---@return boolean  false when there is no other database to be had
function Rig:renew(ids)
  if self.options.url then
    return false
  end
  self.conn:close()
  attach(self, another_url(self))
  self:apply(ids)
  return true
end

---Fills the tables that were not looked at yet and are empty.
---@param value table  a snapshot of the database as it is
function Rig:fill(value)
  local empty = sample_rows.fill(self.conn, value, { rows = ROWS, known = self.filled })
  if #empty > 0 then -- those with conditions that plain numbers do not meet
    generate.fill(self.conn, value, { rows = ROWS, only = empty })
  end
end

-- After a revision was undone and done again, its tables are empty, as are those that lost rows.
local function forget_filled(self, measured)
  for identity in pairs(measured.after.objects) do
    if not measured.before.objects[identity] then
      self.filled[identity] = nil
    end
  end
  for _, entry in ipairs(measured.up.entries) do
    local has_lost = #entry.truncated > 0
    for _, item in ipairs(entry.changed or {}) do
      has_lost = has_lost or item.deleted > 0
    end
    if has_lost then
      self.filled = {}
      return
    end
  end
end

-- What made-up rows may be to blame for: values that a conversion, a function of the script or a
-- condition does not take.
local function may_be_of_rows(f)
  if not fault.is(f) then
    return false
  elseif f.kind == "server" then
    local class = (f.sqlstate or ""):sub(1, 2)
    return class == "23" or class == "22" or class == "P0"
  end
  return f.kind == "operation" or f.kind == "script" or f.kind == "partial"
end

-- Rows that the schema allows and the revision does not bear: the run is repeated without rows.
local function run_traced(self, step, value)
  local ok, f = pcall(self.run, self, step, true)
  local first = self.trace.revision
  if ok then
    return first, nil
  elseif not may_be_of_rows(f) then
    error(f, 0)
  end
  sample_rows.clear(self.conn, value)
  self.filled = {}
  self:run(step, true)
  return self.trace.revision, f
end

local function caught(fn, ...)
  local result = table.pack(pcall(fn, ...))
  if result[1] then
    return nil, table.unpack(result, 2, result.n)
  elseif not fault.is(result[2]) or result[2].kind == "interrupted" then
    error(result[2], 0)
  end
  return result[2]
end

local function can_go_back(rev)
  return not rev.irreversible and (rev.downgrade or rev.change) and true or false
end

---@class luamig.Measured
---@field rev luamig.Revision
---@field up? table      luamig.trace's revision of the upgrade
---@field down? table    of the downgrade
---@field before? table  snapshots
---@field after? table
---@field back? table    after the downgrade
---@field is_restored? boolean  before and back are alike
---@field brought_back table<string, true>  "app.users", "app.users.email": tables and columns that
---  upgrade() dropped, and to which downgrade() has brought rows or values
---@field on_rows? table      the fault of an upgrade that ran only on empty tables
---@field failure? table      the fault of an upgrade that did not run at all
---@field down_failure? table the fault of the downgrade
---@field again_failure? table of the upgrade behind the downgrade

-- Whether a table holds rows, or a column values that differ.
local function has_values(self, relation, column)
  local owner = quote.ident(relation.schema) .. "." .. quote.ident(relation.name)
  local sql = column
    and ("SELECT pg_catalog.count(DISTINCT %s::pg_catalog.text) > 1 AS has FROM %s"):format(
      quote.ident(column), owner)
    or ("SELECT EXISTS (SELECT FROM %s) AS has"):format(owner)
  local ok, rows = pcall(self.conn.exec, self.conn, sql)
  return ok and rows[1].has
end

-- Looks for what the upgrade dropped in what the downgrade has left.
local function find_brought_back(self, measured)
  local found = measured.brought_back
  for _, entry in ipairs(measured.up.entries) do
    for _, relation in ipairs(entry.dropped) do
      local name = relation.schema .. "." .. relation.name
      found[name] = not relation.table and has_values(self, relation) or nil
    end
    for _, item in ipairs(entry.columns) do
      if item.what == "dropped" then
        local name = ("%s.%s.%s"):format(item.relation.schema, item.relation.name, item.name)
        found[name] = has_values(self, item.relation, item.name) or nil
      end
    end
  end
end

local function measure_down(self, up, rows_before, measured)
  script.check(up.rev, "downgrade")
  self:fill(measured.after)
  measured.down = run_traced(self, Rig.step_down(up, rows_before), measured.after)
  measured.back = read(self)
  find_brought_back(self, measured)
end

---Runs a revision there, back and there again, and says what it did.
---@param id string
---@param options? { downgrade?: boolean }  false: only the upgrade
---@return luamig.Measured
function Rig:measure(id, options)
  local rev = self.by_id[id]
  local measured = { rev = rev, before = self.now or read(self), brought_back = {} }
  self.now = nil
  self:fill(measured.before)
  local up, rows_before = self:step_up(id), self.migration.state.rows
  measured.failure, measured.up, measured.on_rows = caught(run_traced, self, up, measured.before)
  if measured.failure then
    return measured
  end
  measured.after = read(self)
  if (not options or options.downgrade ~= false) and can_go_back(rev) then
    measured.down_failure = caught(measure_down, self, up, rows_before, measured)
    -- Traced too: so the trace goes on knowing the catalogs, and need not read them all again.
    measured.again_failure = not measured.down_failure
      and caught(self.run, self, self:step_up(id), true) or nil
  end
  forget_filled(self, measured)
  measured.is_restored = not measured.back or snapshot.equal(measured.before, measured.back)
  self.now = measured.is_restored and measured.after or nil -- done again, it is the same
  return measured
end

return rig
