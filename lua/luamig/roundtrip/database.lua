--- A scratch database, and the project's revisions run on it: by the runner and the executor of
-- `upgrade` and `downgrade`, version rows and history included, without hooks and questions.

local backfills = require("luamig.roundtrip.backfills")
local fault = require("luamig.fault")
local migration = require("luamig.migration")
local revision = require("luamig.revision")
local runner = require("luamig.runner")
local script = require("luamig.script")
local snapshot = require("luamig.snapshot")
local state = require("luamig.state")
local wire = require("luamig.wire")

local database = {}

local Database = {}
Database.__index = Database

-- What the runner says of every step is said otherwise here; warnings of the server stay.
local function quiet(report)
  local told = {}
  return setmetatable({
    info = function(line)
      report.debug(1, line)
    end,
    warn = function(line)
      if not told[line] then
        told[line] = true
        report.warn(line)
      end
    end,
  }, { __index = report })
end

---The project as it is run here.
---@param ctx table  luamig.session
---@return table project  { cfg, graph, by_id, x, report, has_backfills }
function database.project(ctx)
  local graph, by_id = ctx:graph()
  return {
    cfg = setmetatable({ hooks = {}, protected = false }, { __index = ctx:config() }),
    graph = graph,
    by_id = by_id,
    x = ctx.options.x,
    report = quiet(ctx.report),
    has_backfills = backfills.are_used(by_id),
  }
end

-- The user's hooks are off. luamig's own one stops the pipeline, so it is there when it is needed.
local function config_of(self)
  local project = self.project
  if not project.has_backfills then
    return project.cfg
  end
  return setmetatable({ hooks = {
    after_revision = function()
      backfills.finish(project.cfg, self.scratch.url)
    end,
  } }, { __index = project.cfg })
end

---@param options { place: table, project: table }
---@return table  it has no database yet
function database.new(options)
  return setmetatable({
    place = options.place,
    project = options.project,
    ignored = state.own_tables(options.project.cfg),
    rows = {},    -- version rows
    applied = {}, -- ids, in the order they were applied
  }, Database)
end

-- What luamig.migration expects of a session.
local function session_of(self)
  local project, cfg = self.project, config_of(self)
  return {
    options = { x = project.x, url = self.scratch.url },
    report = project.report,
    closing = {},
    does_backfills = true,
    config = function()
      return cfg
    end,
    graph = function()
      return project.graph, project.by_id
    end,
    connect = function(ctx)
      return require("luamig.database").connect(ctx)
    end,
  }
end

---Connects to the database.
function Database:connect()
  self.migration = migration.open(session_of(self), "luamig test-roundtrip")
  self.conn = self.migration.conn
end

---Makes an empty database, in which luamig's own tables are, and connects to it.
function Database:create()
  self.scratch = self.place:create()
  self.rows, self.applied = {}, {}
  self:connect()
  local queue = wire.new(self.conn)
  self.migration.state:queue_missing(queue)
  queue:sync()
end

