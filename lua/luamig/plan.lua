--- What the pending revisions will do: the trace of each, told by locks, effects, who waits, and
-- how long it takes on tables as big as those of production.

local drops = require("luamig.plan.drops")
local duration = require("luamig.lint.duration")
local facts_of = require("luamig.lint.facts")
local rig = require("luamig.rig")
local trace = require("luamig.trace")

local plan = {}

local function names(entry, list)
  local out = {}
  for i, relation in ipairs(list) do
    out[i] = facts_of.name_in(entry, relation)
  end
  return out
end

local function locks_of(facts, entry)
  local out = {}
  for _, lock in ipairs(facts:all_locks(entry, "locks")) do
    out[#out + 1] = {
      table = facts_of.name_in(entry, lock.relation), mode = trace.mode(lock.rank),
      blocks_reads = trace.blocks_reads(lock.rank), blocks_writes = trace.blocks_writes(lock.rank),
    }
  end
  return out
end

local function rows_of(facts, entry)
  local out = {}
  for _, item in ipairs(entry.changed) do
    if facts:is_old(item.relation) then
      out[#out + 1] = { table = facts_of.name_in(entry, item.relation), inserted = item.inserted,
        updated = item.updated, deleted = item.deleted,
        all = not facts.is_real and item.updated + item.deleted >= facts.many_rows or false }
    end
  end
  return out
end

local function scans_of(facts, entry)
  local out = {}
  for _, scan in ipairs(entry.scanned) do
    if facts:is_old(scan.relation) then
      out[#out + 1] = { table = facts_of.name_in(entry, scan.relation), scans = scan.scans,
        tuples = scan.tuples }
    end
  end
  return out
end

local function tables_only(list)
  local out = {}
  for _, relation in ipairs(list) do
    out[#out + 1] = not relation.table and relation or nil
  end
  return out
end

-- Those that hold a lock which makes others wait keep it until their transaction ends.
local function waits_text(facts, entry)
  local own, held = facts:all_locks(entry, "locks")[1], facts:all_locks(entry, "held")[1]
  local is_earlier = held and (not own or held.rank > own.rank) or false
  local lock = is_earlier and held or own
  if not lock or not trace.blocks_writes(lock.rank) then
    return "–"
  end
  return (trace.blocks_reads(lock.rank) and "reads, writes" or "writes")
    .. (is_earlier and " (held)" or "")
end

-- The line of the revision, and for op.execute_file the place in the other file.
local function place_of(entry)
  if entry.caller then
    return entry.caller.line, { file = entry.origin.file, line = entry.origin.line }
  end
  return entry.origin.line, nil
end

local function statement_of(facts, entry)
  local rewritten, indexes = facts:rewritten(entry)
  local ms = facts.is_real and entry.elapsed_ms or duration.of(entry, facts)
  local line, script = place_of(entry)
  return {
    line = line, script = script, op = entry.op, sql = entry.sql, transaction = entry.transaction,
    source = entry.source, locks = locks_of(facts, entry), waits = waits_text(facts, entry),
    rewrites = names(entry, rewritten), rebuilds = names(entry, indexes),
    reads = names(entry, facts:read_tables(entry)), scans = scans_of(facts, entry),
    rows = rows_of(facts, entry),
    batches = entry.batch and facts_of.name_in(entry, entry.batch),
    truncates = names(entry, tables_only(entry.truncated)),
    drops = drops.of(entry),
    invalid = names(entry, entry.invalid),
    estimate_ms = math.floor(ms), elapsed_ms = entry.elapsed_ms,
    is_real = facts.is_real,
    duration = facts.is_real and ("%.1f ms"):format(ms) or duration.class(ms),
  }
end

-- A lock that makes others wait is held until its transaction ends.
local function add_held(facts, statements)
  local ms, transaction = 0, nil
  for i = #statements, 1, -1 do
    local statement = statements[i]
    local own = facts.is_real and statement.elapsed_ms or statement.estimate_ms
    if statement.transaction == 0 or statement.transaction ~= transaction then
      ms, transaction = 0, statement.transaction
    end
    ms = ms + own
    statement.held_ms = math.floor(ms)
    statement.held = statement.waits == "–" and "–"
      or facts.is_real and ("%.1f ms"):format(ms) or duration.class(ms)
  end
end

local function revision_of(facts)
  local statements = {}
  for i, entry in ipairs(facts.entries) do
    statements[i] = statement_of(facts, entry)
  end
  add_held(facts, statements)
  return { revision = facts.rev.id, title = facts.rev.doc, file = facts.rev.file,
    direction = facts.direction, statements = statements }
end

local function note_of(stats, version)
  local server = ("measured on PostgreSQL %d"):format(version // 10000)
  if stats then
    return server .. "; durations are for the sizes of the file of --stats"
  end
  return server .. "; durations are for tables of ten million rows: luamig plan --export-stats "
    .. "gives the real sizes"
end

---Runs revisions on a throwaway server and tells what each does.
---@param ctx table  luamig.session
---@param options { base: string[], ids: string[], stats?: table, server?: string }
---@return table plan  { revisions =, note =, server_version = }
function plan.run(ctx, options)
  local out = { revisions = {} }
  local r <close> = rig.open(ctx, { server = options.server, command = "luamig plan" })
  r:apply(options.base)
  for _, id in ipairs(options.ids) do
    local measured = r:measure(id, { downgrade = false })
    local facts = facts_of.new(measured, "upgrade", { cfg = ctx:config(), version = r.version,
      stats = options.stats, rows = r.rows })
    local revision = revision_of(facts)
    out.revisions[#out.revisions + 1] = revision
    if measured.failure then
      revision.failure = tostring(measured.failure)
      break
    end
  end
  out.server_version, out.note = r.version, note_of(options.stats, r.version)
  return out
end

---What a trace of real steps on a real database has measured.
---@param traced table   luamig.trace
---@param steps luamig.Step[]
---@param cfg luamig.Config
---@param version integer
---@return table plan
function plan.of_trace(traced, steps, cfg, version)
  local out = { revisions = {}, server_version = version,
    note = "measured on the database itself, and rolled back" }
  local by_id = {}
  for _, step in ipairs(steps) do
    by_id[step.id] = step
  end
  for i, revision in ipairs(traced.revisions) do
    local step = by_id[revision.id]
    local way = step.direction == "upgrade" and "up" or "down"
    local facts = facts_of.new({ rev = step.rev, [way] = revision }, step.direction,
      { cfg = cfg, version = version })
    facts.is_real = true
    out.revisions[i] = revision_of(facts)
  end
  return out
end

return plan
