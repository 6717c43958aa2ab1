--- What `upgrade` and `downgrade` do, from the plan to the last word.

local confirm = require("luamig.confirm")
local fault = require("luamig.fault")
local hooks = require("luamig.hooks")
local migration = require("luamig.migration")
local runner = require("luamig.runner")
local script = require("luamig.script")

local migrate = {}

local function rows_text(rows)
  return #rows > 0 and table.concat(rows, ", ") or "<base>"
end

local function check_scripts(steps, direction)
  for _, step in ipairs(steps) do
    local ok, f = pcall(script.check, step.rev, direction)
    if not ok then
      if fault.is(f) then
        fault.complete(f, { state = "nothing changed", direction = direction })
      end
      error(f, 0)
    end
  end
end

local function ask(self, steps, settings)
  local ctx, cfg = self.ctx, self.cfg
  local database = self.conn:info().database
  if cfg.protected then
    confirm.ask(ctx, ("environment '%s' is protected: %d revision%s will be %s"):format(
      cfg.environment, #steps, #steps == 1 and "" or "s",
      steps[1].direction == "upgrade" and "applied" or "undone"), database, self.command)
  elseif steps[1].direction == "downgrade" and not ctx.options.yes then
    local losses = confirm.losses(self, steps, settings)
    if #losses > 0 then
      confirm.ask(ctx, "the downgrade drops rows: " .. table.concat(losses, ", "), database,
        self.command)
    end
  end
end

local function as_json(self, steps, done)
  local list = {}
  for i = 1, done do
    list[i] = {
      revision = steps[i].id,
      direction = steps[i].direction,
      ms = steps[i].ms,
      doc = steps[i].rev.doc,
    }
  end
  local last = steps[done]
  return { applied = list, current = last and last.rows or self.state.rows,
    dry_run = self.ctx.options.dry_run or false }
end

local function nothing_to_do(self)
  if self.report.is_json() then
    self.report.json(as_json(self, {}, 0))
  else
    self.report.info("nothing to do: the database is at " .. rows_text(self.state.rows))
  end
  return 0
end

local function plan(self, direction, target)
  if direction == "downgrade" then
    self:adopt_stored()
  else
    self:check_rows()
  end
  local ok, steps = pcall(self.steps, self, direction, target)
  self:check_unfinished(ok and steps or {}, direction) -- a target may not exist before that is done
  if not ok then
    error(steps, 0)
  end
  check_scripts(steps, direction)
  return steps
end

-- Calls a function whose failure leaves the given state behind.
local function with_state(state, fn, ...)
  local result = table.pack(pcall(fn, ...))
  if result[1] then
    return table.unpack(result, 2, result.n)
  elseif fault.is(result[2]) then
    fault.complete(result[2], { state = state })
  end
  error(result[2], 0)
end

-- What fails before the first statement of a script has changed nothing, and says so.
local function untouched(fn, ...)
  return with_state("nothing changed", fn, ...)
end

local function tell_trace(self, trace, steps)
  local told = require("luamig.plan").of_trace(trace, steps, self.cfg,
    self.conn:info().server_version)
  if self.report.is_json() then
    self.report.json(told)
  else
    self.report.lines(require("luamig.plan.table").lines(told))
  end
end

local function run_steps(self, steps, direction)
  local settings = runner.settings(self.cfg, self.state)
  local is_dry = self.ctx.options.dry_run
  if not is_dry then
    if self.cfg.protected and direction == "upgrade" then
      require("luamig.lint.guard").check(self, steps)
    end
    ask(self, steps, settings)
  end
  if self.ctx.options.backup then
    require("luamig.backup").run(self.ctx, self.conn, self.ctx.options.backup)
  end
  local info = {
    direction = direction,
    environment = self.cfg.environment,
    dry_run = is_dry or false,
    revisions = {},
  }
  for i, step in ipairs(steps) do
    info.revisions[i] = step.id
  end
  untouched(hooks.run, self.cfg, "before_" .. direction, info)
  local trace = self.ctx.options.trace and require("luamig.trace").new(self.cfg)
  runner.new({ migration = self, steps = steps, direction = direction, is_dry = is_dry,
    trace = trace }):run()
  with_state(is_dry and "nothing changed" or ("all of it is done, the database is at "
    .. rows_text(steps[#steps].rows)), hooks.run, self.cfg, "after_" .. direction, info)
  if trace then
    tell_trace(self, trace, steps)
  elseif self.report.is_json() then
    self.report.json(as_json(self, steps, #steps))
  end
end

local function open(ctx, command)
  local ok, self = pcall(migration.open, ctx, command, { lock = true })
  if ok then
    return self
  end
  local f = self
  if fault.is(f) and f.kind == "connection" then
    fault.complete(f, { try = "run again: " .. command
      .. (require("luamig.database").is_passing(f) and " --wait 30s" or "") })
  end
  error(f, 0)
end

local function prepare(ctx, direction, target, command)
  local self = open(ctx, command)
  local steps = plan(self, direction, target)
  self:warn()
  return self, steps
end

---@param ctx table
---@param direction "upgrade"|"downgrade"
---@param target string
---@param command string  as it can be typed again
---@return integer
function migrate.run(ctx, direction, target, command)
  if ctx.options.trace and not ctx.options.dry_run then
    fault.raise({ kind = "usage", message = "--trace goes with --dry-run",
      try = command .. " --dry-run --trace" })
  end
  if ctx.options.sql then
    ctx:graph() -- its defects are told alike by all commands
    local text = with_state("nothing was printed", require("luamig.offline").script, ctx, direction,
      target, runner.step_text)
    ctx.report.raw(text)
    return 0
  elseif target:find(":", 1, true) then
    fault.raise({ kind = "usage", message = "a range FROM:TO goes with --sql",
      try = command .. " --sql" })
  end
  ctx:expect_connection()
  ctx:graph()
  local self, steps = untouched(prepare, ctx, direction, target, command)
  if #steps == 0 then
    return nothing_to_do(self)
  end
  run_steps(self, steps, direction)
  return 0
end

return migrate
