--- Functions, procedures and aggregates; triggers, rules and policies.

local builder = require("luamig.snapshot.builder")

local class = builder.class

-- Left out: the constructors of range types, which are parts of the type.
local functions = {
  sql = [[
SELECT p.oid, n.nspname AS schema, p.proname AS name, p.prokind AS kind,
  pg_catalog.pg_get_userbyid(p.proowner) AS owner, {acl p.proacl f p.proowner} AS acl,
  pg_catalog.oidvectortypes(p.proargtypes) AS signature,
  pg_catalog.pg_get_function_arguments(p.oid) AS arguments,
  pg_catalog.pg_get_function_result(p.oid) AS returns,
  CASE WHEN p.prokind <> 'a' THEN l.lanname END AS language,
  NULLIF(p.prokind = 'w', false) AS window,
  CASE WHEN p.prokind <> 'a' THEN pg_catalog.pg_get_functiondef(p.oid) END AS definition,
  CASE WHEN p.prokind = 'a' THEN pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
    'type', CASE a.aggkind WHEN 'o' THEN 'ordered set' WHEN 'h' THEN 'hypothetical set' END,
    'direct_arguments', NULLIF(a.aggnumdirectargs, 0),
    'sfunc', a.aggtransfn::regprocedure, 'stype', pg_catalog.format_type(a.aggtranstype, NULL),
    'sspace', NULLIF(a.aggtransspace, 0),
    'finalfunc', NULLIF(a.aggfinalfn, 0)::regprocedure,
    'finalfunc_extra', NULLIF(a.aggfinalextra, false),
    'finalfunc_modify', CASE WHEN a.aggfinalfn <> 0 THEN a.aggfinalmodify END,
    'combinefunc', NULLIF(a.aggcombinefn, 0)::regprocedure,
    'serialfunc', NULLIF(a.aggserialfn, 0)::regprocedure,
    'deserialfunc', NULLIF(a.aggdeserialfn, 0)::regprocedure,
    'initcond', a.agginitval,
    'msfunc', NULLIF(a.aggmtransfn, 0)::regprocedure,
    'minvfunc', NULLIF(a.aggminvtransfn, 0)::regprocedure,
    'mstype', CASE WHEN a.aggmtranstype <> 0
      THEN pg_catalog.format_type(a.aggmtranstype, NULL) END,
    'msspace', NULLIF(a.aggmtransspace, 0),
    'mfinalfunc', NULLIF(a.aggmfinalfn, 0)::regprocedure,
    'mfinalfunc_extra', NULLIF(a.aggmfinalextra, false),
    'mfinalfunc_modify', CASE WHEN a.aggmfinalfn <> 0 THEN a.aggmfinalmodify END,
    'minitcond', a.aggminitval,
    'sortop', NULLIF(a.aggsortop, 0)::regoperator,
    'parallel', CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' END)) END
    AS aggregate
FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_catalog.pg_language l ON l.oid = p.prolang
  LEFT JOIN pg_catalog.pg_aggregate a ON a.aggfnoid = p.oid
WHERE p.pronamespace IN {schemas} AND p.oid NOT IN {members pg_proc}
  AND p.oid NOT IN (SELECT d.objid FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.deptype = 'i'
      AND d.refclassid = 'pg_catalog.pg_type'::regclass)]],
}

local function_kinds = { f = "function", w = "function", p = "procedure", a = "aggregate" }

function functions.take(rows, build)
  for _, row in ipairs(rows) do
    local oid, kind, aggregate = row.oid, function_kinds[row.kind], row.aggregate
    row.oid, row.kind, row.aggregate = nil, nil, nil
    for name, value in pairs(aggregate or {}) do
      row[name] = value
    end
    build:add(class["function"], oid, kind,
      build:qualified(row) .. "(" .. row.signature .. ")", row)
  end
end

local enabled_words = [[CASE %s WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica'
    WHEN 'A' THEN 'always' END]]

-- The triggers of a constraint are parts of it; only a change of their state is a fact of its own.
local triggers = {
  sql = ([[
SELECT t.oid, t.tgrelid AS parent, t.tgname AS name, ENABLED AS enabled,
  CASE WHEN COALESCE(k.contype, 't') = 't' THEN pg_catalog.pg_get_triggerdef(t.oid) END
    AS definition,
  NULLIF(t.tgconstraint <> 0, false) AS constraint, NULLIF(t.tgparentid, 0) AS part_of,
  CASE WHEN k.contype <> 't' THEN k.oid END AS constraint_oid
FROM pg_catalog.pg_trigger t
  JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
  LEFT JOIN pg_catalog.pg_constraint k ON k.oid = t.tgconstraint
WHERE c.relnamespace IN {schemas}
  AND (COALESCE(k.contype, 't') = 't' OR t.tgenabled <> 'O')]])
    :gsub("ENABLED", (enabled_words:format("t.tgenabled"))),
}

function triggers.take(rows, build)
  local ids, copies = build.ids[class.trigger], {}
  for _, row in ipairs(rows) do
    if row.constraint_oid then
      local object = build:object(class.constraint, row.constraint_oid)
      if object then
        object.triggers = row.enabled
      end
    else
      copies[row] = row.part_of
      build:add_child(class.trigger, "trigger", row, class.relation)
    end
  end
  for row, part_of in pairs(copies) do
    row.part_of = ids[part_of]
  end
end

local rules = {
  sql = ([[
SELECT r.oid, r.ev_class AS parent, r.rulename AS name, ENABLED AS enabled,
  pg_catalog.pg_get_ruledef(r.oid) AS definition
FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
WHERE c.relnamespace IN {schemas} AND r.rulename <> '_RETURN']])
    :gsub("ENABLED", (enabled_words:format("r.ev_enabled"))),
}

function rules.take(rows, build)
  for _, row in ipairs(rows) do
    build:add_child(class.rule, "rule", row, class.relation)
  end
end

local policies = {
  sql = [[
SELECT p.oid, p.polrelid AS parent, p.polname AS name,
  CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
    WHEN 'd' THEN 'DELETE' ELSE 'ALL' END AS command,
  NULLIF(NOT p.polpermissive, false) AS restrictive,
  ARRAY(SELECT CASE WHEN r.oid = 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(r.oid)::text END
    FROM pg_catalog.unnest(p.polroles) r (oid) ORDER BY 1) AS roles,
  pg_catalog.pg_get_expr(p.polqual, p.polrelid) AS using,
  pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) AS check
FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
WHERE c.relnamespace IN {schemas}]],
}

function policies.take(rows, build)
  for _, row in ipairs(rows) do
    table.sort(row.roles)
    build:add_child(class.policy, "policy", row, class.relation)
  end
end

local statistics = {
  sql = [[
SELECT s.oid, n.nspname AS schema, s.stxname AS name, s.stxrelid AS relation,
  pg_catalog.pg_get_userbyid(s.stxowner) AS owner,
  pg_catalog.pg_get_statisticsobjdef(s.oid) AS definition,
  CASE WHEN s.stxstattarget >= 0 THEN s.stxstattarget END AS statistics
FROM pg_catalog.pg_statistic_ext s
  JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
WHERE s.stxnamespace IN {schemas} AND s.oid NOT IN {members pg_statistic_ext}]],
}

function statistics.take(rows, build)
  for _, row in ipairs(rows) do
    local oid = row.oid
    row.table = build.ids[class.relation][row.relation]
    row.oid, row.relation = nil, nil
    build:add_qualified(class.statistics, oid, "statistics", row)
  end
end

return {
  functions = functions, triggers = triggers, rules = rules, policies = policies,
  statistics = statistics,
}
