--- States of a database that a word names: a URL is looked at as it is; schema.lua, schema.sql and
-- a revision are built in a scratch database, so that PostgreSQL itself says what they mean.

local conn = require("luamig.core.conn")
local digest = require("luamig.core.digest")
local fault = require("luamig.fault")
local migration = require("luamig.migration")
local quote = require("luamig.quote")
local revision = require("luamig.revision")
local runner = require("luamig.runner")
local schema_file = require("luamig.schema_file")
local snapshot = require("luamig.snapshot")
local version_state = require("luamig.state")

local desired = {}

---@class luamig.State
---@field value table      of luamig.snapshot
---@field renames table[]  { table = "users", to = … } what renamed_from said; see schema_file.lua
---@field label string     as users should see it, without a password
---@field builder? string  the role that built it; what it owns says nothing of owners
---@field extensions? table  of luamig.diff.Options, when it has any extension
---@field role? string     who is connected to a database that is looked at as it is

---What CREATE EXTENSION chooses by itself; asked only when there is an extension to make.
---@param wanted table     of luamig.snapshot
---@param current? table   of luamig.snapshot: what is there need not be made
---@return table<string, table>|nil  see luamig.diff.Options
function desired.available_extensions(connection, wanted, current)
  for identity, object in pairs(wanted.objects) do
    if object.kind == "extension" and not (current and current.objects[identity]) then
      local out = {}
      for _, row in ipairs(connection:exec([[
        SELECT name::pg_catalog.text AS name, default_version AS version, comment
          FROM pg_catalog.pg_available_extensions]])) do
        out[row.name] = row
      end
      return out
    end
  end
  return nil
end

local function quiet(report)
  return setmetatable({
    info = function(line)
      report.debug(1, line)
    end,
  }, { __index = report })
end

---Reads the catalogs of a database, as the project wants them seen.
---@param connection userdata
---@param cfg luamig.Config
---@return table value  of luamig.snapshot
function desired.read(connection, cfg)
  local include = cfg.include or {}
  return snapshot.read(connection, {
    ignore = version_state.own_tables(cfg), schemas = include.schemas, include = include.object,
  })
end

-- What luamig.migration expects of a session.
local function session_of(ctx, cfg, graph, by_id, url)
  return {
    options = { x = ctx.options.x, url = url },
    report = quiet(ctx.report),
    closing = {},
    config = function()
      return cfg
    end,
    graph = function()
      return graph, by_id
    end,
    connect = function(self)
      self.connection = conn.open({ url = url, application_name = "luamig scratch" })
      return self.connection
    end,
  }
end

-- The state of a database that is dropped anyway is no help to anybody.
local function told(f, is_schema)
  if fault.is(f) then
    f.is_partial, f.try, f.applied = nil, nil, nil
    f.state = "nothing changed; it was tried in a scratch database"
    if is_schema then
      f.revision, f.direction = nil, nil
    end
  end
  error(f, 0)
end

-- Runs steps in a scratch database by the runner of `upgrade`, and reads what they made.
local function build(ctx, options, database, graph, by_id, steps, tie)
  local base = options.cfg
  local cfg = setmetatable({
    hooks = {}, protected = false, search_path = base.search_path or options.search_path,
  }, { __index = base })
  local session = session_of(ctx, cfg, graph, by_id, database.url)
  local close <close> = setmetatable({}, { -- luacheck: no unused
    __close = function()
      if session.connection then
        session.connection:close()
      end
    end,
  })
  local self = migration.open(session, "luamig")
  if #steps > 0 then
    local run = runner.new({ migration = self, steps = steps, direction = "upgrade" })
    if tie then
      tie(run)
    end
    run:run()
  end
  local value = desired.read(self.conn, base)
  return {
    value = value, builder = cfg.role or self.conn:info().user,
    extensions = desired.available_extensions(self.conn, value),
  }
end

local function step_of(rev, planned)
  return {
    id = rev.id, rev = rev, direction = "upgrade",
    remove = planned.remove, add = planned.add, rows = planned.rows,
  }
end

-- A file that declares a schema is run like the only revision of a project.
local function pseudo_revision(cfg, path, file)
  local text = schema_file.read(path, file)
  return {
    id = "schema", file = file, path = path, text = text, doc = "", project = cfg,
    sha256 = digest.sha256(text), down = {}, depends_on = {}, labels = {}, transactional = true,
  }
