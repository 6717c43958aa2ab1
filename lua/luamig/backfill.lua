--- Batched data migrations: registers them, runs them to the end or for a while, proves that
-- nothing is left. Connections are opened from a url; nothing here needs a session's state, so it
-- may lead to a transaction pooler.

local batch_spec = require("luamig.batch_spec")
local endings = require("luamig.backfill.endings")
local engine = require("luamig.backfill.engine")
local fault = require("luamig.fault")
local finish = require("luamig.backfill.finish")
local proof = require("luamig.backfill.proof")
local state = require("luamig.backfill.state")

local backfill = {}

-- One worker walks through one range a leaf; several share the table by so many ranges each.
local RANGES_PER_WORKER <const> = 4
local RANGES_FOR_OTHERS <const> = 64 -- of a registered one, whoever may come

---Where the tables are, and as whom the work is done.
---@class luamig.backfill.Place
---@field url? string           libpq's own variables when left out
---@field state? { schema?: string, table?: string }  of the version table
---@field search_path? string   for the script's SQL; the session's own when left out
---@field role? string
---@field on_progress? fun(progress: table)  about once a second

---@class luamig.backfill.Result
---@field rows integer        looked at
---@field changed integer
---@field batches integer
---@field errors integer      rows put aside
---@field remaining? integer  rows that still match `remaining`, those put aside among them
---@field ms integer

---What the script is that the functions come from.
---@class luamig.backfill.About
---@field revision? string
---@field direction? "upgrade"|"downgrade"
---@field run? string           one application of the revision: the same again is resumed
---@field script? luamig.backfill.Script

local function entry_of(spec, about)
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
    } or nil,
  }
end

local function unfinished_raise(row)
  fault.raise({
    kind = "operation",
    message = ("a backfill '%s' of revision %s is not finished"):format(row.name,
      row.revision or "?"),
    hint = "it does something else; a name can be used again once it is done or cancelled",
    try = ("luamig backfill run %s, or luamig backfill cancel %s"):format(row.name, row.name),
  })
end

---Registers a backfill through a connection, or within the transaction that it has open: then it
---is there when that is committed. The work begins with `run`.
---Raises: operation (another one of this name is not finished).
---@param conn { exec: function }
---@param spec luamig.BatchSpec
---@param about luamig.backfill.About
---@param options? { state?: table, is_open?: boolean }
---@return integer id
function backfill.register(conn, spec, about, options)
  options = options or {}
  local st = state.new(conn, options.state)
  st:ensure(options.is_open)
  local entry = entry_of(spec, about)
  local row = st:find(spec.name)
  if row then
    local is_open = row.outcome == nil and row.desired_state ~= "cancelled"
    if is_open and row.code == entry.code then
      return row.id
    elseif is_open and row.pass > 0 then
      unfinished_raise(row)
    end
    st:exec("forget", row.id)
  end
  return st:register(spec, entry)
end

---Takes a registered backfill away that nobody has begun, for the downgrade of its revision. One
---that has changed rows stays, as what was done stays done.
---@param conn { exec: function }
---@return boolean  whether it is gone
function backfill.unregister(conn, name, options)
  local st = state.new(conn, options and options.state)
  local row = st:exists() and st:find(name)
  if row then
    st:exec("forget", row.id)
  end
  return row ~= nil
end

local function changed_raise(st, row)
  local progress = st:progress(row.id)[1]
  fault.raise({
    kind = "edited",
    message = ("the code of '%s' was changed after %d rows were done with the old one"):format(
      row.name, progress.rows),
    hint = ("luamig backfill retry %s goes on with the new code, luamig backfill cancel %s makes "
      .. "it begin again"):format(row.name, row.name),
  })
end

-- Whether a row stands for the same work, in the same application of its revision.
local function is_same(row, entry)
  return row.revision == entry.revision and row.direction == entry.direction
    and row.run == entry.run
end

-- After a retry whatever code comes next is taken for right.
local function is_code_open(row)
  return row.code:sub(1, 1) == "?"
end

-- An unfinished run is gone on with, unless its code is another one now.
local function resumed(st, row, spec, entry)
  if is_code_open(row) then
    st:adopt(row.id, spec, entry)
  elseif row.code ~= entry.code then
    changed_raise(st, row)
  end
  if row.outcome == "failed" or row.desired_state ~= "run" then
    st:exec("retry", row.id, false)
  end
  return st:find(spec.name)
end

