--- Casts, transforms, languages, access methods, operators and their classes and families,
-- conversions and collations.

-- Left out: the casts between a range type and its multirange, which are parts of the type.
local wide = {
  sql = [[
SELECT 'pg_catalog.pg_cast'::regclass::oid AS class, c.oid, 'cast' AS kind,
  '(' || pg_catalog.format_type(c.castsource, NULL) || ' as '
    || pg_catalog.format_type(c.casttarget, NULL) || ')' AS identity,
  NULL::name AS schema, NULL::name AS name, NULL::name AS owner, NULL::jsonb AS acl,
  pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
    'source', pg_catalog.format_type(c.castsource, NULL),
    'target', pg_catalog.format_type(c.casttarget, NULL),
    'function', NULLIF(c.castfunc, 0)::regprocedure, 'inout', NULLIF(c.castmethod = 'i', false),
    'context', CASE c.castcontext WHEN 'a' THEN 'assignment' WHEN 'i' THEN 'implicit' END))
    AS object
FROM pg_catalog.pg_cast c
WHERE {wide} AND c.oid >= 16384 AND c.oid NOT IN {members pg_cast}
  AND c.oid NOT IN (SELECT d.objid FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_cast'::regclass AND d.deptype = 'i')
UNION ALL
SELECT 'pg_catalog.pg_transform'::regclass, t.oid, 'transform',
  'for ' || pg_catalog.format_type(t.trftype, NULL) || ' language '
    || pg_catalog.quote_ident(l.lanname), NULL, NULL, NULL, NULL,
  pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
    'type', pg_catalog.format_type(t.trftype, NULL), 'language', l.lanname,
    'from_sql', NULLIF(t.trffromsql, 0)::regprocedure,
    'to_sql', NULLIF(t.trftosql, 0)::regprocedure))
FROM pg_catalog.pg_transform t JOIN pg_catalog.pg_language l ON l.oid = t.trflang
WHERE {wide} AND t.oid NOT IN {members pg_transform}
UNION ALL
SELECT 'pg_catalog.pg_language'::regclass, l.oid, 'language', NULL, NULL, l.lanname,
  pg_catalog.pg_get_userbyid(l.lanowner), {acl l.lanacl l l.lanowner},
  pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
    'trusted', NULLIF(l.lanpltrusted, false),
    'handler', NULLIF(l.lanplcallfoid, 0)::regproc, 'inline', NULLIF(l.laninline, 0)::regproc,
    'validator', NULLIF(l.lanvalidator, 0)::regproc))
FROM pg_catalog.pg_language l
WHERE {wide} AND l.oid >= 16384 AND l.oid NOT IN {members pg_language}
UNION ALL
SELECT 'pg_catalog.pg_am'::regclass, m.oid, 'access method', NULL, NULL, m.amname, NULL, NULL,
  pg_catalog.jsonb_build_object(
    'type', CASE m.amtype WHEN 'i' THEN 'index' ELSE 'table' END, 'handler', m.amhandler)
FROM pg_catalog.pg_am m
WHERE {wide} AND m.oid >= 16384 AND m.oid NOT IN {members pg_am}]],
}

function wide.take(rows, build)
  build:add_rows(rows)
end

-- Which of an operator family's operators and functions are loose, and which are an operator
-- class's own, is told by pg_depend alone.
local members = [[
    'operators', (SELECT pg_catalog.jsonb_agg(x.text ORDER BY x.text COLLATE "C") FROM (
      SELECT 'OPERATOR ' || o.amopstrategy || ' ' || o.amopopr::regoperator
          || CASE WHEN o.amopsortfamily <> 0 THEN ' FOR ORDER BY '
            || pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(s.opfname)
            ELSE '' END AS text
        FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_amop o ON o.oid = d.objid
          LEFT JOIN pg_catalog.pg_opfamily s ON s.oid = o.amopsortfamily
          LEFT JOIN pg_catalog.pg_namespace n ON n.oid = s.opfnamespace
        WHERE d.classid = 'pg_catalog.pg_amop'::regclass AND d.refobjid = OWNER.oid
          AND d.refclassid = 'pg_catalog.CATALOG'::regclass AND d.deptype IN ('a', 'i')) x),
    'functions', (SELECT pg_catalog.jsonb_agg(x.text ORDER BY x.text COLLATE "C") FROM (
      SELECT 'FUNCTION ' || p.amprocnum || ' (' || pg_catalog.format_type(p.amproclefttype, NULL)
          || ', ' || pg_catalog.format_type(p.amprocrighttype, NULL) || ') '
          || p.amproc::oid::regprocedure AS text
        FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_amproc p ON p.oid = d.objid
        WHERE d.classid = 'pg_catalog.pg_amproc'::regclass AND d.refobjid = OWNER.oid
          AND d.refclassid = 'pg_catalog.CATALOG'::regclass AND d.deptype IN ('a', 'i')) x)]]

