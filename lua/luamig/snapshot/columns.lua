--- Columns of relations and composite types, and the columns of indexes that have a statistics
-- target of their own.

local builder = require("luamig.snapshot.builder")

local class = builder.class

local columns = {
  sql = [[
SELECT a.attrelid AS relation, a.attnum, a.attname AS name,
  pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
  CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END
    AS collation,
  NULLIF(a.attnotnull, false) AS not_null,
  CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END AS default,
  CASE a.attgenerated WHEN 's' THEN 'stored' WHEN 'v' THEN 'virtual' END AS generated,
  CASE WHEN a.attgenerated <> '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END
    AS expression,
  CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END AS identity,
  CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage END AS storage,
  CASE WHEN a.attstorage <> t.typstorage THEN t.typstorage END AS type_storage,
  CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END AS compression,
  CASE WHEN a.attstattarget >= 0 THEN a.attstattarget END AS statistics,
  a.attoptions AS options, a.attfdwoptions AS fdw_options,
  NULLIF(NOT a.attislocal, false) AS inherited,
  CASE WHEN a.attacl IS NOT NULL THEN {acl a.attacl c c.relowner} END AS acl,
  d.oid AS default_oid, NULLIF(c.relkind IN ('i', 'I'), false) AS of_index
FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
  LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_attrdef d ON a.atthasdef AND d.adrelid = a.attrelid
    AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relnamespace IN {schemas}
  AND (c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c')
    OR c.relkind IN ('i', 'I') AND a.attstattarget >= 0)
  AND c.oid NOT IN {members pg_class}
ORDER BY a.attrelid, a.attnum]],
}

local storages = { p = "plain", e = "external", m = "main", x = "extended" }

-- What few columns have.
local function tidy(row, build)
  if row.default_oid then
    build.defaults[row.default_oid] = row.relation << 12 | row.attnum
    row.default_oid = nil
  end
  if row.options then
    row.options = builder.options(row.options)
  end
  if row.fdw_options then
    row.fdw_options = builder.options(row.fdw_options)
  end
  if row.storage then
    row.storage, row.type_storage = storages[row.storage], storages[row.type_storage]
  end
end

local function take_index_column(row, build)
  build.index_statistics[row.relation] = build.index_statistics[row.relation] or {}
  table.insert(build.index_statistics[row.relation],
    { column = row.attnum, target = row.statistics })
end

function columns.take(rows, build)
  local relation_columns = build.columns
  local relation, numbered, ordered
  build.index_statistics = {}
  for _, row in ipairs(rows) do
    if row.of_index then
      take_index_column(row, build)
    else
      if row.relation ~= relation then
        relation = row.relation
        numbered = relation_columns[relation]
        ordered = numbered and build:object(class.relation, relation).columns
      end
      if numbered then
        tidy(row, build)
        numbered[row.attnum] = row
        ordered[#ordered + 1] = row
        row.relation, row.attnum = nil, nil
      end
    end
  end
end

return { columns = columns }
