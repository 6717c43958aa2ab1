--- Constraints of tables and domains, and indexes.

local builder = require("luamig.snapshot.builder")

local class = builder.class

-- Left out: constraint triggers (they are triggers) and the copies of a foreign key that the server
-- makes for each partition of the table it refers to. From PostgreSQL 18 (domains: 17) on NOT NULL
-- is a constraint too: only what tells it from the plain NOT NULL of the column is read.
local constraints = {
  sql = [[
SELECT k.oid, k.conname AS name, NULLIF(k.conrelid, 0) AS parent, NULLIF(k.contypid, 0) AS domain,
  k.contype AS type, k.conkey AS keys, NULLIF(k.confrelid, 0) AS referred,
  k.confkey AS referred_keys,
  CASE WHEN k.confrelid <> 0 THEN k.confrelid::regclass::text END AS referred_name,
  CASE WHEN k.contype <> 'n' THEN pg_catalog.pg_get_constraintdef(k.oid) END AS definition,
  CASE k.confdeltype WHEN 'c' THEN 'cascade' WHEN 'r' THEN 'restrict' WHEN 'n' THEN 'set null'
    WHEN 'd' THEN 'set default' END AS on_delete,
  CASE k.confupdtype WHEN 'c' THEN 'cascade' WHEN 'r' THEN 'restrict' WHEN 'n' THEN 'set null'
    WHEN 'd' THEN 'set default' END AS on_update,
  {since 15 ? k.confdelsetcols : NULL::int2[]} AS delete_keys,
  CASE k.confmatchtype WHEN 'f' THEN 'full' WHEN 'p' THEN 'partial' END AS match,
  NULLIF(k.condeferrable, false) AS deferrable, NULLIF(k.condeferred, false) AS initially_deferred,
  CASE WHEN {since 18 ? k.conenforced : true} THEN NULLIF(NOT k.convalidated, false) END
    AS not_valid,
  {since 18 ? NULLIF(NOT k.conenforced, false) : NULL::bool} AS not_enforced,
  CASE WHEN k.contype IN ('c', 'n') THEN NULLIF(k.connoinherit, false) END AS no_inherit,
  CASE WHEN k.conrelid <> 0 THEN NULLIF(NOT k.conislocal, false) END AS inherited,
  NULLIF(k.conparentid, 0) AS part_of
FROM pg_catalog.pg_constraint k
  LEFT JOIN pg_catalog.pg_constraint p ON p.oid = k.conparentid AND k.contype = 'f'{since 18 ?
  LEFT JOIN pg_catalog.pg_class r ON k.contype = 'n' AND r.oid = k.conrelid
  LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum = k.conkey[1] : }
WHERE k.connamespace IN {schemas} AND k.contype IN ('p', 'u', 'c', 'f', 'x'{since 17 ?, 'n' : })
  AND p.conrelid IS DISTINCT FROM k.conrelid{since 18 ?
  AND (k.contype <> 'n' OR k.connoinherit OR NOT k.convalidated OR NOT k.conislocal
    OR k.contypid <> 0 OR k.conname <> r.relname || '_' || a.attname || '_not_null'
    OR k.oid IN (SELECT x.objoid FROM pg_catalog.pg_description x
      WHERE x.classoid = 'pg_catalog.pg_constraint'::regclass)) : }]],
}

local types = {
  p = "primary_key", u = "unique", c = "check", f = "foreign_key", x = "exclude",
}

local function take_not_null(row, build)
  local columns = build.columns[row.parent]
  local column = columns and columns[row.keys[1]]
  if column then
    local object = build:object(class.relation, row.parent)
    local is_default = row.name == object.name .. "_" .. column.name .. "_not_null"
    column.not_null_name = not is_default and row.name or nil
    column.not_null_no_inherit = row.no_inherit
    column.not_null_not_valid = row.not_valid
    column.not_null_inherited = row.inherited
    build.not_nulls[row.oid] = column
  end
end

local function take_domain_not_null(row, build)
  local domain = build:object(class.type, row.domain)
  if domain then
    local is_default = row.name == domain.name .. "_not_null"
    domain.not_null_name = not is_default and row.name or nil
    build.not_nulls[row.oid] = domain
  end
end

local function take_foreign_key(row, build, table_oid)
  local identity = build.ids[class.relation][row.referred]
  row.references = {
    table = identity or "table " .. row.referred_name,
    columns = identity and build:column_names(row.referred, row.referred_keys),
  }
  row.on_delete_columns = row.delete_keys and build:column_names(table_oid, row.delete_keys)
  row.referred, row.referred_keys, row.referred_name, row.delete_keys = nil, nil, nil, nil
