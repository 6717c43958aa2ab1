--- Measures what each statement of a revision does: locks, rewrites, scans, rows, what it makes and
-- drops. An observer of the online executor: its questions ride in the same pipeline, one before
-- and one behind every statement, so that they cost no round trip of their own.
--
-- What runs outside a transaction is measured by the catalogs before and after it; its locks are
-- gone by then, and are told from what PostgreSQL is known to take (`source` = "known").

local clock = require("luamig.core.clock")
local delta = require("luamig.trace.delta")
local meaning = require("luamig.trace.meaning")
local quote = require("luamig.quote")
local sample = require("luamig.trace.sample")
local statement_of = require("luamig.trace.statement")

local trace = {}

---Strength of the lock modes; whoever holds more blocks more.
trace.rank = {
  AccessShareLock = 1, RowShareLock = 2, RowExclusiveLock = 3, ShareUpdateExclusiveLock = 4,
  ShareLock = 5, ShareRowExclusiveLock = 6, ExclusiveLock = 7, AccessExclusiveLock = 8,
}

local words = {
  "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE",
  "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE",
}

local Trace = {}
Trace.__index = Trace

---A lock mode in the words of the manual.
---@param rank integer
---@return string
function trace.mode(rank)
  return words[rank]
end

---Whether INSERT, UPDATE and DELETE wait for a lock of this strength.
function trace.blocks_writes(rank)
  return rank >= 5
end

---Whether SELECT waits for it.
function trace.blocks_reads(rank)
  return rank == 8
end

---@class luamig.trace.Lock
---@field relation luamig.trace.Relation
---@field rank integer
---@field is_new boolean  the relation was made by this revision

---@class luamig.trace.Entry
---@field sql string
---@field origin { file: string, line: integer }
---@field op string
---@field record? table     the operation's record, with its arguments
---@field kind luamig.trace.Kind
---@field transaction integer  number of the transaction in this trace; 0: outside of one
---@field source "measured"|"known"  where the locks are from
---@field elapsed_ms number
---@field locks luamig.trace.Lock[]   had by this statement, or made stronger by it
---@field held luamig.trace.Lock[]    what the transaction held already
---@field scanned { relation: luamig.trace.Relation, scans: integer, tuples: integer }[]
---@field rewritten { relation: luamig.trace.Relation, is_moved: boolean }[]
---@field truncated luamig.trace.Relation[]
---@field changed table[]  { relation=, inserted=, updated=, deleted= }
---@field created luamig.trace.Relation[]
---@field dropped luamig.trace.Relation[]
---@field dropped_objects string[]  that are no relation: "function public.f()"
---@field caller? { file: string, line: integer }  op.execute_file, when `origin` is in its file
---@field renamed table[]  { relation=, from=, to=, is_moved= }
---@field columns table[]  { relation=, what=, name=, before=, now= }; what: added, dropped,
---  renamed, type, not_null, default, collation, generated, identity
---@field constraints table[]  { what=, constraint= }; what: added, dropped, validated, renamed,
---  rebuilt
---@field enums table[]  { what=, type=, label=, from= }
---@field invalid luamig.trace.Relation[]  indexes left invalid
---@field names table<luamig.trace.Relation, string>  of those above, when the statement began: a
---  later one may rename them

---@param cfg luamig.Config  which tables are luamig's own
---@param options? { favours_indexes?: boolean, prepares?: boolean }
---  favours_indexes: UPDATE and DELETE use an index wherever one can serve, as on big tables; so
---  whatever they read from end to end has none.
---  prepares: the questions are prepared on the server, for planning them takes longest; not behind
---  a pooler
---@return table trace
function trace.new(cfg, options)
  return setmetatable({
    favours_indexes = options and options.favours_indexes or false,
    prepares = options and options.prepares or false,
    known = delta.new(cfg.version_schema, cfg.version_table), revisions = {}, transaction = 0,
    held = {}, is_stale = true, is_new_transaction = true,
  }, Trace)
end

