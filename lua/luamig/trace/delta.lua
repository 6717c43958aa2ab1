--- What is known of the relations of a database, and what a sample (luamig.trace.sample) says has
-- changed since the one before. Relations are told by their OID: a rename is seen as one.

local quote = require("luamig.quote")
local value = require("luamig.value")

local delta = {}

local Known = {}
Known.__index = Known

local kinds = {
  r = "table", p = "partitioned table", i = "index", I = "partitioned index", S = "sequence",
  v = "view", m = "materialized view", f = "foreign table", c = "composite type",
}

local constraint_types = {
  p = "primary_key", u = "unique", c = "check", f = "foreign_key", x = "exclude",
}

-- JSON's null as nil.
local function plain(item)
  if item == value.null or type(item) == "userdata" then
    return nil
  end
  return item
end

local function rows(list)
  return type(list) == "table" and list or {}
end

---A name as users write it: without "public.".
function delta.shown(schema, name)
  if schema == "public" then
    return quote.ident(name)
  end
  return quote.ident(schema) .. "." .. quote.ident(name)
end

---@class luamig.trace.Relation
---@field oid integer
---@field file integer   relfilenode
---@field schema string
---@field name string
---@field shown string   "users", "app.users"
---@field kind string    "table", "index", …
---@field table? luamig.trace.Relation  of an index
---@field parent? integer  OID of the partitioned table
---@field is_valid? boolean  of an index
---@field definition? string  of an index
---@field born integer   number of the revision that made it; 0: it was there

local function relation_of(row)
  return {
    oid = row[1], file = row[2], schema = row[3], name = row[4],
    shown = delta.shown(row[3], row[4]), kind = kinds[row[5]] or row[5],
    table_oid = plain(row[6]), parent = plain(row[7]), tablespace = row[8],
    is_valid = plain(row[9]), is_unique = plain(row[10]), definition = plain(row[11]),
    is_primary = plain(row[13]),
  }
end

local function column_of(row)
  return {
    number = row[2], name = row[3], type = row[4], not_null = row[5], default = plain(row[6]),
    generated = row[7] ~= "" and row[7] or nil, identity = row[8] ~= "" and row[8] or nil,
    collation = row[9], is_domain = row[10] == "d" or nil, base_type = plain(row[11]),
  }
end

local function constraint_of(row)
  return {
    oid = row[1], table_oid = row[2], name = row[4], type = constraint_types[row[5]] or row[5],
    is_valid = row[6], index = row[7], refers = row[8] ~= 0 and row[8] or nil,
    definition = row[9], keys = plain(row[10]) or {}, domain = plain(row[11]),
    refers_keys = plain(row[12]) or {},
  }
end

local own_tables = { "history", "journal", "backfill", "backfill_range", "backfill_error",
  "backfill_event" }

---@param own_schema string  where luamig's own tables are: they are passed over
---@param version_table string
---@return table known  nothing yet
function delta.new(own_schema, version_table)
  local own = { [version_table] = true, [version_table .. "_history"] = true,
    [version_table .. "_journal"] = true }
  for _, name in ipairs(own_tables) do
    own[name] = true
  end
  return setmetatable({
    own_schema = own_schema, own = own,
    relations = {}, columns = {}, constraints = {}, enums = {}, counters = {},
    born = 0, -- number of the revision that makes what is seen first now
  }, Known)
end

local function changes()
  return {
    created = {}, dropped = {}, renamed = {}, rewritten = {}, columns = {}, constraints = {},
    enums = {}, scanned = {}, changed = {},
  }
end