end

local function take_constraint(row, build)
  local parent_class = row.parent and class.relation or class.type
  local table_oid = row.parent
  row.parent, row.domain = row.parent or row.domain, nil
  row.type = types[row.type]
  row.columns = row.keys and table_oid and build:column_names(table_oid, row.keys)
  row.keys = nil
  if row.columns and #row.columns == 0 then
    row.columns = nil -- CHECK (true)
  end
  if row.referred then
    take_foreign_key(row, build, table_oid)
  end
  build.constraint_parts[row] = row.part_of
  build:add_child(class.constraint, "constraint", row, parent_class)
end

function constraints.take(rows, build)
  build.not_nulls, build.constraint_parts = {}, {}
  for _, row in ipairs(rows) do
    if row.type ~= "n" then
      take_constraint(row, build)
    elseif row.parent then
      take_not_null(row, build)
    else
      take_domain_not_null(row, build)
    end
  end
  for row, part_of in pairs(build.constraint_parts) do
    row.part_of = build.ids[class.constraint][part_of]
  end
end

local indexes = {
  sql = [[
SELECT i.indexrelid AS oid, i.indrelid AS parent, c.relname AS name, k.oid AS constraint_oid,
  CASE WHEN k.oid IS NULL THEN pg_catalog.pg_get_indexdef(i.indexrelid) END AS definition,
  m.amname AS method, NULLIF(i.indisunique, false) AS unique,
  i.indkey::int2[] AS keys, i.indnkeyatts AS key_count,
  CASE WHEN i.indexprs IS NOT NULL THEN ARRAY(
    SELECT pg_catalog.pg_get_indexdef(i.indexrelid, g.n, false)
    FROM pg_catalog.generate_series(1, i.indnkeyatts) g (n)
    WHERE i.indkey[g.n - 1] = 0 ORDER BY g.n) END AS expressions,
  pg_catalog.pg_get_expr(i.indpred, i.indrelid) AS where,
  {since 15 ? NULLIF(i.indnullsnotdistinct, false) : NULL::bool} AS nulls_not_distinct,
  NULLIF(NOT i.indisvalid, false) AS invalid,
  NULLIF(i.indisclustered, false) AS is_clustered, NULLIF(i.indisreplident, false) AS is_identity,
  c.reloptions AS options, s.spcname AS tablespace
FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_am m ON m.oid = c.relam
  LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace
  LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = i.indexrelid
    AND k.contype IN ('p', 'u', 'x')
WHERE c.relnamespace IN {schemas}]],
}

-- Facts of the index of a constraint that the constraint's definition does not tell.
local function take_constraint_index(row, build, statistics)
  local object, identity = build:object(class.constraint, row.constraint_oid)
  if not object then
    return
  end
  build.ids[class.relation][row.oid] = identity
  build.constraint_indexes[row.oid] = object
  if row.options or row.tablespace or row.invalid or statistics then
    object.index = {
      options = builder.options(row.options), tablespace = row.tablespace,
      invalid = row.invalid, statistics = statistics,
    }
  end
end

local function take_keys(row, build)
  local keys, include = {}, {}
  for i, number in ipairs(row.keys) do
    local list = i <= row.key_count and keys or include
    list[#list + 1] = number
  end
  local columns = build:column_names(row.parent, keys)
  row.columns = #columns > 0 and columns or nil
  row.include = #include > 0 and build:column_names(row.parent, include) or nil
  row.keys, row.key_count = nil, nil
end

local function take_index(row, build, statistics)
  take_keys(row, build)
  row.options = builder.options(row.options)
  row.statistics = statistics
  local oid, parent = row.oid, row.parent
  local object = build:object(class.relation, parent)
  if object then
    row.oid, row.parent = nil, build.ids[class.relation][parent]
    row.schema = object.schema
    build:add_qualified(class.relation, oid, "index", row)
  end
end

function indexes.take(rows, build)
  build.constraint_indexes = {}
  for _, row in ipairs(rows) do
    local object = build:object(class.relation, row.parent)
    if object then
      object.clustered_on = row.is_clustered and row.name or object.clustered_on
      object.replica_identity = row.is_identity and row.name or object.replica_identity
      row.is_clustered, row.is_identity = nil, nil
      local statistics = build.index_statistics[row.oid]
      if row.constraint_oid then
        take_constraint_index(row, build, statistics)
      else
        take_index(row, build, statistics)
      end
    end
  end
end

return { constraints = constraints, indexes = indexes }