-- A finished one belongs to an earlier application of the revision, unless it is known to be the
-- same; what was cancelled, or not begun, gives way.
local function inline_row(st, spec, about)
  local row = st:find(spec.name)
  local entry = entry_of(spec, about)
  if row and is_same(row, entry) then
    local is_done = row.outcome == "done" or row.outcome == "finalized"
    if is_done and about.run then
      return row
    elseif not is_done and row.desired_state ~= "cancelled"
      and (row.code == entry.code or st:progress(row.id)[1].rows > 0) then
      return resumed(st, row, spec, entry)
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

local function result_of(progress)
  return {
    name = progress.name,
    rows = progress.rows,
    changed = progress.changed,
    batches = progress.batches,
    errors = progress.errors,
    remaining = progress.remaining,
    ms = math.floor((progress.elapsed_s or 0) * 1000),
  }
end

---Does a batched migration to its end, with workers of this process. What is done is kept in the
---tables: the same call goes on where an earlier one was killed.
---Raises: operation (specification, bad row), script (map function), server, lock, connection,
---interrupted, edited, partial (cancelled by an operator).
---@param place luamig.backfill.Place
---@param spec luamig.BatchSpec
---@param about luamig.backfill.About
---@return luamig.backfill.Result
function backfill.run_inline(place, spec, about)
  local st <close> = state.open(place, spec.name)
  st:ensure(false, place.role)
  local row = inline_row(st, spec, about)
  if not row.outcome then
    local workers = spec.tuning.workers
    local options = {
      ranges = workers == 1 and 1 or workers * RANGES_PER_WORKER,
      is_single = workers == 1,
      map = spec.map,
      script = about.script,
      when = spec.tuning.throttle.when,
      waits = true,
    }
    endings.told(st, row, about, function()
      local ended = engine.run(st, row, place, options)
      local outcome = st:progress(row.id)[1].outcome
      if ended ~= "done" or outcome ~= "done" then
        return nil, ended
      end
      local _, swept = proof.sweep(st, row, place, options)
      return nil, swept
    end)
  end
  return result_of(st:progress(row.id)[1])
end

-- Functions come from the script that was registered. When the project's own is another one by now,
-- nobody knows which is meant, until an operator says so.
local function script_for(st, row, current)
  local script = engine.script_of(row)
  local differs = row.kind == "map" and current and script and current.text ~= script.text
  if differs and not is_code_open(row) then
    changed_raise(st, row)
  elseif differs then
    local spec = require("luamig.backfill.recorded").spec(current, row.name)
    st:adopt(row.id, spec, entry_of(spec, { script = current }))
    return current
  elseif is_code_open(row) then
    local spec = engine.spec_of(row)
    st:adopt(row.id, spec, entry_of(spec, { script = script }))
  end
  return script
end

---Works on a registered backfill, together with whoever else does.
---Raises: usage (no such backfill), and what run_inline raises.
---@param place luamig.backfill.Place
---@param name string
---@param options? { workers?: integer, for_ms?: integer, script?: luamig.backfill.Script }
---  script: of the revision as the project has it now
---@return "done"|"failed"|"stopped"|"paused"|"cancelled"|"changed" ended
---@return table progress
function backfill.run(place, name, options)
  options = options or {}
  local st <close> = state.open(place, name)
  local row = st:get(name)
  local ended = row.outcome
  if not ended then
    local script = script_for(st, row, options.script)
    ended = endings.told(st, row, row, function()
      return engine.run(st, st:find(name), place, {
        ranges = RANGES_FOR_OTHERS,
        workers = options.workers,
        for_ms = options.for_ms,
        script = script,
      })
    end)
  end
  local progress = st:persist("progress", row.id)[1]
  if ended == "closed" or ended == "done" then
    ended = progress.outcome ~= "" and progress.outcome or progress.desired_state
  end
  return ended == "finalized" and "done" or ended, progress
end

---Demands that a backfill is finished; with `finish`, does what is left.
---Raises: usage (no such backfill), operation (not finished, rows left), what run_inline raises.
---@param place luamig.backfill.Place
---@param args { name: string, finish?: boolean, max_remaining?: integer }
function backfill.require_finished(place, args)
  if args.finish then
    local ended, progress = backfill.run(place, args.name)
    if ended ~= "done" then
      fault.raise(endings.unfinished(ended, progress))
    end
  end
  return finish.finalize(place, args.name, args)
end

backfill.finalize = finish.finalize

return backfill