local function members_of(alias, catalog)
  return (members:gsub("OWNER", alias):gsub("CATALOG", catalog))
end

local operators = {
  sql = [[
SELECT 'pg_catalog.pg_operator'::regclass::oid AS class, o.oid, 'operator' AS kind,
  pg_catalog.quote_ident(n.nspname) || '.' || o.oprname || '('
    || CASE WHEN o.oprleft = 0 THEN 'NONE' ELSE pg_catalog.format_type(o.oprleft, NULL) END || ', '
    || pg_catalog.format_type(o.oprright, NULL) || ')' AS identity,
  n.nspname AS schema, o.oprname AS name, pg_catalog.pg_get_userbyid(o.oprowner) AS owner,
  NULL::jsonb AS acl,
  pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
    'function', NULLIF(o.oprcode, 0)::regproc,
    'left', CASE WHEN o.oprleft <> 0 THEN pg_catalog.format_type(o.oprleft, NULL) END,
    'right', pg_catalog.format_type(o.oprright, NULL),
    'commutator', NULLIF(o.oprcom, 0)::regoperator, 'negator', NULLIF(o.oprnegate, 0)::regoperator,
    'restrict', NULLIF(o.oprrest, 0)::regproc, 'join', NULLIF(o.oprjoin, 0)::regproc,
    'hashes', NULLIF(o.oprcanhash, false), 'merges', NULLIF(o.oprcanmerge, false))) AS object
FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
WHERE o.oprnamespace IN {schemas} AND o.oid NOT IN {members pg_operator}
UNION ALL
SELECT 'pg_catalog.pg_opfamily'::regclass, f.oid, 'operator family',
  pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(f.opfname) || ' using '
    || pg_catalog.quote_ident(m.amname), n.nspname, f.opfname,
  pg_catalog.pg_get_userbyid(f.opfowner), NULL,
  pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('method', m.amname,
]] .. members_of("f", "pg_opfamily") .. [[))
FROM pg_catalog.pg_opfamily f JOIN pg_catalog.pg_namespace n ON n.oid = f.opfnamespace
  JOIN pg_catalog.pg_am m ON m.oid = f.opfmethod
WHERE f.opfnamespace IN {schemas} AND f.oid NOT IN {members pg_opfamily}
UNION ALL
SELECT 'pg_catalog.pg_opclass'::regclass, c.oid, 'operator class',
  pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.opcname) || ' using '
    || pg_catalog.quote_ident(m.amname), n.nspname, c.opcname,
  pg_catalog.pg_get_userbyid(c.opcowner), NULL,
  pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('method', m.amname,
    'type', pg_catalog.format_type(c.opcintype, NULL), 'default', NULLIF(c.opcdefault, false),
    'family', 'operator family ' || pg_catalog.quote_ident(x.nspname) || '.'
      || pg_catalog.quote_ident(f.opfname) || ' using ' || pg_catalog.quote_ident(m.amname),
    'storage', CASE WHEN c.opckeytype <> 0 THEN pg_catalog.format_type(c.opckeytype, NULL) END,
]] .. members_of("c", "pg_opclass") .. [[))
FROM pg_catalog.pg_opclass c JOIN pg_catalog.pg_namespace n ON n.oid = c.opcnamespace
  JOIN pg_catalog.pg_am m ON m.oid = c.opcmethod
  JOIN pg_catalog.pg_opfamily f ON f.oid = c.opcfamily
  JOIN pg_catalog.pg_namespace x ON x.oid = f.opfnamespace
WHERE c.opcnamespace IN {schemas} AND c.oid NOT IN {members pg_opclass}
UNION ALL
SELECT 'pg_catalog.pg_conversion'::regclass, c.oid, 'conversion', NULL, n.nspname, c.conname,
  pg_catalog.pg_get_userbyid(c.conowner), NULL,
  pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
    'from', pg_catalog.pg_encoding_to_char(c.conforencoding),
    'to', pg_catalog.pg_encoding_to_char(c.contoencoding), 'function', c.conproc,
    'default', NULLIF(c.condefault, false)))
