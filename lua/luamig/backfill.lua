--- Batched data migrations: registers them, runs them to the end or for a while.
-- Connections are opened from a url; nothing here needs a session's state, so it may lead to a
-- transaction pooler.

local batch_spec = require("luamig.batch_spec")
local cjson = require("cjson")
local clock = require("luamig.core.clock")
local connection = require("luamig.core.conn")
local fault = require("luamig.fault")
local mapper = require("luamig.backfill.mapper")
local op = require("luamig.op")
local prepare = require("luamig.backfill.prepare")
local recorded = require("luamig.backfill.recorded")
local state = require("luamig.backfill.state")
local supervise = require("luamig.backfill.supervise")
local transform = require("luamig.backfill.transform")

local backfill = {}

-- One worker walks through a range a leaf; several share the table by so many ranges each.
local RANGES_PER_WORKER <const> = 16
local RANGES_FOR_OTHERS <const> = 64 -- of a registered one, whoever may come

---Where the tables are, and as whom the work is done.
---@class luamig.backfill.Place
---@field url? string           libpq's own variables when left out
---@field state? { schema?: string, table?: string }  of the version table
---@field search_path? string   for the script's SQL; the session's own when left out
---@field role? string
---@field on_progress? fun(progress: table)  about once a second

---What the script is that the functions come from.
---@class luamig.backfill.About
---@field revision? string
---@field direction? "upgrade"|"downgrade"
---@field run? string           one application of the revision: the same again is resumed
---@field script? luamig.backfill.Script

-- A signal ends the workers after their batches; what is then asked of the tables goes through.
local function opener(place, name)
  return function()
    local conn = connection.open({ url = place.url, application_name = "luamig:" .. name })
    conn:patient(true)
    return conn
  end
end

-- Closes whatever connection the state has by then.
local function closer(st)
  return setmetatable({}, {
    __close = function()
      st.conn:close()
    end,
  })
end

local function open_state(place, name)
  local st = state.new(opener(place, name)(), place.state)
  return st, closer(st)
end

---A specification from the row of a backfill: what is plain data; functions are in its script.
---@return luamig.BatchSpec
local function spec_of(row)
  local spec = cjson.decode(row.spec)
  spec.name = row.name
  return spec
end

local function script_of(row)
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
    results = context.results,
  }
end

local function about_row(spec, about)
  local script = about.script
  return {
    revision = about.revision,
    direction = about.direction,
    run = about.run,
    code = batch_spec.code(spec, script and script.text),
    file = script and script.file,
    script = script and script.text,
    context = script and {
      path = script.path,
      context = script.context,
      results = script.results,
    } or nil,
  }
end

---Registers a backfill through a connection, or within the transaction that it has open: then it
---is there when that is committed. The work begins with `run`.
---Raises: operation (another one of this name is not finished).
---@param conn { exec: function }
---@param spec luamig.BatchSpec|table  checked, or as a script writes it, with name
---@param about luamig.backfill.About
---@param options? { state?: table, is_open?: boolean }
---@return integer id
function backfill.register(conn, spec, about, options)
  options = options or {}
  local st = state.new(conn, options.state)
  st:ensure(options.is_open)
  local entry = about_row(spec, about)
  local row = st:find(spec.name)
  if row and row.outcome == nil and row.code == entry.code then
    return row.id
  elseif row and row.outcome == nil and row.desired_state ~= "cancelled" and row.pass > 0 then
    fault.raise({
      kind = "operation",
      message = ("a backfill '%s' of revision %s is not finished"):format(spec.name,
        row.revision or "?"),
      hint = "its code is another one; a name can be used again once it is done or cancelled",
      try = ("luamig backfill cancel %s, or luamig backfill run %s"):format(spec.name, spec.name),
    })
  elseif row then
    st:exec("forget", row.id)
  end
  return st:register(spec, entry)
end

local function is_function_kind(spec)
  return spec.kind == "map"
end

-- One worker may run the function of this very state; more need states of their own.
local function job_map(job, spec, map, script, workers, options, st)
  if not is_function_kind(spec) then
    return
  end
  local target = prepare.target(st, spec, options)
  if workers == 1 and type(map) == "function" then
    job.transform = transform.new(map, target, spec)
    return
  end
  spec.map = type(map) == "string" and map or nil
  if not spec.map and not script then
    fault.raise({
      kind = "operation",
      message = ("'%s' has %d workers, and each needs the script of its map function"):format(
        spec.name, workers),
      hint = "set workers = 1, or run it from a revision file",
    })
  end
  job.bundle = mapper.bundle(target, spec, script)
  -- What cannot be found again is said now, not by a thread.
  recorded.map(spec.map, script, spec.name)
