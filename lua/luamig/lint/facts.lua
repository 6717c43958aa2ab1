--- What the rules ask of one direction of a revision: which tables were there before it, which
-- locks block whom, what was read while they were held.

local quote = require("luamig.quote")
local trace = require("luamig.trace")

local facts = {}

local Facts = {}
Facts.__index = Facts

local row_kinds = { table = true, ["partitioned table"] = true, ["materialized view"] = true }

---@class luamig.lint.Facts
---@field rev luamig.Revision
---@field direction "upgrade"|"downgrade"
---@field entries luamig.trace.Entry[]
---@field before table   snapshots of the database
---@field after table
---@field measured luamig.Measured
---@field cfg luamig.Config
---@field version integer  of the server it was measured on: 150018
---@field production table  what --stats says: { server_version=, tables = { [shown] = … } }

-- Those that ran; `claimed` is what a rule has found the cause of.
local function complete_entries(traced)
  local entries = {}
  for _, entry in ipairs(traced and traced.entries or {}) do
    entries[#entries + 1] = entry.is_complete and entry or nil
    entry.claimed = {}
  end
  return entries
end

---@param measured luamig.Measured
---@param direction "upgrade"|"downgrade"
---@param about { cfg: table, version: integer, stats: table|nil, rows: integer|nil }
---@return luamig.lint.Facts
function facts.new(measured, direction, about)
  local is_up = direction == "upgrade"
  local traced = is_up and measured.up or measured.down
  local entries = complete_entries(traced)
  return setmetatable({
    rev = measured.rev, direction = direction, is_up = is_up, measured = measured,
    entries = entries, number = traced and traced.number,
    before = is_up and measured.before or measured.after,
    after = is_up and measured.after or measured.back,
    cfg = about.cfg, version = about.version, stats = about.stats,
    many_rows = about.rows or 20, -- so many are in a table: who changes them all changes all
  }, Facts)
end

---The table of an index, else the relation itself.
function facts.table_of(relation)
  return relation.table or relation
end

---The name that a relation has when a statement begins; a later one may rename it.
---@param entry luamig.trace.Entry
---@param relation luamig.trace.Relation
---@return string
function facts.name_in(entry, relation)
  return entry.names[relation] or relation.shown
end

---Whether a table was there before this revision, so that rows may be in it and users at work.
---@param relation luamig.trace.Relation
---@return boolean
function Facts:is_old(relation)
  local owner = facts.table_of(relation)
  return row_kinds[owner.kind] == true and owner.born ~= self.number
end

---The locks of a statement on tables that were there, strongest first; with those that its
---transaction holds from before.
---@param entry luamig.trace.Entry
---@param least integer  rank
---@return luamig.trace.Lock[] own, luamig.trace.Lock[] held
function Facts:locks(entry, least)
  local function chosen(list)
    local out = {}
    for _, lock in ipairs(list) do
      local is_table = not lock.relation.table
      if is_table and lock.rank >= least and self:is_old(lock.relation) then
        out[#out + 1] = lock
      end
    end
    return out
  end
  return chosen(entry.locks), chosen(entry.held)
end

local unlocked = { ["composite type"] = true, index = true, ["partitioned index"] = true }

---As locks(), of whatever was there and can be locked: views and sequences too.
---@param entry luamig.trace.Entry
---@param list "locks"|"held"
---@return luamig.trace.Lock[]
function Facts:all_locks(entry, list)
  local out = {}
  for _, lock in ipairs(entry[list]) do
    local relation = lock.relation
    local is_sequence = relation.kind == "sequence" -- nextval() takes ROW EXCLUSIVE
    local least = is_sequence and (relation.is_dropped and 9 or 5) or 2
    if not relation.table and not unlocked[relation.kind] and relation.born ~= self.number
      and lock.rank >= least then
      out[#out + 1] = lock
    end
  end
  return out
end

---The tables that were there and that a statement reads from end to end.
---@return luamig.trace.Relation[]
function Facts:read_tables(entry)
  local out = {}
  for _, scan in ipairs(entry.scanned) do
    if self:is_old(scan.relation) then
      out[#out + 1] = scan.relation
    end
  end
  return out
end

---Whether a statement reads this table from end to end.
function Facts.reads(_, entry, relation)
  for _, scan in ipairs(entry.scanned) do
    if scan.relation == relation then
      return true
    end
  end
  return false
end

---The tables that were there and that a statement writes anew; and of those that it leaves, the
---indexes.
---@return luamig.trace.Relation[] tables, luamig.trace.Relation[] indexes
function Facts:rewritten(entry)
  local tables, indexes, is_table = {}, {}, {}
  for _, item in ipairs(entry.rewritten) do
    local relation = item.relation
    if row_kinds[relation.kind] and self:is_old(relation) then
      tables[#tables + 1] = relation
      is_table[relation] = true
    end
  end
  for _, item in ipairs(entry.rewritten) do
    local relation = item.relation
    if relation.table and not is_table[relation.table] and self:is_old(relation) then
      indexes[#indexes + 1] = relation
    end
  end
  return tables, indexes
end

---Whether anything that blocks writes to tables that were there is held while a statement runs.
---@return luamig.trace.Lock|nil lock  the strongest
---@return boolean is_earlier  it is an earlier statement's
function Facts:blocking(entry)
  local own, held = self:locks(entry, 5)
  if own[1] and not (held[1] and held[1].rank > own[1].rank) then
    return own[1], false
  end
  return held[1], held[1] ~= nil
end

---"ACCESS EXCLUSIVE on users"
function facts.lock_text(lock)
  return ("%s on %s"):format(trace.mode(lock.rank), lock.relation.shown)
end

---Who waits for a lock: "reads and writes wait", "writes wait", "nobody waits".
function facts.waiting_text(rank)
  if trace.blocks_reads(rank) then
    return "reads and writes wait"
  elseif trace.blocks_writes(rank) then
    return "writes wait"
  end
  return "reads and writes go on"
end

---The changes of columns of tables that were there.
---@param what string  "added", "type", …
function Facts:columns(entry, what)
  local out = {}
  for _, item in ipairs(entry.columns) do
    if item.what == what and self:is_old(item.relation) then
      out[#out + 1] = item
    end
  end
  return out
end

---The changes of constraints of tables that were there.
---@param what string      "added", "dropped", "validated"
---@param type? string     "check", …
function Facts:constraints(entry, what, type)
  local out = {}
  for _, item in ipairs(entry.constraints) do
    local constraint = item.constraint
    if item.what == what and (not type or constraint.type == type) and constraint.table
      and self:is_old(constraint.table) then
      out[#out + 1] = constraint
    end
  end
  return out
end

---Whether a statement made this index.
function Facts.makes_index(_, entry, oid)
  for _, relation in ipairs(entry.created) do
    if relation.oid == oid then
      return true
    end
  end
  return false
end

local function begins_with(list, columns)
  local wanted = {}
  for _, name in ipairs(columns) do
    wanted[name] = true
  end
  for i = 1, #columns do
    if not wanted[list[i] or ""] then
      return false
    end
  end
  return true
end

---Whether an index of a table, as it is afterwards, begins with these columns in any order.
---@param relation luamig.trace.Relation
---@param columns string[]
function Facts:has_index(relation, columns)
  local parent = "table " .. quote.ident(relation.schema) .. "." .. quote.ident(relation.name)
  for _, object in pairs(self.after and self.after.objects or {}) do
    local is_key = object.kind == "index" or object.type == "primary_key"
      or object.type == "unique"
    if is_key and object.parent == parent and not object.where
      and begins_with(object.columns or {}, columns) then
      return true
    end
  end
  return false
end

---The statement that did something to an object, for what only the snapshots tell: the one that
---dropped it, or the last that names it.
---@param object table   of a snapshot
---@param identity string
---@return luamig.trace.Entry|nil
function Facts:entry_of(object, identity)
  local naming
  for _, entry in ipairs(self.entries) do
    for _, relation in ipairs(entry.dropped) do
      if relation.name == object.name and relation.schema == object.schema then
        return entry
      end
    end
    for _, name in ipairs(entry.dropped_objects) do
      if name == identity then
        return entry
      end
    end
    naming = entry.sql:find(object.name, 1, true) and entry or naming
  end
  return naming
end

---How the revision says that it loses values; nil when it does not.
function Facts:says_loss()
  return self.rev.data_loss or self.rev.irreversible
end

---The identities that are in one snapshot and not in the other.
---@param kinds table<string, true>
---@return string[]
function Facts:gone(kinds)
  local out = {}
  for identity, object in pairs(self.before and self.before.objects or {}) do
    if kinds[object.kind] and self.after and not self.after.objects[identity] then
      out[#out + 1] = identity
    end
  end
  table.sort(out)
  return out
end

return facts
