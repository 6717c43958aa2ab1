--- The database at hand and the schema that the project declares as its target: how far they are
-- apart.

local comparison = require("luamig.comparison")
local desired = require("luamig.desired")
local fault = require("luamig.fault")
local revision = require("luamig.revision")
local runner = require("luamig.runner")
local scratch = require("luamig.scratch")

local drift = {}

---A target as users should see it.
---@param target string  of the config
---@return string
function drift.shown(target)
  return desired.is_built(target) and revision.shown_path(target)
    or require("luamig.config").redacted(target)
end

-- Where names without a schema go to, with the path that scripts run under.
local function place_of_names(connection, path)
  connection:exec("BEGIN READ ONLY")
  connection:exec("SELECT pg_catalog.set_config('search_path', $1, true)", { path })
  local row = connection:exec("SELECT pg_catalog.current_schema()::pg_catalog.text AS name")[1]
  connection:exec("ROLLBACK")
  return row.name
end

local function open_place(ctx, is_throwaway)
  ctx.scratch_place = scratch.open({
    report = ctx.report,
    like = ctx:connect(),
    like_url = require("luamig.database").url(ctx),
    role = not is_throwaway and ctx:config().role or nil,
    is_throwaway = is_throwaway,
  })
  ctx.closing[#ctx.closing + 1] = ctx.scratch_place
end

---A place for scratch databases beside the database at hand; opened once, closed with the session.
---@param ctx luamig.Session
---@return fun(): table
function drift.place(ctx)
  return function()
    if not ctx.scratch_place then
      open_place(ctx)
    end
    return ctx.scratch_place
  end
end

-- A project that begins from a database that is there has no file yet.
local function check_file(cfg)
  local target = cfg.target
  if desired.is_file(target) and not require("luamig.files").read(target) then
    fault.raise({
      kind = "config", file = cfg.file,
      message = ("there is no file '%s'"):format(drift.shown(target)),
      detail = "the key `target` names it: the schema as it shall be",
      try = ("write it; a draft from a database: luamig diff base URL --ops > %s"):format(
        drift.shown(target)),
    })
  end
end

local NO_PERMISSION <const> = "42501"

-- A role that may make databases may still not make every extension; on a throwaway server it is
-- the superuser.
local function build_target(ctx, options)
  local target = ctx:config().target
  check_file(ctx:config())
  local ok, result = pcall(desired.of, ctx, target, options)
  if ok then
    return result
  end
  local is_forbidden = fault.is(result) and result.sqlstate == NO_PERMISSION
    and ctx.scratch_place and not ctx.scratch_place:is_throwaway()
  if not is_forbidden then
    error(result, 0)
  end
  ctx.report.info(("%s cannot be built on this server: %s"):format(drift.shown(target),
    result.message))
  open_place(ctx, true)
  options.cfg = setmetatable({ role = false }, { __index = options.cfg })
  return desired.of(ctx, target, options)
end

---@class luamig.Drift
---@field target string     as users should see it
---@field current table     snapshot of the database
---@field wanted luamig.State
---@field options luamig.diff.Options  that compare the two
---@field place fun(): table  for scratch databases

---Reads the database at hand and builds the target. Raises whatever desired.of does.
---@param self table  of luamig.migration
---@return luamig.Drift
function drift.read(self)
  local ctx, cfg = self.ctx, self.cfg
  local settings = runner.settings(cfg, self.state)
  local options = {
    cfg = cfg, place = drift.place(ctx), search_path = settings.search_path,
  }
  local wanted = build_target(ctx, options)
  local role = cfg.role or self.conn:info().user
  desired.forget_builder(wanted, role)
  return {
    target = drift.shown(cfg.target),
    current = desired.read(self.conn, cfg),
    wanted = wanted,
    place = options.place,
    options = {
      role = role,
      plain_schema = place_of_names(self.conn, settings.search_path),
      server_version = self.conn:info().server_version,
      naming = cfg.naming,
      column_order = false,
    },
  }
end

---The database at hand and the target, compared. The project must have a target.
---Raises whatever building a state raises.
---@param self table  of luamig.migration
---@return table comparison  of luamig.comparison
---@return string target     as users should see it
function drift.compare(self)
  local read = drift.read(self)
  read.options.available_extensions =
    desired.available_extensions(self.conn, read.wanted.value, read.current)
  return comparison.new(read.current, read.wanted, read.options, read.place), read.target
end

---@param result luamig.diff.Result
---@return boolean
function drift.is_none(result)
  return #result.changes == 0 and #result.unsupported == 0
end

return drift