end

local function planned(st, row, spec, options)
  if row.pass == 0 then
    prepare.pass(st, row, spec, options)
    row = st:find(row.name)
  end
  return row
end

---One run of workers over what is open.
local function work(st, row, spec, place, extra)
  local options = { ranges = extra.ranges, search_path = place.search_path, role = place.role }
  row = planned(st, row, spec, options)
  local job = {
    url = place.url,
    state = st,
    connect = opener(place, row.name),
    id = row.id,
    code = row.code,
    plan = cjson.decode(row.plan),
    spec = spec,
    workers = extra.workers,
    end_ms = extra.for_ms and clock.now_ms() + extra.for_ms or nil,
    waits = extra.waits,
    when = type(extra.when) == "function" and extra.when or nil,
    on_progress = place.on_progress,
  }
  job_map(job, spec, extra.map, extra.script, extra.workers or row.workers, options, st)
  local ended = op.with(transform.forbidden, supervise.run, job)
  st:persist(job.connect, "finish", row.id)
  return ended
end

local function result_of(progress)
  return {
    name = progress.name,
    rows = progress.rows,
    changed = progress.changed,
    batches = progress.batches,
    errors = progress.errors,
    remaining = progress.remaining,
    ms = math.floor(progress.elapsed_s * 1000),
  }
end

-- Whether a row stands for the very work that is asked for, in one application of its revision.
local function is_same(row, entry)
  return row.code == entry.code and row.revision == entry.revision
    and row.direction == entry.direction and row.run == entry.run
end

-- A run that was interrupted is gone on with; a finished one belongs to an earlier application of
-- the revision, unless it is known to be the same.
local function inline_row(st, spec, about)
  local row = st:find(spec.name)
  local entry = about_row(spec, about)
  if row and is_same(row, entry) then
    if row.outcome == "failed" or row.desired_state ~= "run" then
      st:exec("retry", row.id, nil, nil, nil)
      return st:find(spec.name)
    elseif row.outcome == nil or about.run then
      return row
    end
  end
  return st:transaction(function()
    if row then
      st:exec("forget", row.id)
    end
    st:register(spec, entry)
    return st:find(spec.name)
  end)
end

---Does a batched migration to its end, with workers of this process. What is done is kept in the
---tables: the same call goes on where an earlier one was killed.
---Raises: operation (specification, bad row), script (map function), server, lock, connection,
---interrupted, partial (paused or cancelled by an operator).
---@param place luamig.backfill.Place
---@param spec luamig.BatchSpec
---@param about luamig.backfill.About
---@return { rows: integer, changed: integer, batches: integer, errors: integer, ms: integer }
function backfill.run_inline(place, spec, about)
  local st, close = open_state(place, spec.name)
  local guard <close> = close -- luacheck: no unused
  st:ensure()
  local row = inline_row(st, spec, about)
  if row.outcome then
    return result_of(st:progress(row.id)[1])
  end
  local workers = spec.tuning.workers
  work(st, row, spec, place, {
    ranges = workers == 1 and 1 or workers * RANGES_PER_WORKER,
    workers = workers,
    map = spec.map,
    script = about.script,
    when = spec.tuning.throttle.when,
    waits = true,
  })
  return result_of(st:progress(row.id)[1])
end

---Works on a registered backfill, together with whoever else does.
---Raises: usage (no such backfill), and what run_inline raises.
---@param place luamig.backfill.Place
---@param name string
---@param options? { workers?: integer, for_ms?: integer }
---@return "done"|"failed"|"stopped"|"paused"|"cancelled"|"changed" ended
---@return table progress
function backfill.run(place, name, options)
  options = options or {}
  local st, close = open_state(place, name)
  local guard <close> = close -- luacheck: no unused
  local row = st:get(name)
  local ended = row.outcome
  if not ended then
    local spec, script = spec_of(row), script_of(row)
    ended = work(st, row, spec, place, {
      ranges = RANGES_FOR_OTHERS,
      workers = options.workers,
      for_ms = options.for_ms,
      script = script,
    })
  end
  local progress = st:progress(row.id)[1]
  if ended == "closed" then
    ended = progress.outcome ~= "" and progress.outcome or progress.desired_state
  end
  return ended == "finalized" and "done" or ended, progress
end

return backfill
