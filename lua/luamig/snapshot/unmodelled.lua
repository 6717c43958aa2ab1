--- What a database holds and the value does not describe: named, so that silence means "equal".

-- Roles, tablespaces and parameter privileges are the cluster's, not the database's. What
-- privileges an object was made with is in pg_init_privs, but not for information_schema.
local unmodelled = {
  sql = [[
SELECT 'large objects' AS kind, 'owned by ' || pg_catalog.pg_get_userbyid(l.lomowner) AS name,
  pg_catalog.count(*) || ' of them' AS why
FROM pg_catalog.pg_largeobject_metadata l WHERE {wide} GROUP BY l.lomowner
UNION ALL
SELECT 'setting of the database',
  COALESCE('for ' || pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(NULLIF(s.setrole, 0)))
    || ': ', '') || x.setting, 'ALTER DATABASE SET is not part of the value'
FROM pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) x (setting)
WHERE {wide} AND s.setdatabase = (SELECT d.oid FROM pg_catalog.pg_database d
  WHERE d.datname = pg_catalog.current_database())
UNION ALL
SELECT i.type, i.identity, 'privileges were changed on an object of '
  || CASE WHEN m.refobjid IS NULL THEN 'the system' ELSE 'an extension' END
FROM (
  SELECT 'pg_catalog.pg_class'::regclass AS class, c.oid, c.relacl AS acl,
      pg_catalog.acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner)
        AS usual
    FROM pg_catalog.pg_class c WHERE c.relacl IS NOT NULL
      AND c.relnamespace <> 'information_schema'::regnamespace
      AND (c.oid < 16384 OR c.oid IN {members pg_class})
  UNION ALL
  SELECT 'pg_catalog.pg_proc'::regclass, p.oid, p.proacl, pg_catalog.acldefault('f', p.proowner)
    FROM pg_catalog.pg_proc p WHERE p.proacl IS NOT NULL
      AND (p.oid < 16384 OR p.oid IN {members pg_proc})
  UNION ALL
  SELECT 'pg_catalog.pg_type'::regclass, t.oid, t.typacl, pg_catalog.acldefault('T', t.typowner)
    FROM pg_catalog.pg_type t WHERE t.typacl IS NOT NULL
      AND (t.oid < 16384 OR t.oid IN {members pg_type})
  UNION ALL
  SELECT 'pg_catalog.pg_namespace'::regclass, n.oid, n.nspacl,
      pg_catalog.acldefault('n', n.nspowner)
    FROM pg_catalog.pg_namespace n WHERE n.nspacl IS NOT NULL
      AND n.nspname NOT IN ('public', 'information_schema')
      AND (n.oid < 16384 OR n.oid IN {members pg_namespace})
  UNION ALL
  SELECT 'pg_catalog.pg_language'::regclass, l.oid, l.lanacl,
      pg_catalog.acldefault('l', l.lanowner)
    FROM pg_catalog.pg_language l WHERE l.lanacl IS NOT NULL
      AND (l.oid < 16384 OR l.oid IN {members pg_language})) o
  LEFT JOIN pg_catalog.pg_init_privs p ON p.classoid = o.class AND p.objoid = o.oid
    AND p.objsubid = 0
  LEFT JOIN pg_catalog.pg_depend m ON m.classid = o.class AND m.objid = o.oid
    AND m.refclassid = 'pg_catalog.pg_extension'::regclass AND m.deptype = 'e',
  LATERAL pg_catalog.pg_identify_object(o.class, o.oid, 0) i
WHERE {wide} AND NOT (o.acl @> COALESCE(p.initprivs, o.usual)
  AND o.acl <@ COALESCE(p.initprivs, o.usual))
UNION ALL
SELECT DISTINCT i.type, COALESCE(i.identity, d.objid::text),
  'this version of luamig does not know the kind'
FROM pg_catalog.pg_depend d, LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, 0) i
WHERE d.objid >= 16384 AND d.classid NOT IN (CLASSES)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend m WHERE m.classid = d.classid
    AND m.objid = d.objid AND m.deptype IN ('e', 'i'))
UNION ALL
SELECT i.type, i.identity, 'this version of luamig does not know the kind of relation'
FROM pg_catalog.pg_class c, LATERAL pg_catalog.pg_identify_object(c.tableoid, c.oid, 0) i
WHERE c.relnamespace IN {schemas}
  AND c.relkind NOT IN ('r', 'p', 'f', 'v', 'm', 'S', 'c', 'i', 'I', 't')]],
}

local class = require("luamig.snapshot.builder").class

local known = {}
for _, oid in pairs(class) do
  known[#known + 1] = tostring(oid)
end
table.sort(known)
unmodelled.sql = unmodelled.sql:gsub("CLASSES", table.concat(known, ", "))

local function before(a, b)
  if a.kind ~= b.kind then
    return a.kind < b.kind
  end
  return a.name < b.name
end

-- Triggers, rules and policies that somebody put on a table of an extension have no parent.
local orphan_kinds = { trigger = true, rule = true, policy = true }

function unmodelled.take(rows, build)
  for _, row in ipairs(rows) do
    build:unmodelled(row.kind, row.name, row.why)
  end
  for _, orphan in ipairs(build.orphans) do
    local member = build:member(class.relation, orphan.relation)
    if member and orphan_kinds[orphan.kind] then
      build:unmodelled(orphan.kind, orphan.name, "it is on a relation of " .. member)
    end
  end
  table.sort(build.value.unmodelled, before)
end

return unmodelled