---Becomes a copy of another one, which must be disconnected; stays so itself.
---@param other table
function Database:clone(other)
  self.scratch = self.place:clone(other.scratch)
  self.rows = other.rows
  self.applied = table.move(other.applied, 1, #other.applied, 1, {})
end

---Becomes a copy of another one, which must be disconnected, and connects to it.
---@param other table
function Database:copy(other)
  self:clone(other)
  self:connect()
end

function Database:disconnect()
  if self.conn then
    self.conn:close()
    self.conn, self.migration = nil, nil
  end
end

---Lets go of a database that went with its server.
function Database:forget()
  self:disconnect()
  self.scratch = nil
end

---Ends the database.
function Database:drop()
  self:disconnect()
  if self.scratch then
    self.place:drop(self.scratch)
    self.scratch = nil
  end
end

-- Whatever fails here is left to the place, which drops everything in the end.
Database.__close = function(self)
  pcall(self.drop, self)
end

-- Compiled anew: a command compiles a file for one run, and what it keeps in locals ends with that.
local function fresh(rev)
  local copy = revision.parse(rev.text, rev.file, rev.project)
  copy.path = rev.path
  return copy
end

---A revision with nothing left in it of earlier runs.
---@return luamig.Revision
function Database:fresh(id)
  return fresh(self.project.by_id[id])
end

local function step_of(self, direction, planned)
  return {
    id = planned.id,
    rev = fresh(self.project.by_id[planned.id]),
    direction = direction,
    remove = planned.remove,
    add = planned.add,
    rows = planned.rows,
  }
end

---The step that applies a revision now.
---@return luamig.Step|nil step, string|nil missing  a revision that has to be applied first
function Database:up(id)
  local steps = self.project.graph:upgrade(self.rows, id)
  if steps[1].id ~= id then
    return nil, steps[1].id
  end
  return step_of(self, "upgrade", steps[1])
end

---The step that undoes the revision that was applied last.
---@return luamig.Step
function Database:down(id)
  return self:steps({ { id, "downgrade" } })[1]
end

local function planned(graph, rows, id, direction)
  if direction == "upgrade" then
    return graph:upgrade(rows, id)[1]
  end
  return graph:downgrade(rows, id .. "-1")[1]
end

---Steps in a row, each of which is possible behind the one before.
---@param moves { [1]: string, [2]: "upgrade"|"downgrade" }[]  ids; what is undone was applied last
---@return luamig.Step[]
function Database:steps(moves)
  local steps, rows = {}, self.rows
  for i, move in ipairs(moves) do
    local id, direction = move[1], move[2]
    local one = planned(self.project.graph, rows, id, direction)
    assert(one.id == id, "a move that the graph does not make")
    steps[i] = step_of(self, direction, one)
    rows = one.rows
  end
  return steps
end

---Stops, like the command, before a downgrade that cannot be. Raises: refused, script.
function database.check(step)
  script.check(step.rev, step.direction)
end

local UNDEFINED_OBJECT <const> = "42704"

-- What is true of a database that goes on living is no help here.
local function stripped(self, f)
  f.is_partial_here = f.is_partial
  f.is_partial, f.state, f.try, f.applied = nil, nil, nil, nil
  local role = f.sqlstate == UNDEFINED_OBJECT and self.place:is_throwaway()
    and f.message:match('^role "(.-)" does not exist$')
  if role then
    fault.complete(f, {
      hint = ("a throwaway server has no role but postgres; --role %s makes one"):format(role),
    })
  end
  return f
end

local function note_step(self, step)
  self.rows = step.rows
  if step.direction == "upgrade" then
    self.applied[#self.applied + 1] = step.id
    return
  end
  for i = #self.applied, 1, -1 do
    if self.applied[i] == step.id then
      table.remove(self.applied, i)
      return
    end
  end
end

-- Steps of a group are no command: each is a transaction, also with transaction = "all".
local function each_alone(migration_of_all)
  return setmetatable({
    cfg = setmetatable({ transaction = "revision" }, { __index = migration_of_all.cfg }),
  }, { __index = migration_of_all })
end

local temporary_sql = [[
  SELECT FROM pg_catalog.pg_class c
   WHERE c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema() LIMIT 1]]

---Forgets what a script may have left in the session and a command of its own would not find:
---temporary tables. Only when there are some, for DISCARD makes the server plan everything anew.
function Database:forget_session()
  if self.conn:exec(temporary_sql)[1] then
    self.conn:exec("DISCARD TEMP")
  end
end

---Runs steps. Raises: interrupted; what luamig itself did wrong.
---@param steps luamig.Step[]
---@param options? { each?: boolean }  each: a transaction each, whatever the config says
---@return table|nil fault  of the step that failed; `is_partial_here`: it left something behind
function Database:run(steps, options)
  if #steps == 0 then
    return nil
  end
  self.migration.state.rows = self.rows
  local run = runner.new({
    migration = options and options.each and each_alone(self.migration) or self.migration,
    steps = steps,
    direction = steps[1].direction,
  })
  local ok, f = pcall(run.run, run)
  for i = 1, run.done do
    note_step(self, steps[i])
  end
  if ok then
    return nil
  elseif not fault.is(f) then
    error(f, 0)
  end
  stripped(self, f)
  f.is_partial_here = f.is_partial_here or run.done == #steps -- it failed behind the last one
  if f.kind == "interrupted" or f.kind == "memory" then
    error(f, 0)
  end
  return f
end

---The version rows as the database has them, sorted.
---@return string[]
function Database:stored_rows()
  local out = {}
  for i, row in ipairs(self.conn:exec(self.migration.state.sql.rows)) do
    out[i] = row.version_num
  end
  table.sort(out)
  return out
end

---Puts the version rows where they were before a step that changed nothing else.
---@param step luamig.Step
function Database:take_back(step)
  local types = require("luamig.types")
  self.conn:exec(self.migration.state.sql.move,
    { types.text(step.add, "text[]"), types.text(step.remove, "text[]") })
end

---The catalogs, luamig's own tables left out.
---@return table value  of luamig.snapshot
function Database:snapshot()
  return snapshot.read(self.conn, { ignore = self.ignored, prepare = true })
end

---After rows were put into the tables: does to them what backfills have done to those before.
function Database:settle_rows()
  if self.project.has_backfills then
    backfills.sweep(self.project.cfg, self.scratch.url)
  end
end

---@return boolean
function Database:is_alive()
  return self.conn ~= nil and self.conn:alive()
end

return database