local function add(list, item)
  list[#list + 1] = item
end

local fields = { "file", "schema", "name", "shown", "parent", "tablespace", "is_valid",
  "definition", "is_primary" }

-- A schema of luamig's own holds nothing else.
local function is_own(self, row)
  return row[3] == self.own_schema and (row[3] ~= "public" or self.own[row[4]])
end

function Known:take_relation(row, out)
  if is_own(self, row) then
    return
  end
  local now = relation_of(row)
  local known = self.relations[now.oid]
  if not known then
    now.born = self.born
    self.relations[now.oid] = now
    add(out.created, now)
    return
  end
  if known.name ~= now.name or known.schema ~= now.schema then
    add(out.renamed, { relation = known, from = known.shown, to = now.shown,
      is_moved = known.schema ~= now.schema })
  end
  if known.file ~= now.file and now.file ~= 0 then
    add(out.rewritten, { relation = known, is_moved = known.tablespace ~= now.tablespace })
  end
  if known.is_valid == false and now.is_valid then
    known.is_made_valid = true
  end
  for _, field in ipairs(fields) do
    known[field] = now[field]
  end
end

local function compare_column(relation, before, now, out)
  local function note(what)
    add(out.columns, { relation = relation, what = what, name = now.name, before = before,
      now = now })
  end
  if before.name ~= now.name then
    note("renamed")
  end
  for _, field in ipairs({ "type", "not_null", "default", "collation", "generated", "identity" }) do
    if before[field] ~= now[field] then
      note(field)
    end
  end
end

-- The columns of one relation, as they are now.
function Known:take_columns(relation, now, out)
  local before = self.columns[relation.oid]
  self.columns[relation.oid] = now
  if not before then
    return -- a new relation
  end
  for number, column in pairs(now) do
    if before[number] then
      compare_column(relation, before[number], column, out)
    else
      add(out.columns, { relation = relation, what = "added", name = column.name, now = column })
    end
  end
  for number, column in pairs(before) do
    if not now[number] then
      add(out.columns, { relation = relation, what = "dropped", name = column.name,
        before = column })
    end
  end
  table.sort(out.columns, function(a, b)
    if a.relation ~= b.relation then
      return a.relation.oid < b.relation.oid
    end
    local one, other = a.now or a.before, b.now or b.before
    return one.number == other.number and a.what < b.what or one.number < other.number
  end)
end

function Known:take_all_columns(list, out, looked_at)
  local of = {}
  for _, row in ipairs(list) do
    of[row[1]] = of[row[1]] or {}
    of[row[1]][row[2]] = column_of(row)
  end
  for oid in pairs(looked_at) do
    local relation = self.relations[oid]
    if relation and not relation.table_oid then
      self:take_columns(relation, of[oid] or {}, out)
    end
  end
end

function Known:note_constraint(out, what, constraint)
  constraint.table = self.relations[constraint.table_oid] or constraint.table
  constraint.referred = constraint.refers and self.relations[constraint.refers]
  constraint.columns, constraint.referred_columns = {}, {}
  local columns = self.columns[constraint.table_oid] or {}
  for i, number in ipairs(constraint.keys) do
    constraint.columns[i] = columns[number] and columns[number].name
  end
  columns = self.columns[constraint.refers] or {}
  for i, number in ipairs(constraint.refers_keys) do
    constraint.referred_columns[i] = columns[number] and columns[number].name
  end
  add(out.constraints, { what = what, constraint = constraint })
end

function Known:take_constraints(list, out, looked_at)
  local seen = {}
  for _, row in ipairs(list) do
    local now = constraint_of(row)
    local before = self.constraints[now.oid]
    seen[now.oid] = true
    self.constraints[now.oid] = now
    now.table = self.relations[now.table_oid]
    now.born = before and before.born or self.born
    if not before then
      self:note_constraint(out, "added", now)
    elseif now.is_valid and not before.is_valid then
      self:note_constraint(out, "validated", now)
    elseif before.name ~= now.name then
      self:note_constraint(out, "renamed", now)
    end
  end
  for oid, constraint in pairs(self.constraints) do
    local is_looked_at = constraint.table_oid == 0 or looked_at[constraint.table_oid]
    if is_looked_at and not seen[oid] then
      self.constraints[oid] = nil
      self:note_constraint(out, "dropped", constraint)
    end
  end
  table.sort(out.constraints, function(a, b)
    return a.constraint.oid < b.constraint.oid
  end)
end

function Known:take_enums(list, out)
  local seen, has = {}, {}
  for _, known in pairs(self.enums) do
    has[known.type] = true
  end
  for _, row in ipairs(list) do
    local oid, type, label = row[1], row[2], row[3]
    local known = self.enums[oid]
    seen[oid] = true
    if not known and has[type] then
      add(out.enums, { what = "added", type = type, label = label })
    elseif known and known.label ~= label then
      add(out.enums, { what = "renamed", type = type, label = label, from = known.label })
    end
    self.enums[oid] = { type = type, label = label }
  end
  for oid, known in pairs(self.enums) do
    if not seen[oid] then
      self.enums[oid] = nil
      add(out.enums, { what = "dropped", type = known.type, label = known.label })
    end
  end
end

---Forgets the counters: a transaction begins with those given.
function Known:set_counters(list)
  self.counters = {}
  for _, row in ipairs(rows(list)) do
    self.counters[row[1]] = row
  end
end

local none = { 0, 0, 0, 0, 0, 0 }

local function grown(before, row, i)
  return math.tointeger(row[i] - before[i])
end

function Known:take_counters(list, out)
  for _, row in ipairs(list) do
    local oid = row[1]
    local before, relation = self.counters[oid] or none, self.relations[oid]
    self.counters[oid] = row
    if relation and not relation.table_oid then
      local changed = {
        relation = relation, inserted = grown(before, row, 4), updated = grown(before, row, 5),
        deleted = grown(before, row, 6),
      }
      if row[2] > before[2] then
        add(out.scanned, { relation = relation, scans = grown(before, row, 2),
          tuples = grown(before, row, 3) })
      end
      if changed.inserted + changed.updated + changed.deleted > 0 then
        add(out.changed, changed)
      end
    end
  end
end

function Known:drop(oid, out)
  local relation = self.relations[oid]
  if relation then
    self.relations[oid], self.columns[oid] = nil, nil
    relation.is_dropped = true
    add(out.dropped, relation)
  end
end

-- An index keeps its table when both are dropped.
function Known:link_indexes()
  for _, relation in pairs(self.relations) do
    relation.table = relation.table_oid and self.relations[relation.table_oid] or relation.table
  end
end

-- Which relations the sample speaks of; what is locked and in no catalog any more was dropped.
function Known:take_relations(sample, out, is_all)
  local looked_at, listed = {}, {}
  for _, row in ipairs(rows(sample.relations)) do
    looked_at[row[1]], listed[row[1]] = true, true
    self:take_relation(row, out)
  end
  for _, lock in ipairs(rows(sample.locks)) do
    if lock[2] == "AccessExclusiveLock" and self.relations[lock[1]] and not listed[lock[1]] then
      looked_at[lock[1]] = true
      self:drop(lock[1], out)
    end
  end
  for oid in pairs(is_all and self.relations or {}) do
    if not listed[oid] then
      looked_at[oid] = true
      self:drop(oid, out)
    end
  end
  self:link_indexes()
  return looked_at
end

---Takes a sample.
---@param sample table  a row of luamig.trace.sample's locked or all
---@param is_all? boolean  it speaks of all relations
---@return table changes  created, dropped, renamed, rewritten, columns, constraints, enums,
---  scanned, changed: lists
function Known:take(sample, is_all)
  local out = changes()
  local looked_at = self:take_relations(sample, out, is_all)
  self:take_all_columns(rows(sample.columns), out, looked_at)
  self:take_constraints(rows(sample.constraints), out, looked_at)
  self:take_enums(rows(sample.enums), out)
  self:take_counters(rows(sample.counters), out)
  return out
end

return delta
