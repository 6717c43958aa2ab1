local backfill = {
  name = "backfill",
  summary = "Runs, watches and steers batched data migrations.",
}

local fault = require("luamig.fault")

local FAILED <const> = 1

local actions = {}

local function duration(text)
  local ms = require("luamig.duration").milliseconds(text)
  if not ms or ms == 0 then
    return nil, ("'%s' is no duration; write 30s, 30m or 2h"):format(text)
  end
  return ms
end

local function count(text)
  local number = math.tointeger(tonumber(text))
  if not number or number < 0 then
    return nil, ("'%s' is no number of rows"):format(text)
  end
  return number
end

local function positive(text)
  local number = count(text)
  if not number or number == 0 then
    return nil, ("'%s' is no number of rows to look at"):format(text)
  end
  return number
end

function backfill.setup(parser)
  parser:argument("action", "list, plan, run, status, pause, resume, cancel, tune, errors, retry, "
    .. "verify or finalize"):choices({ "list", "plan", "run", "status", "pause", "resume",
    "cancel", "tune", "errors", "retry", "verify", "finalize" })
  parser:argument("name", "of the backfill; run and status take all without it"):args("?")
    :argname("NAME")
  parser:argument("settings", "for tune: batch_rows=, target_ms=, pause_ms=, workers=, lease=, "
    .. "quarantine=, vacuum_every=, replication_lag=, wal_rate=, waiters=, autovacuum=, window=, "
    .. "when="):args("*"):argname("KEY=VALUE")
  parser:option("--workers", "run: connections of this process"):argname("COUNT"):convert(count)
  parser:option("--for", "run: end after so long"):argname("DURATION"):convert(duration)
    :target("for_ms")
  parser:flag("--watch", "status: stay and follow it")
  parser:flag("--prometheus", "status: in the text format of Prometheus")
  parser:option("--limit", "errors: at most so many"):argname("COUNT"):convert(count)
    :default("100")
  parser:option("--sample", "verify: compute so many rows at random again, and compare")
    :argname("COUNT"):convert(positive)
  parser:option("--max-remaining", "finalize: so many rows may still match `remaining`")
    :argname("COUNT"):convert(count):default("0"):target("max_remaining")
end

local function usage(message)
  fault.raise({ kind = "usage", message = message, try = "luamig backfill --help" })
end

local function needs_name(ctx)
  local action = ctx.options.action
  if not ctx.options.name and action ~= "list" and action ~= "run" and action ~= "status" then
    usage(("backfill %s needs the NAME of a backfill"):format(action))
  elseif action == "tune" and #ctx.options.settings == 0 then
    usage("backfill tune needs KEY=VALUE")
  elseif action ~= "tune" and #ctx.options.settings > 0 then
    usage(("backfill %s takes one NAME"):format(action))
  end
end

local function print_one(ctx, progress)
  local view = require("luamig.backfill.view")
  if ctx.options.json then
    ctx.report.json(view.json(progress))
  else
    ctx.report.lines(view.block(progress))
  end
end

local function control()
  return require("luamig.backfill.control")
end

