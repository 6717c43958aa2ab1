--- The queries with which a transaction looks at itself: the locks it holds, and what the catalogs
-- say now of the relations that it may have changed. One row each, its columns are JSON.

local sample = {}

-- Operators may be the user's under his search_path: {=} stands for PostgreSQL's own.
local function qualified(text)
  return (text:gsub("{(%p+)}", "OPERATOR(pg_catalog.%1)"))
end

local held = [[
held AS (
  SELECT l.relation AS oid, l.mode
    FROM pg_catalog.pg_locks l
   WHERE l.pid {=} pg_catalog.pg_backend_pid() AND l.locktype {=} 'relation' AND l.granted
     AND l.relation {>=} 16384::pg_catalog.oid
     AND l.database {=} (SELECT d.oid FROM pg_catalog.pg_database d
                          WHERE d.datname {=} pg_catalog.current_database()))]]

-- Whoever changes a relation's definition holds at least SHARE UPDATE EXCLUSIVE on it.
-- pg_toast has the OID 99.
local chosen = {
  locked = [[
chosen AS MATERIALIZED (
  SELECT c.* FROM pg_catalog.pg_class c
   WHERE c.relkind {<>} 't' AND c.relpersistence {<>} 't'
     AND c.relnamespace {<>} 99::pg_catalog.oid AND c.oid {=} ANY (ARRAY(SELECT h.oid
     FROM held h
     WHERE h.mode {<>} ALL (ARRAY['AccessShareLock', 'RowShareLock', 'RowExclusiveLock']))))]],
  all = [[
chosen AS MATERIALIZED (
  SELECT c.* FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid {=} c.relnamespace
   WHERE c.oid {>=} 16384::pg_catalog.oid AND c.relkind {<>} 't' AND c.relpersistence {<>} 't'
     AND n.nspname {<>} ALL (ARRAY['pg_toast', 'pg_catalog',
       'information_schema']::pg_catalog.name[]))]],
}

local touched = {
  locked = "SELECT h.oid FROM held h",
  all = "SELECT k.oid FROM chosen k WHERE k.relkind {=} ANY (ARRAY['r', 'm']::\"char\"[])",
}

local facts = [[
SELECT pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()) {*} 1000 AS at,
  (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(h.oid::int8, h.mode)) FROM held h)
    AS locks,
  (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(k.oid::int8, k.relfilenode::int8,
       n.nspname, k.relname, k.relkind, i.indrelid::int8, p.inhparent::int8,
       k.reltablespace::int8, i.indisvalid, i.indisunique,
       CASE WHEN i.indexrelid IS NOT NULL AND i.indisvalid
         THEN pg_catalog.pg_get_indexdef(k.oid) END,
       k.relhastriggers, i.indisprimary))
     FROM chosen k JOIN pg_catalog.pg_namespace n ON n.oid {=} k.relnamespace
     LEFT JOIN pg_catalog.pg_index i ON i.indexrelid {=} k.oid
     LEFT JOIN pg_catalog.pg_inherits p ON p.inhrelid {=} k.oid AND k.relispartition) AS relations,
  (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(a.attrelid::int8, a.attnum, a.attname,
       pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
       pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attgenerated, a.attidentity,
       a.attcollation::int8, t.typtype, CASE WHEN t.typtype {=} 'd'
         THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END))
     FROM chosen k JOIN pg_catalog.pg_attribute a ON a.attrelid {=} k.oid AND a.attnum {>} 0
       AND NOT a.attisdropped AND k.relkind {=} ANY (ARRAY['r', 'p', 'f', 'v', 'm']::"char"[])
     JOIN pg_catalog.pg_type t ON t.oid {=} a.atttypid
     LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid {=} a.attrelid AND d.adnum {=} a.attnum)
    AS columns,
  (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(c.oid::int8, c.conrelid::int8,
       c.contypid::int8, c.conname, c.contype, c.convalidated, c.conindid::int8,
       c.confrelid::int8, pg_catalog.pg_get_constraintdef(c.oid), c.conkey,
       CASE WHEN c.contypid {<>} 0::pg_catalog.oid
         THEN pg_catalog.format_type(c.contypid, NULL) END, c.confkey))
     FROM pg_catalog.pg_constraint c
    WHERE c.contype {<>} ALL (ARRAY['n', 't']::"char"[])
      AND (c.conrelid {=} ANY (ARRAY(SELECT k.oid FROM chosen k))
       OR c.contypid {>=} 16384::pg_catalog.oid)) AS constraints,
  (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(e.oid::int8,
       pg_catalog.format_type(e.enumtypid, NULL), e.enumlabel))
     FROM pg_catalog.pg_enum e) AS enums,
  (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(u.oid::int8,
       pg_catalog.pg_stat_get_xact_numscans(u.oid),
       pg_catalog.pg_stat_get_xact_tuples_returned(u.oid),
       pg_catalog.pg_stat_get_xact_tuples_inserted(u.oid),
       pg_catalog.pg_stat_get_xact_tuples_updated(u.oid),
       pg_catalog.pg_stat_get_xact_tuples_deleted(u.oid)))
     FROM (%s) u) AS counters]]

local function made(which)
  return qualified("WITH " .. held .. ", " .. chosen[which] .. "\n"
    .. facts:format(touched[which]))
end

---Of the relations that this transaction has locked.
sample.locked = made("locked")

---Of all relations.
sample.all = made("all")

---Only the time.
sample.tick = qualified(
  "SELECT pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()) {*} 1000 AS at")

---The counters alone, of the tables that have any: what a transaction begins with.
sample.counters = qualified([[
SELECT (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(u.oid::int8, u.scans, u.tuples,
    u.inserted, u.updated, u.deleted))
  FROM (SELECT c.oid, pg_catalog.pg_stat_get_xact_numscans(c.oid) AS scans,
          pg_catalog.pg_stat_get_xact_tuples_returned(c.oid) AS tuples,
          pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid) AS inserted,
          pg_catalog.pg_stat_get_xact_tuples_updated(c.oid) AS updated,
          pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) AS deleted
          FROM pg_catalog.pg_class c
         WHERE c.oid {>=} 16384::pg_catalog.oid
           AND c.relkind {=} ANY (ARRAY['r', 'm']::"char"[])) u
 WHERE u.scans {+} u.tuples {+} u.inserted {+} u.updated {+} u.deleted {>} 0::int8) AS counters]])

---What is no relation and can be dropped along with one: a name each.
sample.objects = qualified([[
SELECT (i).type AS type, (i).identity AS identity
  FROM (SELECT pg_catalog.pg_identify_object(o.class, o.oid, 0) AS i
          FROM (SELECT p.tableoid AS class, p.oid FROM pg_catalog.pg_proc p
                UNION ALL
                SELECT t.tableoid, t.oid FROM pg_catalog.pg_type t
                 WHERE t.typrelid {=} 0::pg_catalog.oid AND t.typelem {=} 0::pg_catalog.oid
                UNION ALL
                SELECT g.tableoid, g.oid FROM pg_catalog.pg_trigger g WHERE NOT g.tgisinternal
                UNION ALL
                SELECT l.tableoid, l.oid FROM pg_catalog.pg_policy l
                UNION ALL
                SELECT n.tableoid, n.oid FROM pg_catalog.pg_namespace n) o
         WHERE o.oid {>=} 16384::pg_catalog.oid) k]])

return sample
