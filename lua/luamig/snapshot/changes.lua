--- The queries that find what changed in the catalogs since an earlier visit.
--
-- A row is FRESH when its xmin is not older than the oldest transaction that was running at the
-- earlier visit. Every insert and update makes a fresh row (what the server writes in place, as
-- VACUUM does, is no part of the value); a delete makes the catalog one row shorter.
--
-- FOLLOWED catalogs tell the unit of each fresh row. Of those with `counted` all rows are counted,
-- for their rows may be deleted while the object that they are of stays. Catalogs that are not here
-- follow from these: a default goes with a change of its pg_attribute, an edge of pg_depend with a
-- change of what depends.
-- WATCHED catalogs have few rows in most databases and stand in the texts of many objects: any
-- change of them asks for a full read. So does a change of the CONTENTS of those that are of the
-- whole cluster or not for everybody's eyes, and of what belongs to extensions.

local builder = require("luamig.snapshot.builder")

local changes = {}

local class = builder.class

-- item     four integers of a fresh row: the row (OID of the catalog, 0 for none; OID), its unit
--          (the same; OID 0: the unit that the row is in). With a NULL among them: none.
-- where    rows that matter     filter  … and are counted
-- oid      the row's OID        of      … instead: what it is of, OID of the catalog << 32 | OID
-- is_new   by `oid` and its index: rows of objects that are new
local followed = {
  { catalog = "pg_class", counted = class.relation, is_new = true,
    -- Without TOAST tables and their indexes: what a table says of them is in its own row too.
    where = "x.relnamespace <> 99",
    item = [[1259, x.oid,
      CASE WHEN x.relkind = 'c' THEN 1247 WHEN x.relkind IN ('i', 'I') THEN 0 ELSE 1259 END,
      CASE WHEN x.relkind = 'c' THEN x.reltype WHEN x.relkind NOT IN ('i', 'I') THEN x.oid
        ELSE 0 END]] },
  { catalog = "pg_attribute", once = "attrelid",
    item = [[CASE WHEN (SELECT c.relnamespace FROM pg_catalog.pg_class c
      WHERE c.oid = x.attrelid) <> 99 THEN 1259 END, x.attrelid, 0, 0]] },
  { catalog = "pg_index", oid = "indexrelid", is_new = true,
    item = [[CASE WHEN (SELECT c.relnamespace FROM pg_catalog.pg_class c
      WHERE c.oid = x.indrelid) <> 99 THEN 1259 END, x.indexrelid, 1259, x.indrelid]] },
  -- NOT NULL goes with pg_attribute or pg_type, the constraint of a trigger with pg_trigger.
  { catalog = "pg_constraint", counted = class.constraint, is_new = true,
    where = "x.contype <> 't'", filter = "x.contype <> 'n'",
    item = [[CASE WHEN x.contype = 'n' THEN 0 ELSE 2606 END, x.oid,
      CASE WHEN x.conrelid <> 0 THEN 1259 ELSE 1247 END, x.conrelid::int8 + x.contypid::int8]] },
  -- The triggers of foreign keys and deferrable keys go with their constraint.
  { catalog = "pg_trigger", counted = class.trigger, is_new = true,
    filter = [[(x.tgconstraint = 0 OR NOT x.tgisinternal
      OR x.tgfoid NOT IN (1250, 1644, 1645, 1646, 1647, 1648, 1649, 1650, 1651, 1652, 1653, 1654,
        1655))]],
    item = [[CASE WHEN FILTER THEN 2620 ELSE 0 END, x.oid, 1259,
      CASE WHEN x.tgconstraint = 0 THEN x.tgrelid ELSE (SELECT k.conrelid
        FROM pg_catalog.pg_constraint k WHERE k.oid = x.tgconstraint) END]] },
  { catalog = "pg_rewrite", counted = class.rule, is_new = true,
    filter = "x.rulename <> '_RETURN'",
    item = "CASE WHEN FILTER THEN 2618 ELSE 0 END, x.oid, 1259, x.ev_class" },
  { catalog = "pg_policy", counted = class.policy, is_new = true,
    item = "3256, x.oid, 1259, x.polrelid" },
  { catalog = "pg_inherits", counted = builder.rows.inheritance,
    item = "1259, x.inhrelid, 0, 0", of = "1259::int8 << 32 | x.inhrelid::int8" },
  { catalog = "pg_sequence", oid = "seqrelid", is_new = true,
    item = [[1259, x.seqrelid, 1259, x.seqrelid) || ','
    || pg_catalog.concat_ws(' ', 0, 0, 1259, (SELECT d.refobjid FROM pg_catalog.pg_depend d
      WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = x.seqrelid
        AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjsubid > 0
        AND d.deptype IN ('a', 'i'))]] },
  { catalog = "pg_foreign_table", item = "1259, x.ftrelid, 0, 0" },
  { catalog = "pg_statistic_ext", counted = class.statistics, is_new = true,
    item = "3381, x.oid, 3381, x.oid" },
  { catalog = "pg_proc", counted = class["function"], is_new = true,
    item = "1255, x.oid, 1255, x.oid" },
  -- Arrays go with their element; multiranges with their range, but for their name.
  { catalog = "pg_type", counted = class.type, is_new = true, filter = "x.typtype <> 'm'",
    where = [[(x.typlen <> -1 OR x.typsubscript
      <> 'pg_catalog.array_subscript_handler'::pg_catalog.regproc)]],
    item = [[CASE WHEN FILTER THEN 1247 ELSE 0 END, x.oid,
      CASE WHEN x.typtype = 'c' THEN 0 ELSE 1247 END, CASE x.typtype WHEN 'c' THEN 0
        WHEN 'm' THEN (SELECT r.rngtypid FROM pg_catalog.pg_range r
          WHERE r.rngmultitypid = x.oid)
        ELSE x.oid END]] },
  { catalog = "pg_enum", once = "enumtypid", item = "0, 0, 1247, x.enumtypid" },
  { catalog = "pg_namespace", counted = class.schema, is_new = true,
    item = "2615, x.oid, 2615, x.oid" },
  { catalog = "pg_description", counted = builder.rows.comment,
    where = [[(x.objoid >= 16384 OR x.classoid IN ('pg_catalog.pg_namespace'::pg_catalog.regclass,
      'pg_catalog.pg_extension'::pg_catalog.regclass))]],
    item = "x.classoid, x.objoid, 0, 0", of = "x.classoid::int8 << 32 | x.objoid::int8" },
  { catalog = "pg_seclabel", counted = builder.rows.label,
    item = "x.classoid, x.objoid, 0, 0", of = "x.classoid::int8 << 32 | x.objoid::int8" },
}

