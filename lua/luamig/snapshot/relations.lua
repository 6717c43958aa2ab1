--- Tables, foreign tables, views and materialized views: what pg_class and pg_inherits tell; and
-- sequences.

local builder = require("luamig.snapshot.builder")

local class = builder.class

local kinds = {
  r = "table", p = "table", f = "foreign table", v = "view", m = "materialized view",
}

local relations = {
  sql = [[
SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind AS relkind,
  pg_catalog.pg_get_userbyid(c.relowner) AS owner, {acl c.relacl r c.relowner} AS acl,
  NULLIF(c.relpersistence = 'u', false) AS unlogged,
  NULLIF(c.relrowsecurity, false) AS row_security,
  NULLIF(c.relforcerowsecurity, false) AS force_row_security,
  CASE WHEN c.relkind NOT IN ('r', 'p', 'm') THEN NULL
    WHEN c.relreplident = 'f' THEN 'full' WHEN c.relreplident = 'n' THEN 'nothing' END
    AS replica_identity,
  NULLIF(m.amname, 'heap') AS access_method, s.spcname AS tablespace,
  c.reloptions AS options, t.reloptions AS toast_options,
  NULLIF(c.reltype, 0) AS row_type,
  CASE WHEN c.reloftype <> 0 THEN 'composite ' || c.reloftype::regtype END AS of_type,
  CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END AS partition_by,
  CASE WHEN c.relispartition THEN pg_catalog.pg_get_expr(c.relpartbound, c.oid) END AS bound,
  CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END AS definition,
  CASE WHEN c.relkind = 'm' AND NOT c.relispopulated THEN true END AS not_populated,
  w.srvname AS server, f.ftoptions AS fdw_options
FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_am m ON m.oid = c.relam
  LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace
  LEFT JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid AND t.reloptions IS NOT NULL
  LEFT JOIN pg_catalog.pg_foreign_table f ON f.ftrelid = c.oid
  LEFT JOIN pg_catalog.pg_foreign_server w ON w.oid = f.ftserver
WHERE c.relnamespace IN {schemas} AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
  AND c.oid NOT IN {members pg_class}]],
}

function relations.take(rows, build)
  local type_ids = build.ids[class.type]
  for _, row in ipairs(rows) do
    local oid, row_type, kind = row.oid, row.row_type, kinds[row.relkind]
    row.oid, row.row_type, row.relkind = nil, nil, nil
    row.options = builder.options(row.options)
    row.toast_options = builder.options(row.toast_options)
    row.fdw_options = builder.options(row.fdw_options)
    row.columns = {}
    local identity = build:add_qualified(class.relation, oid, kind, row)
    if identity then
      build.names[oid] = identity:sub(#kind + 2)
      build.columns[oid] = {}
      if row_type then
        type_ids[row_type] = identity
      end
    end
  end
end

local inheritance = {
  sql = [[
SELECT i.inhrelid AS child, i.inhparent AS parent, i.inhparent::regclass::text AS parent_name,
  NULLIF(i.inhdetachpending, false) AS detach_pending
FROM pg_catalog.pg_inherits i ORDER BY i.inhrelid, i.inhseqno]],
}

local subordinate = { index = true, constraint = true }

local function take_parent(object, parent, row)
  if subordinate[object.kind] then
    object.part_of = parent or "index " .. row.parent_name
    return
  end
  -- A parent that is not in the value (another schema, an extension's) is named all the same.
  parent = parent or "table " .. row.parent_name
  object.detach_pending = row.detach_pending
  if object.bound then
    object.partition_of = parent
  else
    object.inherits = object.inherits or {}
    table.insert(object.inherits, parent)
  end
end

function inheritance.take(rows, build)
  local ids = build.ids[class.relation]
  for _, row in ipairs(rows) do
    local object = build:object(class.relation, row.child)
    if object then
      take_parent(object, ids[row.parent], row)
    end
  end
end

local sequences = {
  sql = [[
SELECT c.oid, n.nspname AS schema, c.relname AS name,
  pg_catalog.pg_get_userbyid(c.relowner) AS owner, {acl c.relacl s c.relowner} AS acl,
  NULLIF(c.relpersistence = 'u', false) AS unlogged,
  pg_catalog.format_type(s.seqtypid, NULL) AS type,
  NULLIF(s.seqstart, CASE WHEN s.seqincrement > 0 THEN s.seqmin ELSE s.seqmax END) AS start,
  NULLIF(s.seqincrement, 1) AS increment,
  NULLIF(s.seqmin, CASE WHEN s.seqincrement > 0 THEN 1 ELSE l.low END) AS min_value,
  NULLIF(s.seqmax, CASE WHEN s.seqincrement > 0 THEN l.high ELSE -1 END) AS max_value,
  NULLIF(s.seqcache, 1) AS cache, NULLIF(s.seqcycle, false) AS cycle,
  d.refobjid AS relation, d.refobjsubid AS attnum, NULLIF(d.deptype = 'i', false) AS is_identity,
  'nextval(' || pg_catalog.quote_literal(c.oid::regclass::text) || '::regclass)' AS nextval
FROM pg_catalog.pg_sequence s
  JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN (VALUES ('int2'::regtype, -32768, 32767), ('int4'::regtype, -2147483648, 2147483647),
    ('int8'::regtype, -9223372036854775808, 9223372036854775807)) l (type, low, high)
    ON l.type = s.seqtypid
  LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::regclass
    AND d.objid = c.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass
    AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
WHERE c.relnamespace IN {schemas} AND c.oid NOT IN {members pg_class}]],
}

-- The sequence of an identity column has the owner, the schema and the persistence of its table.
local function take_identity(row, column, owner)
  row.schema, row.owner, row.type = nil, nil, nil
  row.logged = owner.unlogged and not row.unlogged or nil
  row.unlogged = not owner.unlogged and row.unlogged or nil
  column.sequence = row
end

local function take_sequence(row, build)
  local oid, relation, attnum = row.oid, row.relation, row.attnum
  local is_identity, nextval = row.is_identity, row.nextval
  row.oid, row.relation, row.attnum, row.is_identity, row.nextval = nil, nil, nil, nil, nil
  local column = relation and build.columns[relation] and build.columns[relation][attnum]
  if relation and not column then
    return -- of a table that is not in the value
  elseif is_identity then
    take_identity(row, column, (build:object(class.relation, relation)))
    build.identity_sequences[oid] = row
    return
  end
  local identity = build:add_qualified(class.relation, oid, "sequence", row)
  if identity and column then
    row.owned_by = build:column_identity(relation, attnum)
    column.serial = column.default == nextval and identity or column.serial
  end
end

function sequences.take(rows, build)
  build.identity_sequences = {}
  for _, row in ipairs(rows) do
    take_sequence(row, build)
  end
end

return { relations = relations, inheritance = inheritance, sequences = sequences }
