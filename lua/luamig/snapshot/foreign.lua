--- Foreign data wrappers, servers and user mappings.

local builder = require("luamig.snapshot.builder")
local digest = require("luamig.core.digest")

local foreign = {
  sql = [[
SELECT 'pg_catalog.pg_foreign_data_wrapper'::regclass::oid AS class, w.oid,
  'foreign data wrapper' AS kind, NULL::text AS identity, NULL::name AS schema, w.fdwname AS name,
  pg_catalog.pg_get_userbyid(w.fdwowner) AS owner, {acl w.fdwacl F w.fdwowner} AS acl,
  pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
    'handler', NULLIF(w.fdwhandler, 0)::regproc, 'validator', NULLIF(w.fdwvalidator, 0)::regproc,
    'options', w.fdwoptions)) AS object
FROM pg_catalog.pg_foreign_data_wrapper w
WHERE {wide} AND w.oid NOT IN {members pg_foreign_data_wrapper}
UNION ALL
SELECT 'pg_catalog.pg_foreign_server'::regclass, s.oid, 'server', NULL, NULL, s.srvname,
  pg_catalog.pg_get_userbyid(s.srvowner), {acl s.srvacl S s.srvowner},
  pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('wrapper', w.fdwname,
    'type', s.srvtype, 'version', s.srvversion, 'options', s.srvoptions))
FROM pg_catalog.pg_foreign_server s JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw
WHERE {wide} AND s.oid NOT IN {members pg_foreign_server}
UNION ALL
SELECT 'pg_catalog.pg_user_mapping'::regclass, u.umid, 'user mapping',
  'for ' || CASE WHEN u.umuser = 0 THEN 'public' ELSE pg_catalog.quote_ident(u.usename) END
    || ' server ' || pg_catalog.quote_ident(u.srvname), NULL, NULL, NULL, NULL,
  pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
    'role', CASE WHEN u.umuser = 0 THEN 'public' ELSE u.usename::text END, 'server', u.srvname,
    'options', u.umoptions))
FROM pg_catalog.pg_user_mappings u
WHERE {wide}]],
}

-- No password is kept, for a value may be printed; its digest still tells whether it changed.
local function hide_passwords(options, identity)
  for name, value in pairs(options or {}) do
    if name:lower():find("pass", 1, true) then
      options[name] = "sha256:" .. digest.sha256(identity .. "\n" .. value)
    end
  end
end

function foreign.take(rows, build)
  for _, row in ipairs(rows) do
    row.object.options = builder.options(row.object.options)
    hide_passwords(row.object.options, row.identity or row.name)
  end
  build:add_rows(rows)
end

return foreign
