--- The batched migrations of one step of a run: what the executor asks the engine for.

local backfill = require("luamig.backfill")
local follow = require("luamig.backfill.follow")
local observe = require("luamig.backfill.observe")
local place = require("luamig.backfill.place")

local revisions = {}

local Revisions = {}
Revisions.__index = Revisions

---@param migration table  of luamig.migration
---@param step luamig.Step
function revisions.new(migration, step)
  return setmetatable({ migration = migration, step = step }, Revisions)
end

function Revisions:place()
  local migration = self.migration
  local url = require("luamig.database").url(migration.ctx)
  local here = place.of(migration.cfg, url)
  here.on_progress = follow.teller(migration.ctx)
  return here
end

-- What scripts see as op.context and may be stored: other processes run the script with it.
local function plain_context(context)
  return {
    revision = context.revision,
    direction = context.direction,
    environment = context.environment,
    offline = false,
    server_version = context.server_version,
    x = next(context.x or {}) and context.x or nil,
  }
end

function Revisions:about(context, run)
  local rev = self.step.rev
  return {
    revision = rev.id,
    direction = self.step.direction,
    run = run,
    script = {
      text = rev.text,
      file = rev.file,
      direction = self.step.direction,
      path = self.migration.cfg.path,
      context = plain_context(context),
    },
  }
end

---Does a batched migration to its end.
---@param started string  names the application of the revision
function Revisions:run(spec, started, context)
  local report = self.migration.report
  local result = backfill.run_inline(self:place(), spec, self:about(context, started))
  -- A statement over ranges may make any number of rows of one.
  local form = spec.kind == "sql" and "%s: %s rows changed by %s of the table, in %s batches%s"
    or "%s: %s of %s rows changed in %s batches%s"
  report.info(form:format(spec.name, observe.count(result.changed), observe.count(result.rows),
    observe.count(result.batches),
    result.errors > 0 and (", %d put aside"):format(result.errors) or ""))
  if (result.remaining or 0) > 0 then
    report.warn(("%s: %s rows still match `remaining`"):format(spec.name,
      observe.count(result.remaining)))
  end
end

---Registers a backfill in the transaction of the revision.
---@param conn { exec: function }
function Revisions:register(conn, spec, context)
  local cfg = self.migration.cfg
  backfill.register(conn, spec, self:about(context), {
    state = { schema = cfg.version_schema, table = cfg.version_table },
    is_open = true,
  })
  self.migration.report.info(("%s: registered; do the work with: luamig backfill run %s"):format(
    spec.name, spec.name))
end

-- In a database that is thrown away nobody else would do the work.
local function does_it_now(ctx)
  return ctx.does_backfills or ctx.options.ephemeral
end

---Demands that a backfill is finished.
function Revisions:require_finished(args)
  backfill.require_finished(self:place(), {
    name = args.name,
    finish = args.finish or does_it_now(self.migration.ctx),
    max_remaining = args.max_remaining,
  })
end

return revisions
