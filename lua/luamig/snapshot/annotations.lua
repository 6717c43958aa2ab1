--- What is said about objects of any kind: comments, security labels, and who needs whom.

local builder = require("luamig.snapshot.builder")

local class = builder.class

-- Objects below OID 16384 come with the server; of them only public and plpgsql are ever read.
local comments = {
  sql = [[
SELECT d.classoid AS class, d.objoid AS oid, d.objsubid AS attnum, d.description AS text,
  NULL::text AS provider
FROM pg_catalog.pg_description d
WHERE d.objoid >= 16384 OR d.classoid IN ('pg_catalog.pg_namespace'::regclass,
  'pg_catalog.pg_extension'::regclass)
UNION ALL
SELECT l.classoid, l.objoid, l.objsubid, l.label, l.provider
FROM pg_catalog.pg_seclabel l]],
}

local function annotate(target, row)
  if not row.provider then
    target.comment = row.text
  else
    target.labels = target.labels or {}
    target.labels[row.provider] = row.text
  end
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
    else
      local target = target_of(row, build)
      if target then
        annotate(target, row)
      end
    end
  end
end

-- Read as columns, not rows: there are many. Left out: row types and TOAST tables, which are parts
-- of their table, triggers of constraints, and NOT NULL constraints.
local dependencies = {
  sql = [[
SELECT pg_catalog.array_agg(d.classid) AS class, pg_catalog.array_agg(d.objid) AS oid,
  pg_catalog.array_agg(d.objsubid) AS attnum, pg_catalog.array_agg(d.refclassid) AS ref_class,
  pg_catalog.array_agg(d.refobjid) AS ref_oid, pg_catalog.array_agg(d.refobjsubid) AS ref_attnum,
  pg_catalog.string_agg(d.deptype, '') AS strength
FROM pg_catalog.pg_depend d
WHERE (d.refobjid >= 16384 OR d.refclassid IN ('pg_catalog.pg_namespace'::regclass,
    'pg_catalog.pg_extension'::regclass))
  AND NOT (d.deptype = 'i' AND (d.classid = 'pg_catalog.pg_trigger'::regclass
    OR d.classid IN ('pg_catalog.pg_type'::regclass, 'pg_catalog.pg_class'::regclass)
      AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid = 0)){since 18 ?
  AND NOT (d.classid = 'pg_catalog.pg_constraint'::regclass AND d.deptype = 'a'
    AND d.objid IN (SELECT k.oid FROM pg_catalog.pg_constraint k WHERE k.contype = 'n')) : }]],
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

function Graph:whole(class_oid, oid)
  local of_class = self.wholes[class_oid]
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
  local row = self.row
  for i = 1, #row.class do
    local deptype = row.strength:sub(i, i)
    local into = folded[row.class[i]]
    if deptype == "e" then
      self:put(self.build.members, i, self.build.ids[class.extension][row.ref_oid[i]])
    elseif deptype == "i" or (into and into[row.ref_class[i]]) then
      self:put(self.wholes, i, i)
    end
  end
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
    local row = self.row
    return self:identity(row.ref_class[whole], row.ref_oid[whole], row.ref_attnum[whole])
  end
  return nil
end

function Graph:add(from, to, strength)
  local depends = self.build.value.depends
  local edges = depends[from]
  if not edges then
    edges = {}
    depends[from] = edges
  end
  local known = edges[to]
  if not known or ranks[known] < ranks[strength] then
    edges[to] = strength
  end
end

-- An object and its own columns need no edge; two columns of one table may.
function Graph:is_within(from, to)
  local parts = self.build.value.parts
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
  local graph = setmetatable({ row = row, build = build, wholes = {} }, Graph)
  graph:sort_out()
  for i = 1, #row.class do
    graph:take(i)
  end
end

return { comments = comments, dependencies = dependencies }