end

local function of_file(ctx, options, path)
  local file = revision.shown_path(path)
  local rev = pseudo_revision(options.cfg, path, file)
  local renames
  rev.upgrade, renames = schema_file.runner(rev, options.cfg, ctx.report)
  local graph = require("luamig.core.graph").new({ rev })
  local step = step_of(rev, graph:upgrade({}, "schema")[1])
  local function tie(run)
    local make = run.executor
    run.executor = function(...)
      local executor = make(...)
      executor.on_record = renames.on_record
      return executor
    end
  end
  local database = options.place():create()
  local ok, state = pcall(build, ctx, options, database, graph, { schema = rev }, { step }, tie)
  if not ok then
    told(state, true)
  end
  state.label, state.renames = file, renames.list
  return state
end

local function of_revision(ctx, options, word)
  local graph, by_id = ctx:graph()
  local ids = graph:resolve(word, { direction = "read" })
  local steps, rows = {}, {}
  for _, id in ipairs(ids) do
    for _, planned in ipairs(graph:upgrade(rows, id)) do
      steps[#steps + 1] = step_of(by_id[planned.id], planned)
      rows = planned.rows
    end
  end
  local database = options.place():create()
  local ok, state = pcall(build, ctx, options, database, graph, by_id, steps)
  if not ok then
    told(state, false)
  end
  state.label = "revision " .. (ids[1] and table.concat(ids, ", ") or "<base>")
  state.renames = {}
  return state
end

local function of_url(ctx, options, url)
  local config, label = require("luamig.config"), nil
  if url == "embedded" then
    url, label = require("luamig.database").embedded(ctx):url(), "the embedded database"
  end
  local connection <close> = conn.open({
    url = config.url(nil, { url = url }), application_name = "luamig",
  })
  local value = desired.read(connection, options.cfg)
  return {
    value = value, renames = {}, label = label or config.redacted(url),
    role = connection:info().user,
    extensions = desired.available_extensions(connection, value),
  }
end

local function is_url(word)
  return word == "embedded" or word:find("^%a[%w+.-]*://") ~= nil
    or word:find("^%a[%w_]*%s*=") ~= nil
end

---Whether a word names something that needs a scratch database.
---@return boolean
function desired.is_built(word)
  return not is_url(word)
end

---Whether a word names a file that declares a schema.
---@return boolean
function desired.is_file(word)
  return not is_url(word) and (word:find("%.lua$") ~= nil or word:find("%.sql$") ~= nil)
end

---@class luamig.desired.Options
---@field cfg luamig.Config
---@field place fun(): table     of luamig.scratch, opened when it is needed
---@field search_path? string    where unqualified names go to in scratch databases

---The state that a word names. Raises: usage, config, script, server, connection, graph …
---@param ctx luamig.Session
---@param word string  URL, .lua or .sql file, or revision
---@param options luamig.desired.Options
---@return luamig.State
function desired.of(ctx, word, options)
  if is_url(word) then
    return of_url(ctx, options, word)
  elseif desired.is_file(word) then
    return of_file(ctx, options, require("luamig.files").absolute(word))
  end
  return of_revision(ctx, options, word)
end

-- "default privileges of alice on tables", said of somebody else.
local function renamed_defaults(objects, from, to)
  local prefix = "default privileges of " .. quote.ident(from) .. " "
  local out = {}
  for identity, object in pairs(objects) do
    if identity:sub(1, #prefix) == prefix then
      object.role = to
      identity = "default privileges of " .. quote.ident(to) .. " "
        .. identity:sub(#prefix + 1)
    end
    out[identity] = object
  end
  return out
end

---Forgets what a built state says only because somebody had to build it: the owner of what nobody
---gave an owner, and whose default privileges are set.
---@param state luamig.State
---@param role string|nil  who works on the other database
function desired.forget_builder(state, role)
  local builder = state.builder
  if not builder then
    return
  end
  for _, object in pairs(state.value.objects) do
    if object.owner == builder then
      object.owner = nil
    end
  end
  if role and role ~= builder then
    state.value.objects = renamed_defaults(state.value.objects, builder, role)
  end
end

return desired