local watched = {
  "pg_am", "pg_amop", "pg_amproc", "pg_cast", "pg_collation", "pg_conversion", "pg_default_acl",
  "pg_event_trigger", "pg_extension", "pg_foreign_data_wrapper", "pg_foreign_server",
  "pg_init_privs", "pg_language", "pg_largeobject_metadata", "pg_opclass", "pg_operator",
  "pg_opfamily", "pg_publication", "pg_publication_namespace", "pg_publication_rel",
  "pg_transform", "pg_ts_config", "pg_ts_config_map", "pg_ts_dict", "pg_ts_parser",
  "pg_ts_template",
}
local since = { pg_publication_namespace = 15 }

local contents = {
  { "roles", "SELECT r.oid || ' ' || r.rolname FROM pg_catalog.pg_roles r" },
  { "tablespaces", "SELECT t.oid || ' ' || t.spcname FROM pg_catalog.pg_tablespace t" },
  { "settings of the database", [[SELECT s.setrole || ' ' || s.setconfig::text
    FROM pg_catalog.pg_db_role_setting s WHERE s.setdatabase = DATABASE]] },
  { "user mappings", "SELECT u::text FROM pg_catalog.pg_user_mappings u" },
  { "subscriptions", [[SELECT ROW(s.oid, s.subname, s.subowner, s.subenabled, s.subbinary,
      s.substream, s.subslotname, s.subsynccommit, s.subpublications{since 15 ?,
      s.subtwophasestate, s.subdisableonerr : }{since 16 ?, s.subpasswordrequired,
      s.subrunasowner, s.suborigin : }{since 17 ?, s.subfailover : })::text
    FROM pg_catalog.pg_subscription s WHERE s.subdbid = DATABASE]] },
}