FROM pg_catalog.pg_conversion c JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
WHERE c.connamespace IN {schemas} AND c.oid NOT IN {members pg_conversion}
UNION ALL
SELECT 'pg_catalog.pg_collation'::regclass, c.oid, 'collation', NULL, n.nspname, c.collname,
  pg_catalog.pg_get_userbyid(c.collowner), NULL,
  pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
    'provider', CASE c.collprovider WHEN 'i' THEN 'icu' WHEN 'c' THEN 'libc'
      WHEN 'b' THEN 'builtin' ELSE 'default' END,
    'locale', {since 17 ? c.colllocale : {since 15 ? c.colliculocale : NULL::text}},
    'collate', c.collcollate, 'ctype', c.collctype,
    'nondeterministic', NULLIF(NOT c.collisdeterministic, false),
    'rules', {since 16 ? c.collicurules : NULL::text}))
FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
WHERE c.collnamespace IN {schemas} AND c.oid NOT IN {members pg_collation}]],
}

function operators.take(rows, build)
  build:add_rows(rows)
end

local text_search = {
  sql = [[
SELECT 'pg_catalog.pg_ts_parser'::regclass::oid AS class, p.oid, 'text search parser' AS kind,
  n.nspname AS schema, p.prsname AS name, NULL::name AS owner,
  pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('start', p.prsstart,
    'gettoken', p.prstoken, 'end', p.prsend, 'lextypes', p.prslextype,
    'headline', NULLIF(p.prsheadline, 0)::regproc)) AS object
FROM pg_catalog.pg_ts_parser p JOIN pg_catalog.pg_namespace n ON n.oid = p.prsnamespace
WHERE p.prsnamespace IN {schemas} AND p.oid NOT IN {members pg_ts_parser}
UNION ALL
SELECT 'pg_catalog.pg_ts_template'::regclass, t.oid, 'text search template', n.nspname, t.tmplname,
  NULL, pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
    'init', NULLIF(t.tmplinit, 0)::regproc, 'lexize', t.tmpllexize))
FROM pg_catalog.pg_ts_template t JOIN pg_catalog.pg_namespace n ON n.oid = t.tmplnamespace
WHERE t.tmplnamespace IN {schemas} AND t.oid NOT IN {members pg_ts_template}
UNION ALL
SELECT 'pg_catalog.pg_ts_dict'::regclass, d.oid, 'text search dictionary', n.nspname, d.dictname,
  pg_catalog.pg_get_userbyid(d.dictowner), pg_catalog.jsonb_strip_nulls(
    pg_catalog.jsonb_build_object('options', d.dictinitoption, 'template',
      CASE WHEN x.nspname <> 'pg_catalog' THEN pg_catalog.quote_ident(x.nspname) || '.' ELSE '' END
        || pg_catalog.quote_ident(t.tmplname)))
FROM pg_catalog.pg_ts_dict d JOIN pg_catalog.pg_namespace n ON n.oid = d.dictnamespace
  JOIN pg_catalog.pg_ts_template t ON t.oid = d.dicttemplate
  JOIN pg_catalog.pg_namespace x ON x.oid = t.tmplnamespace
WHERE d.dictnamespace IN {schemas} AND d.oid NOT IN {members pg_ts_dict}
UNION ALL
SELECT 'pg_catalog.pg_ts_config'::regclass, c.oid, 'text search configuration', n.nspname,
  c.cfgname, pg_catalog.pg_get_userbyid(c.cfgowner), pg_catalog.jsonb_strip_nulls(
    pg_catalog.jsonb_build_object('parser',
      CASE WHEN x.nspname <> 'pg_catalog' THEN pg_catalog.quote_ident(x.nspname) || '.' ELSE '' END
        || pg_catalog.quote_ident(p.prsname),
      'mappings', (SELECT pg_catalog.jsonb_object_agg(a.alias, a.dictionaries) FROM (
        SELECT k.alias, pg_catalog.jsonb_agg(m.mapdict::regdictionary ORDER BY m.mapseqno)
            AS dictionaries
          FROM pg_catalog.pg_ts_config_map m
            JOIN pg_catalog.ts_token_type(c.cfgparser) k ON k.tokid = m.maptokentype
          WHERE m.mapcfg = c.oid GROUP BY k.alias) a)))
FROM pg_catalog.pg_ts_config c JOIN pg_catalog.pg_namespace n ON n.oid = c.cfgnamespace
  JOIN pg_catalog.pg_ts_parser p ON p.oid = c.cfgparser
  JOIN pg_catalog.pg_namespace x ON x.oid = p.prsnamespace
WHERE c.cfgnamespace IN {schemas} AND c.oid NOT IN {members pg_ts_config}]],
}

function text_search.take(rows, build)
  build:add_rows(rows)
end

return { wide = wide, operators = operators, text_search = text_search }
