--- What is said about objects of any kind: comments, security labels, and who needs whom.

local builder = require("luamig.snapshot.builder")

local class = builder.class
local rows_of = builder.rows

-- Objects below OID 16384 come with the server; of them only public and plpgsql are ever read.
local everything = {
  class.relation, class.type, class["function"], class.statistics, class.schema,
}

local comments = {
  of = everything, catalogs = { "pg_description", "pg_seclabel" },
  sql = [[
{parts}SELECT d.classoid AS class, d.objoid AS oid, d.objsubid AS attnum, d.description AS text,
  NULL::text AS provider
FROM {rows pg_description objoid classoid} d
WHERE d.objoid >= 16384 OR d.classoid IN ('pg_catalog.pg_namespace'::regclass,
  'pg_catalog.pg_extension'::regclass)
UNION ALL
SELECT l.classoid, l.objoid, l.objsubid, l.label, l.provider
FROM {rows pg_seclabel objoid classoid} l]],
}

local function annotate(target, row, build)
  if not row.provider then
    target.comment = row.text
  else
    target.labels = target.labels or {}
    target.labels[row.provider] = row.text
  end
  build:count(build:unit_with(row.class, row.oid),
    row.provider and rows_of.label or rows_of.comment)
end

-- Where the comment goes: the object, one of its columns, or the index of a constraint.
local function target_of(row, build)
  if row.attnum > 0 then
    local columns = build.columns[row.oid]
    return columns and columns[row.attnum]
  end
  local constraint = row.class == class.relation and build.constraint_indexes[row.oid]
  if constraint then
    constraint.index = constraint.index or {}
    return constraint.index
  end
  local identity_column = row.class == class.relation and build.identity_sequences[row.oid]
  return identity_column or build.ids[row.class] and (build:object(row.class, row.oid))
end

function comments.take(rows, build)
  for _, row in ipairs(rows) do
    local not_null = row.class == class.constraint and build.not_nulls[row.oid]
    if not_null then
      not_null.not_null_comment = row.text
      build:count(build:unit_with(row.class, row.oid), rows_of.comment)
    else
      local target = target_of(row, build)
      if target then
        annotate(target, row, build)
      end
    end
  end
end

-- Read as columns, not rows: there are many. Left out: row types and TOAST tables, which are parts
-- of their table, triggers of constraints, and NOT NULL constraints.
local dependencies = {
  of = everything,
  sql = [[
{parts}SELECT pg_catalog.array_agg(d.classid) AS class, pg_catalog.array_agg(d.objid) AS oid,
  pg_catalog.array_agg(d.objsubid) AS attnum, pg_catalog.array_agg(d.refclassid) AS ref_class,
  pg_catalog.array_agg(d.refobjid) AS ref_oid, pg_catalog.array_agg(d.refobjsubid) AS ref_attnum,
  pg_catalog.string_agg(d.deptype, '') AS strength
FROM {edges} d
WHERE (d.refobjid >= 16384 OR d.refclassid IN ('pg_catalog.pg_namespace'::regclass,
    'pg_catalog.pg_extension'::regclass))
  AND NOT (d.deptype = 'i' AND (d.classid = 'pg_catalog.pg_trigger'::regclass
    OR d.classid IN ('pg_catalog.pg_type'::regclass, 'pg_catalog.pg_class'::regclass)
      AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid = 0)){since 18 ?
  AND NOT (d.classid = 'pg_catalog.pg_constraint'::regclass AND d.deptype = 'a'
    AND EXISTS (SELECT FROM pg_catalog.pg_constraint k
      WHERE k.oid = d.objid AND k.contype = 'n')) : }]],
}

local words = { n = "normal", a = "auto", i = "internal", P = "internal", S = "auto" }
local ranks = { part = 1, normal = 2, auto = 3, internal = 4 }

-- Rows of catalogs that are told within another object, and the catalogs of that object.
local folded = {
  [class.amop] = { [class.operator_class] = true, [class.operator_family] = true },
  [class.amproc] = { [class.operator_class] = true, [class.operator_family] = true },
  [class.publication_table] = { [class.publication] = true },
  [class.publication_schema] = { [class.publication] = true },
}

local Graph = {}
Graph.__index = Graph