-- Their rows follow from those of others, are told in `contents`, or are no part of the value.
local passed_over = {
  "pg_aggregate", "pg_attrdef", "pg_auth_members", "pg_authid", "pg_database",
  "pg_db_role_setting", "pg_depend", "pg_largeobject", "pg_parameter_acl",
  "pg_partitioned_table", "pg_range", "pg_replication_origin", "pg_shdepend",
  "pg_shdescription", "pg_shseclabel", "pg_statistic", "pg_statistic_ext_data",
  "pg_subscription", "pg_subscription_rel", "pg_tablespace", "pg_user_mapping",
}

local database_sql = [[(SELECT d.oid FROM pg_catalog.pg_database d
  WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())]]

local fresh_sql = [[pg_catalog.age(x.xmin)
    <= (SELECT pg_catalog.age($1::pg_catalog.xid8::pg_catalog.xid))]]

local function where_sql(...)
  local conditions = {}
  for i = 1, select("#", ...) do
    conditions[#conditions + 1] = (select(i, ...)) or nil
  end
  return #conditions > 0 and "\nWHERE " .. table.concat(conditions, "\n  AND ") or ""
end

local function item_sql(entry)
  return ("pg_catalog.concat_ws(' ', %s)"):format(entry.item:gsub("FILTER", entry.filter or ""))
end

-- Rows of fresh: the items, with commas.
local function fresh_rows_sql(entry)
  local from = "pg_catalog." .. entry.catalog .. " x"
  local where = where_sql(entry.where, fresh_sql)
  if entry.once then
    from, where = ("(SELECT DISTINCT x.%s FROM %s%s) x"):format(entry.once, from, where), ""
  end
  return ("SELECT pg_catalog.string_agg(%s, ',') AS fresh\nFROM %s%s"):format(item_sql(entry),
    from, where)
end

-- The same, and how many are counted, in one scan.
local function counted_rows_sql(entry)
  return ([[
SELECT pg_catalog.string_agg(CASE WHEN %s THEN %s END, ',') AS fresh,
  pg_catalog.count(*)%s AS total
FROM pg_catalog.%s x%s]]):format(fresh_sql, item_sql(entry),
    entry.filter and (" FILTER (WHERE %s)"):format(entry.filter) or "", entry.catalog,
    where_sql(entry.where))
end

local function total_sql(entry)
  return ("SELECT pg_catalog.count(*) AS total FROM pg_catalog.%s x%s"):format(entry.catalog,
    where_sql(entry.where, entry.filter))
end

-- What is left of the rows that are counted, to find those that are not.
local function left_sql(entry)
  return ("SELECT pg_catalog.array_agg(%s) AS left FROM pg_catalog.%s x%s"):format(
    entry.of or "x.oid", entry.catalog, where_sql(entry.where, entry.filter))
end

-- Fresh rows whose OID is greater than $2, and how many there are, with those that do not matter.
-- Of relations also how many columns they have, and how many of them a TOAST table.
local function new_rows_sql(entry)
  local more = entry.counted == class.relation and [[,
  pg_catalog.sum(x.relnatts + CASE WHEN x.relkind IN ('r', 'p', 't', 'm', 'f', 'S') THEN 6 ELSE 0
    END) AS columns, pg_catalog.count(*) FILTER (WHERE x.reltoastrelid <> 0) AS toasts]] or ""
  return ([[
SELECT pg_catalog.string_agg(%s, ',')%s AS fresh, pg_catalog.count(*) AS total%s
FROM pg_catalog.%s x%s]]):format(item_sql(entry),
    entry.where and (" FILTER (WHERE %s)"):format(entry.where) or "", more, entry.catalog,
    where_sql(("x.%s > $2"):format(entry.oid or "oid"), fresh_sql))
end

-- Which of the rows $1 there are.
local function some_left_sql(entry)
  return ("SELECT pg_catalog.array_agg(x.oid) AS left FROM pg_catalog.%s x WHERE x.oid = ANY ($1)")
    :format(entry.catalog)
end

-- Catalogs of objects that are in no other's unit.
local is_main = {
  [class.relation] = true, [class.type] = true, [class["function"]] = true,
  [class.statistics] = true, [class.schema] = true,
}

local function queries_of(entry)
  return {
    catalog = entry.catalog,
    counted = entry.counted,
    has_oids = not entry.of,
    fresh = entry.counted and counted_rows_sql(entry) or fresh_rows_sql(entry),
    total = entry.counted and total_sql(entry),
    left = entry.counted and left_sql(entry),
    new = entry.is_new and new_rows_sql(entry),
    is_main = is_main[entry.counted],
    some_left = is_main[entry.counted] and some_left_sql(entry),
  }
end

local function union_sql(queries)
  return ([[
SELECT pg_catalog.string_agg(x.name || ': ' || x.state, ', ') AS state,
  pg_catalog.string_agg(x.name, ', ') FILTER (WHERE x.fresh > 0) AS fresh
FROM (%s) x (name, state, fresh)]]):format(table.concat(queries, "\nUNION ALL "))
end

local function state_sql(name, catalog, where)
  return ([[
SELECT '%s', pg_catalog.count(*)::text, pg_catalog.count(*) FILTER (WHERE %s)
FROM pg_catalog.%s x%s]]):format(name, fresh_sql, catalog, where or "")
end

-- One row: how many rows each has, and the names of those that have fresh ones.
local function watched_sql(major)
  local queries = {}
  for _, catalog in ipairs(watched) do
    if major >= (since[catalog] or 0) then
      queries[#queries + 1] = state_sql(catalog, catalog)
    end
  end
  return union_sql(queries)
end

-- The same; of contents also a mark that does not depend on the order.
local function contents_sql()
  local queries = { state_sql("members of extensions", "pg_depend", [[
 WHERE x.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass]]) }
  for _, entry in ipairs(contents) do
    queries[#queries + 1] = ([[
SELECT '%s', pg_catalog.concat_ws(' ', pg_catalog.count(*),
  pg_catalog.sum(pg_catalog.hashtextextended(x.text, 0))), 0 FROM (%s) x (text)]])
      :format(entry[1], (entry[2]:gsub("DATABASE", database_sql)))
  end
  return union_sql(queries)
