-- luacheck: no max line length (a query a line)
--- The catalogs of a database as a sorted list of lines, for specs: what there is, and how.

local catalog = {}

local function acl(column, kind, owner)
  return ("(SELECT pg_catalog.array_agg(i::text ORDER BY i::text) FROM pg_catalog.unnest("
    .. "coalesce(%s, pg_catalog.acldefault('%s', %s))) i)"):format(column, kind, owner)
end

-- Each query gives one column; lines of system schemas are left out, but for comments.
local queries = {
  "SELECT concat_ws('|', 'schema', nspname, nspowner::regrole, " .. acl("nspacl", "n", "nspowner")
    .. ") FROM pg_namespace",
  "SELECT concat_ws('|', 'relation', oid::regclass, relkind, relowner::regrole, reloptions, relpersistence, "
    .. "relrowsecurity, relforcerowsecurity, relispopulated, CASE WHEN relkind IN ('v', 'm') "
    .. "THEN pg_get_viewdef(oid) END, "
    .. "CASE relkind WHEN 'S' THEN " .. acl("relacl", "s", "relowner") .. " ELSE " .. acl("relacl", "r", "relowner")
    .. " END) FROM pg_class WHERE relnamespace > 16383 OR relnamespace = 2200",
  "SELECT concat_ws('|', 'column', attrelid::regclass, attname, format_type(atttypid, atttypmod), attcollation, "
    .. "CASE WHEN attacl <> '{}' THEN attacl END, pg_get_expr(adbin, adrelid)) FROM pg_attribute JOIN pg_class c ON c.oid = attrelid "
    .. "LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum "
    .. "WHERE attnum > 0 AND NOT attisdropped AND (relnamespace > 16383 OR relnamespace = 2200)",
  "SELECT concat_ws('|', 'sequence', seqrelid::regclass, seqtypid::regtype, seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle) "
    .. "FROM pg_sequence",
  "SELECT concat_ws('|', 'owned', objid::regclass, refobjid::regclass, refobjsubid) FROM pg_depend "
    .. "WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass AND deptype = 'a' "
    .. "AND objid IN (SELECT seqrelid FROM pg_sequence)",
  "SELECT concat_ws('|', 'function', oid::regprocedure, proowner::regrole, CASE WHEN prokind IN ('f', 'p') "
    .. "THEN pg_get_functiondef(oid) END, " .. acl("proacl", "f", "proowner")
    .. ") FROM pg_proc WHERE pronamespace > 16383 OR pronamespace = 2200",
  "SELECT concat_ws('|', 'type', t.oid::regtype, typtype, typowner::regrole, typdefault, typnotnull, typbasetype::regtype, "
    .. "typcollation, (SELECT array_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid), "
    .. "rngsubtype::regtype, rngcollation, " .. acl("typacl", "T", "typowner")
    .. ") FROM pg_type t LEFT JOIN pg_range ON rngtypid = t.oid WHERE typnamespace > 16383 OR typnamespace = 2200",
  "SELECT concat_ws('|', 'constraint', conname, conrelid::regclass, contypid::regtype, pg_get_constraintdef(oid)) FROM pg_constraint "
    .. "WHERE connamespace > 16383 OR connamespace = 2200",
  "SELECT concat_ws('|', 'trigger', tgenabled, pg_get_triggerdef(oid)) FROM pg_trigger WHERE NOT tgisinternal",
  "SELECT concat_ws('|', 'policy', p::text) FROM pg_policies p",
  "SELECT concat_ws('|', 'statistics', pg_get_statisticsobjdef(oid), nullif(stxstattarget, -1)) FROM pg_statistic_ext",
  "SELECT concat_ws('|', 'publication', pubname, pubowner::regrole, puballtables, pubinsert, pubupdate, pubdelete, "
    .. "pubtruncate, pubviaroot) FROM pg_publication",
  "SELECT concat_ws('|', 'published', p::text) FROM pg_publication_tables p",
  "SELECT concat_ws('|', 'extension', extname, extversion, extnamespace::regnamespace) FROM pg_extension",
  "SELECT concat_ws('|', 'default', defaclrole::regrole, defaclnamespace, defaclobjtype, "
    .. "(SELECT array_agg(i::text ORDER BY i::text) FROM unnest(defaclacl) i)) FROM pg_default_acl",
  "SELECT concat_ws('|', 'database', " .. acl("datacl", "d", "datdba")
    .. ") FROM pg_database WHERE datname = current_database()",
  "SELECT concat_ws('|', 'language', " .. acl("lanacl", "l", "lanowner") .. ") FROM pg_language",
  "SELECT concat_ws('|', 'comment', (pg_identify_object(classoid, objoid, objsubid)).identity, objsubid, "
    .. "description) FROM pg_description WHERE objoid > 16383",
  "SELECT 'comments|' || md5(string_agg(concat_ws('|', classoid, objoid, objsubid, description), '' "
    .. "ORDER BY classoid, objoid, objsubid)) FROM pg_description WHERE objoid < 16384",
  "SELECT concat_ws('|', 'comment', (pg_identify_object(classoid, objoid, 0)).identity, description) "
    .. "FROM pg_shdescription",
}

local from_15 = {
  "SELECT concat_ws('|', 'parameter', parname, paracl) FROM pg_parameter_acl",
  "SELECT concat_ws('|', 'published schema', pubname, pnnspid::regnamespace) FROM pg_publication_namespace "
    .. "JOIN pg_publication p ON p.oid = pnpubid",
}

---@param connection table  of luamig.core.conn, whose search_path shows public
---@return string[]
function catalog.read(connection)
  local list = { table.unpack(queries) }
  if connection:info().server_version >= 150000 then
    table.move(from_15, 1, #from_15, #list + 1, list)
  end
  local rows = connection:exec("SELECT line FROM (" .. table.concat(list, "\nUNION ALL ")
    .. ") q (line) ORDER BY line COLLATE \"C\"")
  local lines = {}
  for i, row in ipairs(rows) do
    lines[i] = row.line
  end
  return lines
end

return catalog
