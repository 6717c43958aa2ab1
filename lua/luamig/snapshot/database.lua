--- Publications, subscriptions, event triggers and default privileges.

local builder = require("luamig.snapshot.builder")

local class = builder.class

local database = {
  sql = [[
SELECT 'pg_catalog.pg_publication'::regclass::oid AS class, p.oid, 'publication' AS kind,
  NULL::text AS identity, NULL::name AS schema, p.pubname AS name,
  pg_catalog.pg_get_userbyid(p.pubowner) AS owner, NULL::jsonb AS acl,
  pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
    'all_tables', NULLIF(p.puballtables, false), 'via_root', NULLIF(p.pubviaroot, false),
    'operations', pg_catalog.array_remove(ARRAY[
      CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubinsert THEN 'insert' END,
      CASE WHEN p.pubtruncate THEN 'truncate' END, CASE WHEN p.pubupdate THEN 'update' END], NULL),
    'generated', {since 18 ? CASE p.pubgencols WHEN 's' THEN 'stored' END : NULL},
    'tables', (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_strip_nulls(
        pg_catalog.jsonb_build_object('oid', r.prrelid,
          'name', r.prrelid::regclass{since 15 ?,
          'where', pg_catalog.pg_get_expr(r.prqual, r.prrelid),
          'keys', CASE WHEN r.prattrs IS NOT NULL THEN r.prattrs::int2[] END : })))
      FROM pg_catalog.pg_publication_rel r WHERE r.prpubid = p.oid),
    'schemas', {since 15 ? (SELECT pg_catalog.jsonb_agg(x.nspname ORDER BY x.nspname)
      FROM pg_catalog.pg_publication_namespace y JOIN pg_catalog.pg_namespace x ON x.oid = y.pnnspid
      WHERE y.pnpubid = p.oid) : NULL})) AS object
FROM pg_catalog.pg_publication p
WHERE {wide} AND p.oid NOT IN {members pg_publication}
UNION ALL
SELECT 'pg_catalog.pg_subscription'::regclass, s.oid, 'subscription', NULL, NULL, s.subname,
  pg_catalog.pg_get_userbyid(s.subowner), NULL,
  pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
    'enabled', NULLIF(s.subenabled, false), 'slot', s.subslotname,
    'publications', (SELECT pg_catalog.jsonb_agg(x ORDER BY x COLLATE "C")
      FROM pg_catalog.unnest(s.subpublications) x),
    'options', pg_catalog.jsonb_build_object('synchronous_commit', s.subsynccommit,
      'binary', s.subbinary::text, 'streaming',
      CASE pg_catalog.left(s.substream::text, 1) WHEN 't' THEN 'on' WHEN 'p' THEN 'parallel'
        ELSE 'off' END{since 15 ?,
      'two_phase', (s.subtwophasestate <> 'd')::text,
      'disable_on_error', s.subdisableonerr::text : }{since 16 ?,
      'password_required', s.subpasswordrequired::text, 'run_as_owner', s.subrunasowner::text,
      'origin', s.suborigin : }{since 17 ?, 'failover', s.subfailover::text : })))
FROM pg_catalog.pg_subscription s
WHERE {wide} AND s.subdbid = (SELECT b.oid FROM pg_catalog.pg_database b
  WHERE b.datname = pg_catalog.current_database())
UNION ALL
SELECT 'pg_catalog.pg_event_trigger'::regclass, e.oid, 'event trigger', NULL, NULL, e.evtname,
  pg_catalog.pg_get_userbyid(e.evtowner), NULL,
  pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('event', e.evtevent,
    'function', e.evtfoid::regproc, 'enabled', CASE e.evtenabled WHEN 'D' THEN 'disabled'
      WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' END,
    'tags', (SELECT pg_catalog.jsonb_agg(x ORDER BY x COLLATE "C")
      FROM pg_catalog.unnest(e.evttags) x)))
FROM pg_catalog.pg_event_trigger e
WHERE {wide} AND e.oid NOT IN {members pg_event_trigger}
UNION ALL
SELECT 'pg_catalog.pg_default_acl'::regclass, a.oid, 'default privileges',
  'of ' || pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.defaclrole))
    || COALESCE(' in schema ' || pg_catalog.quote_ident(n.nspname), '') || ' on ' || o.word,
  n.nspname, NULL, NULL, {grants a.defaclacl a.defaclrole},
  pg_catalog.jsonb_build_object('role', pg_catalog.pg_get_userbyid(a.defaclrole), 'on', o.word)
FROM pg_catalog.pg_default_acl a
  JOIN (VALUES ('r', 'tables'), ('S', 'sequences'), ('f', 'functions'), ('T', 'types'),
    ('n', 'schemas'), ('L', 'large objects')) o (letter, word)
    ON o.letter = a.defaclobjtype::text
  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = a.defaclnamespace
WHERE CASE WHEN a.defaclnamespace = 0 THEN {wide} ELSE a.defaclnamespace IN {schemas} END]],
}

local function take_tables(object, build)
  for _, entry in ipairs(object.tables or {}) do
    local relation = math.tointeger(tonumber(entry.oid)) -- JSON has OIDs as texts
    entry.table = build.ids[class.relation][relation] or "table " .. entry.name
    entry.columns = entry.keys and build:column_names(relation, entry.keys)
    entry.oid, entry.name, entry.keys = nil, nil, nil
  end
  table.sort(object.tables or {}, function(a, b)
    return a.table < b.table
  end)
end

function database.take(rows, build)
  for _, row in ipairs(rows) do
    if row.kind == "publication" then
      take_tables(row.object, build)
    end
  end
  build:add_rows(rows)
end

return database