end

changes.catalogs_sql = [[
SELECT c.relname AS name, c.oid FROM pg_catalog.pg_class c
WHERE c.relnamespace OPERATOR(pg_catalog.=) 'pg_catalog'::pg_catalog.regnamespace
  AND c.relkind OPERATOR(pg_catalog.=) 'r' ORDER BY c.oid USING OPERATOR(pg_catalog.<)]]

changes.database_sql = "SELECT " .. database_sql .. " AS oid"

-- [catalog] = "followed" | "watched" | "passed over"
changes.roles = {}
for _, entry in ipairs(followed) do
  changes.roles[entry.catalog] = "followed"
end
for _, catalog in ipairs(watched) do
  changes.roles[catalog] = "watched"
end
for _, catalog in ipairs(passed_over) do
  changes.roles[catalog] = "passed over"
end

local made = {} -- [major version]

---The queries. Parameter $1 of those that tell what is fresh: the oldest transaction that was
---running, as a text; NULL: nothing is fresh. Of each catalog that is followed:
---  fresh       items of the fresh rows; of one that is counted also the total
---  total       how many rows that are counted there are
---  left        their OIDs, or with `has_oids` false what they are of
---  new         items of the fresh rows whose OID is greater than $2, and how many rows these are
---  some_left   which of the OIDs $1 there are
---  is_main     its objects are in no other's unit
---@param places table  of luamig.snapshot.scope
---@return { followed: table[], by_catalog: table<string, table>, watched: string,
---  contents: string }
function changes.queries(places)
  local major = places.major
  if not made[major] then
    local list, by_catalog = {}, {}
    for i, entry in ipairs(followed) do
      list[i] = queries_of(entry)
      by_catalog[entry.catalog] = list[i]
    end
    made[major] = {
      followed = list, by_catalog = by_catalog, watched = watched_sql(major),
      contents = places:sql(contents_sql()),
    }
  end
  return made[major]
end

---The items of a catalog's fresh rows.
---@param text string|nil
---@return fun(): string, string, string, string
function changes.items(text)
  return (text or ""):gmatch("(%d+) (%d+) (%d+) (%d+)")
end

return changes
