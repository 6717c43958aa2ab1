--- Schemas, extensions and types.

local builder = require("luamig.snapshot.builder")

local class = builder.class

local schemas = {
  sql = [[
SELECT n.oid, n.nspname AS name, pg_catalog.pg_get_userbyid(n.nspowner) AS owner,
  {acl n.nspacl n n.nspowner} AS acl
FROM pg_catalog.pg_namespace n
WHERE n.oid IN {schemas} AND n.oid NOT IN {members pg_namespace}]],
}

function schemas.take(rows, build)
  for _, row in ipairs(rows) do
    local oid = row.oid
    row.oid = nil
    build:add_qualified(class.schema, oid, "schema", row)
  end
end

-- Every extension is known, for objects may need one that is outside the schemas that are read.
local extensions = {
  sql = [[
SELECT e.oid, e.extname AS name, e.extversion AS version, n.nspname AS schema,
  pg_catalog.pg_get_userbyid(e.extowner) AS owner,
  {wide} OR e.extnamespace IN {schemas} AS is_read
FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace]],
}

function extensions.take(rows, build)
  for _, row in ipairs(rows) do
    local oid, is_read, name = row.oid, row.is_read, build:ident(row.name)
    row.oid, row.is_read = nil, nil
    if is_read then
      build:add(class.extension, oid, "extension", name, row)
    end
    build.ids[class.extension][oid] = "extension " .. name
  end
end

-- Left out: row types of tables, arrays and multiranges, which come and go with another object.
local types = {
  sql = [[
SELECT t.oid, n.nspname AS schema, t.typname AS name,
  pg_catalog.pg_get_userbyid(t.typowner) AS owner, {acl t.typacl T t.typowner} AS acl,
  CASE WHEN t.typisdefined THEN t.typtype ELSE 's' END AS kind,
  CASE WHEN t.typtype = 'c' THEN t.typrelid END AS relation,
  CASE WHEN t.typtype = 'e' THEN ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e
    WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) END AS labels,
  CASE WHEN t.typtype = 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END AS type,
  CASE WHEN t.typtype = 'd' AND t.typcollation <> b.typcollation
    THEN t.typcollation::regcollation::text END AS collation,
  CASE WHEN t.typtype = 'd' THEN NULLIF(t.typnotnull, false) END AS not_null,
  CASE WHEN t.typtype = 'd' THEN pg_catalog.pg_get_expr(t.typdefaultbin, 0) END AS default,
  CASE WHEN t.typtype = 'r' THEN pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
    'subtype', pg_catalog.format_type(r.rngsubtype, NULL),
    'subtype_opclass', CASE WHEN NOT o.opcdefault THEN pg_catalog.quote_ident(x.nspname) || '.'
      || pg_catalog.quote_ident(o.opcname) END,
    'collation', CASE WHEN r.rngcollation <> u.typcollation
      THEN r.rngcollation::regcollation::text END,
    'canonical', NULLIF(r.rngcanonical, 0)::regproc,
    'subtype_diff', NULLIF(r.rngsubdiff, 0)::regproc,
    'multirange', m.typname))
  WHEN t.typtype = 'b' THEN pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
    'input', t.typinput, 'output', t.typoutput,
    'receive', NULLIF(t.typreceive, 0)::regproc, 'send', NULLIF(t.typsend, 0)::regproc,
    'typmod_in', NULLIF(t.typmodin, 0)::regproc, 'typmod_out', NULLIF(t.typmodout, 0)::regproc,
    'analyze', NULLIF(t.typanalyze, 0)::regproc,
    'subscript', NULLIF(t.typsubscript, 0)::regproc,
    'length', t.typlen, 'by_value', NULLIF(t.typbyval, false), 'alignment', t.typalign,
    'storage', t.typstorage, 'category', t.typcategory, 'preferred',
    NULLIF(t.typispreferred, false), 'default', t.typdefault,
    'element', CASE WHEN t.typelem <> 0 THEN pg_catalog.format_type(t.typelem, NULL) END,
    'delimiter', NULLIF(t.typdelim, ','), 'collatable', NULLIF(t.typcollation <> 0, false)))
  END AS more
FROM pg_catalog.pg_type t
  JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
  LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
  LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid
  LEFT JOIN pg_catalog.pg_type u ON u.oid = r.rngsubtype
  LEFT JOIN pg_catalog.pg_opclass o ON o.oid = r.rngsubopc
  LEFT JOIN pg_catalog.pg_namespace x ON x.oid = o.opcnamespace
  LEFT JOIN pg_catalog.pg_type m ON m.oid = r.rngmultitypid
WHERE t.typnamespace IN {schemas} AND t.oid NOT IN {members pg_type}
  AND (t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND c.relkind = 'c'
    OR NOT t.typisdefined
    OR t.typtype = 'b' AND t.typsubscript <> 'pg_catalog.array_subscript_handler'::regproc)]],
}

local kinds = {
  e = "enum", d = "domain", c = "composite", r = "range", b = "base type", s = "shell type",
}

local function take_composite(row, relation, identity, build)
  row.columns = {}
  build.ids[class.relation][relation] = identity
  build.names[relation] = build:qualified(row)
  build.columns[relation] = {}
end

function types.take(rows, build)
  for _, row in ipairs(rows) do
    local oid, kind, relation, more = row.oid, kinds[row.kind], row.relation, row.more
    row.oid, row.kind, row.relation, row.more = nil, nil, nil, nil
    for name, value in pairs(more or {}) do
      row[name] = value
    end
    local identity = build:add_qualified(class.type, oid, kind, row)
    if identity and relation then
      take_composite(row, relation, identity, build)
    end
  end
end

return { schemas = schemas, extensions = extensions, types = types }
