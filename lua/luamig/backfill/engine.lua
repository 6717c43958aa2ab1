--- One run of this process's workers over what is open of a backfill: plans it when nobody has,
-- finds its functions, watches over the workers.

local cjson = require("cjson")
local clock = require("luamig.core.clock")
local fault = require("luamig.fault")
local mapper = require("luamig.backfill.mapper")
local op = require("luamig.op")
local prepare = require("luamig.backfill.prepare")
local recorded = require("luamig.backfill.recorded")
local supervise = require("luamig.backfill.supervise")
local transform = require("luamig.backfill.transform")

local engine = {}

---A specification from the row of a backfill: what is plain data; functions are in its script.
---@return luamig.BatchSpec
function engine.spec_of(row)
  local spec = cjson.decode(row.spec)
  spec.name = row.name
  return spec
end

---The script of a backfill as it was registered, or nil.
---@return luamig.backfill.Script|nil
function engine.script_of(row)
  if not row.script then
    return nil
  end
  local context = row.context and cjson.decode(row.context) or {}
  return {
    text = row.script,
    file = row.file or row.name,
    direction = row.direction,
    path = context.path,
    context = context.context,
  }
end

-- As whom and along which path the script's SQL is read.
local function settings_of(place)
  return { search_path = place.search_path, role = place.role }
end

local function no_script_raise(name)
  fault.raise({
    kind = "operation",
    message = ("'%s' has several workers, and each needs the script of its map function"):format(
      name),
    hint = "set workers = 1, or run it from a revision file",
  })
end

-- One worker may run the function of this very state; more need states of their own.
local function add_map(job, st, place, options)
  local spec = job.spec
  if spec.kind ~= "map" then
    return
  end
  local target = prepare.target(st, spec, settings_of(place))
  if options.is_single and type(options.map) == "function" then
    job.transform = transform.new(options.map, target, spec)
    return
  end
  local module = type(options.map) == "string" and options.map or spec.module
  if not module and not options.script then
    no_script_raise(spec.name)
  end
  -- What cannot be found again is said now, not by a thread.
  recorded.map(module, options.script, spec.name)
  job.bundle = mapper.bundle(target, spec, module, options.script)
end

-- A predicate of the throttle that is a function is in the script, too.
local function predicate_of(row, options)
  local when = cjson.decode(row.throttle).when
  if type(when) ~= "table" then
    return nil
  elseif type(options.when) == "function" then
    return options.when
  elseif options.script then
    return recorded.spec(options.script, row.name).tuning.throttle.when
  end
end

---@class luamig.backfill.Run
---@field ranges integer    at most so many, when they are planned now
---@field workers? integer  else what the table says, and follows it
---@field is_single? boolean  one worker, which runs the functions of this very state
---@field for_ms? integer
---@field waits? boolean    while it is paused, instead of ending
---@field map? function|string
---@field when? function
---@field script? luamig.backfill.Script

---Runs workers until no range is open, or they are stopped.
---@param st table
---@param row table  of the backfill
---@param place luamig.backfill.Place
---@param options luamig.backfill.Run
---@return "done"|"stopped"|"paused"|"closed"|"changed" ended
function engine.run(st, row, place, options)
  local spec = engine.spec_of(row)
  local settings = settings_of(place)
  settings.ranges = options.ranges
  if row.pass == 0 or not row.plan then
    local plan = row.pass == 0 and prepare.pass or prepare.again
    plan(st, row, spec, settings)
    row = st:find(row.name)
  end
  local job = {
    url = place.url,
    state = st,
    id = row.id,
    code = row.code,
    plan = cjson.decode(row.plan),
    spec = spec,
    workers = options.workers,
    end_ms = options.for_ms and clock.now_ms() + options.for_ms or nil,
    waits = options.waits,
    when = predicate_of(row, options),
    on_progress = place.on_progress,
  }
  add_map(job, st, place, options)
  local ended = op.with(transform.forbidden, supervise.run, job)
  st:persist("finish", row.id)
  return ended
end

---One more pass over the table, for rows that came or were left over.
---@return "done"|"stopped"|"paused"|"closed"|"changed" ended
function engine.sweep(st, row, place, options)
  local settings = settings_of(place)
  settings.ranges = options.ranges
  prepare.pass(st, row, engine.spec_of(row), settings)
  return engine.run(st, st:find(row.name), place, options)
end

return engine