-- What a row is a part of, in one integer: no OID of a catalog has more than 14 bits, no number of
-- a column more than 12.
local function pack(class_oid, oid, attnum)
  return class_oid << 44 | oid << 12 | attnum
end

local function unpack_whole(packed)
  return packed >> 44, packed >> 12 & 0xffffffff, packed & 0xfff
end

function Graph:whole(class_oid, oid)
  local of_class = self.build.wholes[class_oid]
  return of_class and of_class[oid]
end

function Graph:put(list, i, what)
  local of_class = list[self.row.class[i]]
  if not of_class then
    of_class = {}
    list[self.row.class[i]] = of_class
  end
  of_class[self.row.oid[i]] = what
end

-- First look: which rows are parts of others, and which belong to extensions.
function Graph:sort_out()
  local row, parts = self.row, {}
  for i = 1, #row.class do
    local deptype = row.strength:sub(i, i)
    local into = folded[row.class[i]]
    if deptype == "e" then
      self:put(self.build.members, i, self.build.ids[class.extension][row.ref_oid[i]])
    elseif deptype == "i" or (into and into[row.ref_class[i]]) then
      self:put(self.build.wholes, i, pack(row.ref_class[i], row.ref_oid[i], row.ref_attnum[i]))
      parts[#parts + 1] = i
    end
  end
  for _, i in ipairs(parts) do
    self:own(row.class[i], row.oid[i])
  end
end

-- A part is in the unit of its whole.
function Graph:own(class_oid, oid)
  local build = self.build
  local unit = build:unit_with(class_oid, oid)
  local whole = not unit and self:whole(class_oid, oid)
  if whole then
    local ref_class, ref_oid = unpack_whole(whole)
    unit = self:own(ref_class, ref_oid)
    if unit then
      build:own(unit, class_oid, oid, class_oid == class["function"])
    end
  end
  return unit
end

---The identity of a row of any catalog, or of what it is a part of.
function Graph:identity(class_oid, oid, attnum)
  local build = self.build
  local ids = build.ids[class_oid]
  local identity = ids and ids[oid]
  if identity then
    return attnum > 0 and class_oid == class.relation and build:column_identity(oid, attnum)
      or identity
  end
  local column = class_oid == class.default and build.defaults[oid]
  if column then
    return build:column_identity(column >> 12, column & 0xfff)
  end
  local whole = self:whole(class_oid, oid)
  if whole then
    return self:identity(unpack_whole(whole))
  end
  return nil
end

function Graph:add(from, to, strength)
  local build = self.build
  local edges = build.value.depends[from]
  if not edges then
    edges = {}
    build:put_edges(from, edges)
    local unit = build.unit_of[from] or build.unit_of[build.parts[from]]
    if unit then -- an extension that is not in the value has none
      unit.edges[#unit.edges + 1] = from
    end
  end
  local known = edges[to]
  if not known or ranks[known] < ranks[strength] then
    edges[to] = strength
  end
  build:note_edge(from, to)
end

-- An object and its own columns need no edge; two columns of one table may.
function Graph:is_within(from, to)
  local parts = self.build.parts
  return from == to or parts[from] == to or parts[to] == from
end

function Graph:take(i)
  local row = self.row
  local class_oid, deptype = row.class[i], row.strength:sub(i, i)
  local from = self:identity(class_oid, row.oid[i], row.attnum[i])
  if not from then
    return
  end
  local to = self:identity(row.ref_class[i], row.ref_oid[i], row.ref_attnum[i])
    or self.build:member(row.ref_class[i], row.ref_oid[i])
  if deptype == "x" then
    local object = self.build.value.objects[from]
    object.extensions = object.extensions or {}
    table.insert(object.extensions, to)
    table.sort(object.extensions)
  elseif to and words[deptype] and not self:is_within(from, to) then
    local is_part = folded[class_oid] and deptype == "a"
    self:add(from, to, is_part and "part" or words[deptype])
  end
end

function dependencies.take(rows, build)
  local row = rows[1]
  if not row.class then
    return
  end
  local graph = setmetatable({ row = row, build = build }, Graph)
  graph:sort_out()
  for i = 1, #row.class do
    graph:take(i)
  end
end

return { comments = comments, dependencies = dependencies }