function actions.list(ctx, st)
  local view = require("luamig.backfill.view")
  local list = control().list(st)
  if ctx.options.json then
    local out = {}
    for i, progress in ipairs(list) do
      out[i] = view.json(progress)
    end
    ctx.report.json(out)
    return 0
  end
  local width = 0
  for _, progress in ipairs(list) do
    width = math.max(width, #progress.name)
  end
  for _, progress in ipairs(list) do
    ctx.report.out(view.list_line(progress, width))
  end
  if #list == 0 then
    ctx.report.say("no backfill is registered")
  end
end

function actions.plan(ctx, st, place)
  local report = require("luamig.backfill.trial").run(st, st:get(ctx.options.name), place)
  if ctx.options.json then
    ctx.report.json(report)
  else
    ctx.report.lines(require("luamig.backfill.view").plan(report))
  end
  return report.problems and #report.problems > 0 and FAILED or 0
end

local function follow()
  return require("luamig.backfill.follow")
end

function actions.run(ctx, st, place)
  return follow().run(ctx, st, place)
end

local function status_all(ctx, st)
  local list = control().list(st)
  if ctx.options.prometheus then
    ctx.report.lines(require("luamig.backfill.metrics").lines(list))
    return 0
  end
  return actions.list(ctx, st)
end

function actions.status(ctx, st)
  local name = ctx.options.name
  if not name then
    return status_all(ctx, st)
  elseif ctx.options.watch then
    return follow().watch(ctx, st, name, print_one)
  elseif ctx.options.prometheus then
    ctx.report.lines(require("luamig.backfill.metrics").lines({ control().status(st, name) }))
    return 0
  end
  print_one(ctx, control().status(st, name))
end

for _, action in ipairs({ "pause", "resume", "cancel" }) do
  actions[action] = function(ctx, st)
    control()[action](st, ctx.options.name)
    print_one(ctx, control().status(st, ctx.options.name))
  end
end

function actions.tune(ctx, st)
  local changes = {}
  for _, pair in ipairs(ctx.options.settings) do
    local key, text = pair:match("^([%w_]+)=(.+)$")
    if not key then
      usage(("'%s' is no KEY=VALUE"):format(pair))
    end
    changes[key] = text
  end
  control().tune(st, ctx.options.name, changes)
  print_one(ctx, control().status(st, ctx.options.name))
end

function actions.errors(ctx, st)
  local rows = control().errors(st, ctx.options.name, ctx.options.limit)
  if ctx.options.json then
    local out = {}
    for i, row in ipairs(rows) do
      out[i] = row
    end
    ctx.report.json(out)
    return 0
  end
  for _, row in ipairs(rows) do
    local code = row.sqlstate and (" (%s)"):format(row.sqlstate) or ""
    ctx.report.out(("%s  %s  %s%s"):format(row.relation:gsub("^ONLY ", ""),
      table.concat(row.key, ","), row.message, code))
  end
  if #rows == 0 then
    ctx.report.say("no row was put aside")
  end
end

function actions.retry(ctx, st)
  control().retry(st, ctx.options.name)
  print_one(ctx, control().status(st, ctx.options.name))
  ctx.report.say(("what failed is open again; go on with: luamig backfill run %s")
    :format(ctx.options.name))
end

-- Rows that are left over; nil when nothing could tell of them, and rows are sampled instead.
local function left_over(ctx, st, place, row)
  local proof = require("luamig.backfill.proof")
  local remaining = proof.remaining(st, row, place)
  if not remaining and not ctx.options.sample then
    fault.raise({
      kind = "usage",
      message = ("the backfill '%s' has no `remaining`, by which rows left over could be told")
        :format(row.name),
      try = ("luamig backfill verify %s --sample 1000"):format(row.name),
    })
  end
  return remaining, (remaining or 0) > 0 and proof.samples(st, row, place) or {}
end

function actions.verify(ctx, st, place)
  local row = st:get(ctx.options.name)
  local result = { name = row.name, kind = row.kind }
  result.remaining, result.keys = left_over(ctx, st, place, row)
  if ctx.options.sample then
    result.sample = require("luamig.backfill.spotcheck").run(st, row, place, ctx.options.sample)
  end
  if ctx.options.json then
    ctx.report.json(result)
  else
    ctx.report.lines(require("luamig.backfill.view").verdict(result))
  end
  local is_right = (result.remaining or 0) == 0
    and (not result.sample or result.sample.differ + (result.sample.rejected or 0) == 0)
  return is_right and 0 or FAILED
end

function actions.finalize(ctx, st, place)
  place.on_progress = follow().teller(ctx)
  require("luamig.backfill").finalize(place, ctx.options.name,
    { max_remaining = ctx.options.max_remaining })
  print_one(ctx, control().status(st, ctx.options.name))
end

function backfill.run(ctx)
  needs_name(ctx)
  local url = require("luamig.database").url(ctx)
  local place = require("luamig.backfill.place").of(ctx:config(), url)
  local st <close> = require("luamig.backfill.state").open(place, ctx.options.name or "backfill")
  return actions[ctx.options.action](ctx, st, place)
end

return backfill
