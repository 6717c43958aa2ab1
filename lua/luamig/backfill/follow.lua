--- Commands that stay while a backfill runs: they do the work or watch others, and tell of it.

local backfill = require("luamig.backfill")
local clock = require("luamig.core.clock")
local control = require("luamig.backfill.control")
local observe = require("luamig.backfill.observe")
local view = require("luamig.backfill.view")

local follow = {}

local WATCH_MS <const> = 1000
local LINE_EVERY_MS <const> = 10000

-- Exit statuses that scripts rely on: 0 done, 11 work is left, 1 failed.
local WORK_LEFT <const> = 11
local FAILED <const> = 1

local function line_of(progress, rate)
  return progress.name .. ": " .. observe.line(progress, rate):gsub("^ +", "")
end

---Tells of progress: a line drawn over itself on a terminal, a line every ten seconds elsewhere.
---@return fun(progress: table)
function follow.teller(ctx)
  local before, told
  return function(progress)
    local now = { rows = progress.rows, ms = clock.now_ms() }
    local rate = observe.rate(before, now) or observe.rate_of_batches(progress)
    before = now
    if ctx.report.is_live() then
      ctx.report.live(line_of(progress, rate))
    elseif not told or now.ms - told >= LINE_EVERY_MS then
      told = now.ms
      ctx.report.info(line_of(progress, rate))
    end
  end
end

-- The revision as the project has it now, when there is a project and the revision is in it.
local function revision_script(ctx, row)
  local ok, _, by_id = pcall(ctx.graph, ctx)
  local rev = ok and row.revision and by_id[row.revision]
  if not rev then
    return nil
  end
  local cfg = ctx:config()
  return {
    text = rev.text,
    file = rev.file,
    direction = row.direction,
    path = cfg.path,
    context = { revision = row.revision, direction = row.direction, environment = cfg.environment,
      x = ctx.options.x or {} },
  }
end

local function run_one(ctx, st, place, name, end_ms)
  place.on_progress = follow.teller(ctx)
  local ended, progress = backfill.run(place, name, {
    workers = ctx.options.workers,
    for_ms = end_ms and math.max(1, end_ms - clock.now_ms()) or nil,
    script = revision_script(ctx, st:get(name)),
  })
  local tell = ended == "failed" and ctx.report.warn or ctx.report.info
  tell(line_of(progress))
  if ended == "paused" then
    ctx.report.info(("luamig backfill resume %s lets it go on"):format(name))
  end
  return ended, progress
end

local function names_to_run(ctx, st)
  if ctx.options.name then
    return { st:get(ctx.options.name).name }
  end
  local names = {}
  for _, progress in ipairs(control.list(st)) do
    if progress.outcome == "" and progress.desired_state ~= "cancelled" then
      names[#names + 1] = progress.name
    end
  end
  return names
end

local function exit_status(ended, before)
  if ended == "failed" or before == FAILED then
    return FAILED
  end
  return ended == "done" and before or WORK_LEFT
end

local function print_end(ctx, list)
  if ctx.options.json then
    ctx.report.json(ctx.options.name and list[1] or list)
  elseif #list == 0 then
    ctx.report.say("nothing to do: no backfill is unfinished")
  end
end

---`backfill run`: one backfill, or all that are not finished, one after the other.
---@return integer  exit status
function follow.run(ctx, st, place)
  local end_ms = ctx.options.for_ms and clock.now_ms() + ctx.options.for_ms
  local status, list = 0, {}
  for _, name in ipairs(names_to_run(ctx, st)) do
    if clock.interrupts() > 0 then
      break
    end
    local ended, progress = run_one(ctx, st, place, name, end_ms)
    status = exit_status(ended, status)
    list[#list + 1] = view.json(progress)
  end
  print_end(ctx, list)
  local count, signal = clock.interrupts()
  return count > 0 and 128 + signal or status
end

local function is_over(progress)
  return progress.outcome ~= "" or progress.desired_state == "cancelled"
end

---`backfill status --watch`: until it is over, or a signal comes.
---@param print_one fun(ctx: table, progress: table)
---@return integer  exit status
function follow.watch(ctx, st, name, print_one)
  local tell = follow.teller(ctx)
  local progress
  repeat
    progress = control.status(st, name)
    tell(progress)
  until is_over(progress) or not clock.sleep_ms(WATCH_MS)
  print_one(ctx, progress)
  return progress.outcome == "failed" and FAILED or 0
end

return follow