---A revision begins: what is made from now on is new in it.
---@param id string
---@param direction "upgrade"|"downgrade"
---@return table revision  { id=, direction=, entries= }
function Trace:begin_revision(id, direction)
  self.revision = { id = id, direction = direction, entries = {}, number = #self.revisions + 1 }
  self.revisions[#self.revisions + 1] = self.revision
  return self.revision
end

---The catalogs were changed by somebody else: all is read again before the next statement.
function Trace:refresh()
  self.is_stale = true
end

---Notes the operation that the statements to come are of.
function Trace:record(record)
  self.last_record = record
end

-- The table whose rows op.batch_execute changes.
local function batch_of(record)
  local spec = record and record.op == "batch_execute" and record.args.spec
  return spec and spec.table or nil
end

local function entry_of(self, statement)
  local record = self.last_record
  local place = statement.origin or {}
  if record and (record.op ~= statement.op or (record.origin or {}).line ~= place.line) then
    record = nil
  end
  return {
    sql = statement.sql, origin = place, op = statement.op, record = record,
    kind = statement_of.kind(statement.sql), number = self.revision.number,
    transaction = self.transaction, source = "measured",
    locks = {}, held = {}, truncated = {}, invalid = {}, elapsed_ms = 0, dropped_objects = {},
    names = {}, caller = statement.caller, batch = batch_of(record),
    lock_timeout = statement.lock_timeout,
  }
end

local function lock_of(entry, relation, rank)
  return { relation = relation, rank = rank,
    is_new = (relation.table or relation).born == entry.number }
end

local function by_strength(a, b)
  if a.rank ~= b.rank then
    return a.rank > b.rank
  end
  return a.relation.oid < b.relation.oid
end

-- Locks by relation, the strongest mode of each.
local function ranks_of(list)
  local out = {}
  for _, lock in ipairs(type(list) == "table" and list or {}) do
    out[lock[1]] = math.max(out[lock[1]] or 0, trace.rank[lock[2]] or 0)
  end
  return out
end

local function take_locks(self, entry, list, gone)
  local now = ranks_of(list)
  for oid, rank in pairs(self.held) do
    local relation = self.known.relations[oid] or gone[oid]
    if relation and rank >= 4 then
      entry.held[#entry.held + 1] = lock_of(entry, relation, rank)
    end
  end
  for oid, rank in pairs(now) do
    local relation = self.known.relations[oid] or gone[oid]
    if relation and rank >= 2 and rank > (self.held[oid] or 0) then
      entry.locks[#entry.locks + 1] = lock_of(entry, relation, rank)
    end
  end
  table.sort(entry.locks, by_strength)
  table.sort(entry.held, by_strength)
  self.held = now
end

local function remember_names(entry, changes)
  for _, list in pairs({ entry.locks, changes.scanned, changes.rewritten, changes.changed }) do
    for _, item in ipairs(list) do
      entry.names[item.relation] = item.relation.shown
    end
  end
  for _, list in pairs({ entry.truncated, changes.dropped, changes.created }) do
    for _, relation in ipairs(list) do
      entry.names[relation] = relation.shown
    end
  end
  for _, item in ipairs(changes.renamed) do
    entry.names[item.relation] = item.from
  end
end

local function take(self, entry, row, is_all)
  self.known.born = entry.number
  local changes = self.known:take(row, is_all)
  local gone = {}
  for _, relation in ipairs(changes.dropped) do
    gone[relation.oid] = relation
  end
  meaning.find(entry, changes)
  for name, list in pairs(changes) do
    entry[name] = list
  end
  take_locks(self, entry, row.locks, gone)
  remember_names(entry, changes)
  for _, relation in ipairs(entry.created) do
    if relation.is_valid == false then
      entry.invalid[#entry.invalid + 1] = relation
    end
  end
end

local function question(self, name)
  return { sql = sample[name], prepared = self.prepares or nil }
end

-- What the transaction begins with.
local function begin(self, wire)
  self.transaction = self.transaction + 1
  self.is_new_transaction = false
  wire:send(question(self, "counters"), function(rows)
    self.held = {}
    self.known:set_counters(rows[1].counters)
  end)
end

-- What is there before the first statement of a revision is not new in it.
local function read_all(self, wire)
  self.is_stale = false
  local born = #self.revision.entries == 0 and 0 or self.revision.number
  wire:send(question(self, "all"), function(rows)
    local counters = self.known.counters
    self.known.born = born
    self.known:take(rows[1], true)
    self.known.counters = counters
    self.held = ranks_of(rows[1].locks)
  end)
end

-- What a function in a savepoint did may have been rolled back: then all is read anew.
local function watch_depth(self, depth)
  if depth < (self.depth or 0) then
    self.is_stale = true
  end
  self.depth = depth
end

local choosing = { UpdateStmt = true, DeleteStmt = true, MergeStmt = true }

-- What is in the first list of objects and not in the second.
local function missing(before, now)
  local is_there, out = {}, {}
  for _, row in ipairs(now) do
    is_there[row.type .. " " .. row.identity] = true
  end
  for _, row in ipairs(before) do
    local name = row.type .. " " .. row.identity
    out[#out + 1] = not is_there[name] and name or nil
  end
  table.sort(out)
  return out
end

---Runs a statement inside a transaction, between two samples.
---@param executor table  luamig.executor.online
---@param statement table
---@param send fun(wire: table, statement: table): any
---@param is_new boolean  the transaction has just begun
function Trace:around(executor, statement, send, is_new)
  local wire = executor.wire
  if statement.op == "backfill" then
    return send(wire, statement) -- luamig's own tables
  end
  watch_depth(self, executor.depth)
  if is_new or self.is_new_transaction then
    begin(self, wire)
  end
  if self.is_stale then
    read_all(self, wire)
  end
  local entry, list = entry_of(self, statement), self.revision.entries
  list[#list + 1] = entry
  local started, objects
  if statement_of.may_drop(entry.kind) then
    objects = {}
    wire:send({ sql = sample.objects }, function(rows)
      objects.before = rows
    end)
  end
  local has_choice = self.favours_indexes and choosing[entry.kind.node]
  if has_choice then
    wire:send({ sql = "SET LOCAL enable_seqscan = off" })
  end
  wire:send(question(self, "tick"), function(rows)
    started = rows[1].at
  end)
  local result = send(wire, statement)
  wire:send(question(self, "locked"), function(rows)
    entry.elapsed_ms = rows[1].at - started
    take(self, entry, rows[1])
    entry.is_complete = true
  end)
  if has_choice then
    wire:send({ sql = "SET LOCAL enable_seqscan = DEFAULT" })
  end
  if objects then
    wire:send({ sql = sample.objects }, function(rows)
      entry.dropped_objects = missing(objects.before, rows)
    end)
  end
  return result
end

local function find(self, target)
  for _, relation in pairs(self.known.relations) do
    if relation.name == target.name and (not target.schema or target.schema == relation.schema)
    then
      return relation
    end
  end
  return nil
end

local function named(text)
  local schema, name = quote.split_name(text)
  return { schema = schema, name = name }
end

-- The locks that are known of such a statement, on the tables it names.
local function add_known_locks(entry, targets)
  local mode = statement_of.known_lock(entry.kind)
  entry.source = "known"
  for _, relation in ipairs(mode and targets or {}) do
    local locked = relation.table or relation
    entry.locks[#entry.locks + 1] = lock_of(entry, locked, trace.rank[mode])
    if statement_of.scans(entry.kind) then
      entry.scanned[#entry.scanned + 1] = { relation = locked, scans = 2, tuples = 0 }
    end
  end
end

---Runs a statement outside a transaction; waits for it.
---@param executor table
---@param statement table
---@param run fun()
function Trace:alone(executor, statement, run)
  local wire = executor.wire
  read_all(self, wire)
  wire:sync()
  local entry, list, targets = entry_of(self, statement), self.revision.entries, {}
  entry.transaction = 0
  list[#list + 1] = entry
  for _, target in ipairs(statement_of.targets(entry.kind)) do
    targets[#targets + 1] = find(self, target)
  end
  entry.batch = entry.batch and find(self, named(entry.batch))
  if entry.batch then
    entry.names[entry.batch] = entry.batch.shown
  end
  local started = clock.now_ms()
  run()
  entry.elapsed_ms = clock.now_ms() - started
  self.known:set_counters({})
  local row = wire:query(question(self, "all"))[1]
  row.locks, row.counters = nil, nil -- of transactions that have ended
  self.held = {}
  take(self, entry, row, true)
  add_known_locks(entry, targets)
  -- Outside a transaction the search_path is not the script's: definitions read otherwise there.
  self.is_stale = true
  entry.is_complete = true
end

return trace
