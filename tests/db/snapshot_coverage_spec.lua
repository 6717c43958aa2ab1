-- Every column of every catalog of the server is read, or stands here with the reason why not: a
-- new version of PostgreSQL that adds one fails here, not in silence.

local reader = require("luamig.snapshot.reader")
local server = require("support.server")

local reasons = {
  ["in the texts of pg_get_*def, pg_get_expr and the like"] = [[
    pg_constraint: conperiod conpfeqop conppeqop conffeqop conexclop conbin consrc
    pg_index: indnatts indisprimary indisexclusion indimmediate indcollation indclass indoption
    pg_partitioned_table: partrelid partstrat partnatts partdefid partattrs partclass
      partcollation partexprs
    pg_proc: procost prorows provariadic prosupport prosecdef proleakproof proisstrict proretset
      provolatile pronargs pronargdefaults prorettype proallargtypes proargmodes proargnames
      proargdefaults protrftypes prosrc probin prosqlbody proconfig
    pg_rewrite: ev_type is_instead ev_qual ev_action
    pg_statistic_ext: stxkeys stxkind stxexprs
    pg_trigger: tgfoid tgtype tgisinternal tgconstrrelid tgconstrindid tgdeferrable
      tginitdeferred tgnargs tgattr tgargs tgqual tgoldtable tgnewtable]],
  ["follows from what is read"] = [[
    pg_amop: amopfamily amoplefttype amoprighttype amoppurpose amopmethod
    pg_amproc: amprocfamily
    pg_attribute: attlen attbyval attalign attcacheoff attinhcount
    pg_class: relhasindex relisshared relnatts relchecks relhasrules relhastriggers relhassubclass
    pg_constraint: coninhcount
    pg_language: lanispl
    pg_operator: oprkind oprresult
    pg_type: typarray
    pg_user_mapping: umserver]],
  ["the state of the data, not of its description"] = [[
    pg_attribute: atthasmissing attmissingval
    pg_class: relfilenode relpages reltuples relallvisible relallfrozen relrewrite relfrozenxid
      relminmxid
    pg_index: indcheckxmin indisready indislive
    pg_largeobject: loid pageno data
    pg_subscription_rel: srsubid srrelid srsubstate srsublsn
    pg_statistic: starelid staattnum stainherit stanullfrac stawidth stadistinct stakind1 stakind2
      stakind3 stakind4 stakind5 staop1 staop2 staop3 staop4 staop5 stacoll1 stacoll2 stacoll3
      stacoll4 stacoll5 stanumbers1 stanumbers2 stanumbers3 stanumbers4 stanumbers5 stavalues1
      stavalues2 stavalues3 stavalues4 stavalues5
    pg_statistic_ext_data: stxoid stxdinherit stxdndistinct stxddependencies stxdmcv stxdexpr]],
  ["the server does not use it, nor pg_dump print it"] = [[
    pg_attribute: attndims
    pg_type: typndims]],
  ["the extension's own"] = [[
    pg_extension: extrelocatable extconfig extcondition
    pg_init_privs: privtype]],
  ["of the machine: the locale library's version, the encoding of the database"] = [[
    pg_collation: collencoding collversion]],
  ["large objects are named, not described"] = [[
    pg_largeobject_metadata: lomacl]],
}

local passed_over = {}
for reason, text in pairs(reasons) do
  local catalog
  for word in text:gmatch("%S+") do
    local name = word:match("^(.*):$")
    if name then
      catalog = name
    else
      passed_over[catalog .. "." .. word] = reason
    end
  end
end

describe("the queries of a snapshot", function()
  it("read every column of every catalog, or there is a reason", function()
    local database <close> = server.database()
    local connection <close> = database.connect()
    local queries = reader.queries({}, connection:info().server_version)
    local text = table.concat(queries, "\n")
    local columns = connection:exec([[
      SELECT c.relname AS catalog, a.attname AS name
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
      WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'r'
        AND NOT c.relisshared AND a.attnum > 0 AND NOT a.attisdropped]])
    assert.is_true(#columns > 400)
    local missed = {}
    for _, column in ipairs(columns) do
      local is_read = text:find("%f[%w_]" .. column.name .. "%f[^%w_]")
      local name = column.catalog .. "." .. column.name
      if not is_read and not passed_over[name] then
        missed[#missed + 1] = name
      end
    end
    assert.same({}, missed)
  end)
end)
