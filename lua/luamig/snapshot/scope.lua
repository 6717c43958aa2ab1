--- Which objects are read, as SQL: fills the places that the queries of the families leave open.
--   {schemas}             the OIDs of the schemas that are read, as a subquery
--   {members pg_class}    the OIDs of that catalog's rows that belong to extensions, as a subquery
--   {wide}                true when objects outside all schemas are read
--   {acl COLUMN K OWNER}  the privileges as JSON, NULL when they are the default for kind K
--                         (acldefault's letter) and OWNER
--   {grants COLUMN OWNER} the privileges as JSON, always
--   {since 15 ? A : B}    A on that major version and later, else B; blanks around the signs
-- A scope may be narrow: then only some objects are read, whose OIDs are the parameters of a query,
-- one array for each of the catalogs that the family names in `of`:
--   {some CATALOG COLUMN}  that catalog; or those of its rows whose column is one of $1
--   {some CATALOG COLUMN with X}  … or something that is of one of $1
--   {parts}               a WITH of all that is in the objects, for:
--   {rows CATALOG A B}    that catalog; or those of its rows whose A and B are a part's OID and
--                         class
--   {edges}               pg_depend; or those of its rows that are of parts
-- While the queries run, search_path is pg_catalog: operators and types in them need no schema.

local quote = require("luamig.quote")

local scope = {}

local Scope = {}
Scope.__index = Scope

-- COLUMN and OWNER stand for themselves.
local grants_template = [[
(SELECT COALESCE(pg_catalog.jsonb_agg(pg_catalog.jsonb_strip_nulls(pg_catalog.to_jsonb(g))
    ORDER BY g.grantee COLLATE "C" NULLS FIRST, g.grantor COLLATE "C" NULLS FIRST), '[]')
  FROM (SELECT
      CASE WHEN e.grantee = 0 THEN 'public'
        WHEN e.grantee <> OWNER THEN pg_catalog.pg_get_userbyid(e.grantee)::text END AS grantee,
      CASE WHEN e.grantor <> OWNER THEN pg_catalog.pg_get_userbyid(e.grantor)::text END
        AS grantor,
      pg_catalog.jsonb_agg(e.privilege_type ORDER BY e.privilege_type COLLATE "C") AS privileges,
      pg_catalog.jsonb_agg(e.privilege_type ORDER BY e.privilege_type COLLATE "C")
        FILTER (WHERE e.is_grantable) AS grantable
    FROM pg_catalog.aclexplode(COLUMN) e GROUP BY 1, 2) g)]]

local acl_template = [[
CASE WHEN COLUMN IS NULL OR COLUMN @> pg_catalog.acldefault('KIND', OWNER)
  AND COLUMN <@ pg_catalog.acldefault('KIND', OWNER) THEN NULL ELSE ]] .. grants_template .. " END"

local places = {}

function places.schemas(self)
  return self.schemas_sql
end

function places.members(_, catalog)
  return ([[(SELECT m.objid FROM pg_catalog.pg_depend m
    WHERE m.refclassid = 'pg_catalog.pg_extension'::regclass AND m.deptype = 'e'
      AND m.classid = 'pg_catalog.%s'::regclass)]]):format(catalog)
end

function places.wide(self)
  return self.schemas and "false" or "true"
end

function places.grants(_, argument)
  local column, owner = argument:match("^(%S+) (%S+)$")
  return (grants_template:gsub("%u%u%u+", { COLUMN = column, OWNER = owner }))
end

function places.acl(_, argument)
  local column, kind, owner = argument:match("^(%S+) (%S+) (%S+)$")
  return (acl_template:gsub("%u%u%u+", { COLUMN = column, KIND = kind, OWNER = owner }))
end

function places.since(self, argument)
  local major, new, old = argument:match("^(%d+) %?(.-)%s:%s*(.*)$")
  return self.major >= tonumber(major) and new or old
end

-- What is of the relations $1 (and the types $2), as a subquery of one column.
local with = {}

with.indexes = [[SELECT pg_catalog.unnest($1::oid[]) UNION ALL
      SELECT z.indexrelid FROM pg_catalog.pg_index z WHERE z.indrelid = ANY ($1)]]

with.columns = with.indexes .. [[ UNION ALL
      SELECT z.typrelid FROM pg_catalog.pg_type z WHERE z.oid = ANY ($2::oid[])]]

with.sequences = [[SELECT pg_catalog.unnest($1::oid[]) UNION ALL
      SELECT z.objid FROM pg_catalog.pg_depend z
      WHERE z.refclassid = 'pg_catalog.pg_class'::regclass AND z.refobjid = ANY ($1)
        AND z.refobjsubid > 0 AND z.classid = 'pg_catalog.pg_class'::regclass
        AND z.deptype IN ('a', 'i')]]

with.constraints = [[SELECT z.oid FROM pg_catalog.pg_constraint z
        WHERE z.conrelid = ANY ($1::oid[]) UNION ALL
      SELECT z.oid FROM pg_catalog.pg_constraint z WHERE z.contypid = ANY ($2::oid[])]]

-- A foreign key's triggers are of two tables: they are read with the one that has the constraint.
with.triggers = [[SELECT z.oid FROM pg_catalog.pg_trigger z
        WHERE z.tgrelid = ANY ($1::oid[]) AND z.tgconstraint = 0 UNION ALL
      SELECT z.oid FROM pg_catalog.pg_constraint y
        JOIN pg_catalog.pg_trigger z ON z.tgconstraint = y.oid WHERE y.conrelid = ANY ($1)]]

-- OFFSET 0: these rows are found first, the others by them.
function places.some(self, argument)
  local catalog, column, what = argument:match("^(%S+) (%S+)(.*)$")
  if not self.is_narrow then
    return "pg_catalog." .. catalog
  end
  local oids = what == "" and "$1::oid[]"
    or ("ARRAY(%s)"):format(with[what:match("^ with (%l+)$")])
  return ("(SELECT z.* FROM pg_catalog.%s z WHERE z.%s = ANY (%s) OFFSET 0)")
    :format(catalog, column, oids)
end

-- $1 relations, $2 types, $3 functions, $4 statistics, $5 schemas
local parts_sql = [[
WITH parts (class, oid) AS (
  SELECT 'pg_catalog.pg_class'::regclass::oid, x.oid FROM pg_catalog.unnest($1::oid[]) x (oid)
  UNION ALL SELECT 'pg_catalog.pg_type'::regclass, x.oid FROM pg_catalog.unnest($2::oid[]) x (oid)
  UNION ALL SELECT 'pg_catalog.pg_proc'::regclass, x.oid FROM pg_catalog.unnest($3::oid[]) x (oid)
  UNION ALL SELECT 'pg_catalog.pg_statistic_ext'::regclass, x.oid
    FROM pg_catalog.unnest($4::oid[]) x (oid)
  UNION ALL SELECT 'pg_catalog.pg_namespace'::regclass, x.oid
    FROM pg_catalog.unnest($5::oid[]) x (oid)
  UNION ALL SELECT 'pg_catalog.pg_class'::regclass, x.indexrelid
    FROM pg_catalog.pg_index x WHERE x.indrelid = ANY ($1)
  UNION ALL SELECT 'pg_catalog.pg_class'::regclass, x.objid FROM pg_catalog.pg_depend x
    WHERE x.refclassid = 'pg_catalog.pg_class'::regclass AND x.refobjid = ANY ($1)
      AND x.refobjsubid > 0 AND x.classid = 'pg_catalog.pg_class'::regclass AND x.deptype = 'i'
  UNION ALL SELECT 'pg_catalog.pg_type'::regclass, x.reltype
    FROM pg_catalog.pg_class x WHERE x.oid = ANY ($1) AND x.reltype <> 0
  UNION ALL SELECT 'pg_catalog.pg_class'::regclass, x.typrelid
    FROM pg_catalog.pg_type x WHERE x.oid = ANY ($2) AND x.typrelid <> 0
  UNION ALL SELECT 'pg_catalog.pg_constraint'::regclass, x.oid
    FROM pg_catalog.pg_constraint x WHERE x.conrelid = ANY ($1)
  UNION ALL SELECT 'pg_catalog.pg_constraint'::regclass, x.oid
    FROM pg_catalog.pg_constraint x WHERE x.contypid = ANY ($2)
  UNION ALL SELECT 'pg_catalog.pg_trigger'::regclass, x.oid
    FROM pg_catalog.pg_trigger x WHERE x.tgrelid = ANY ($1)
  UNION ALL SELECT 'pg_catalog.pg_rewrite'::regclass, x.oid
    FROM pg_catalog.pg_rewrite x WHERE x.ev_class = ANY ($1)
  UNION ALL SELECT 'pg_catalog.pg_policy'::regclass, x.oid
    FROM pg_catalog.pg_policy x WHERE x.polrelid = ANY ($1)
  UNION ALL SELECT 'pg_catalog.pg_attrdef'::regclass, x.oid
    FROM pg_catalog.pg_attrdef x WHERE x.adrelid = ANY ($1))
]]

function places.parts(self)
  return self.is_narrow and parts_sql or ""
end

function places.rows(self, argument)
  local catalog, oid, class = argument:match("^(%S+) (%S+) (%S+)$")
  if not self.is_narrow then
    return "pg_catalog." .. catalog
  end
  return ([[(SELECT y.* FROM parts x, LATERAL (SELECT z.* FROM pg_catalog.%s z
    WHERE z.%s = x.oid AND z.%s = x.class OFFSET 0) y)]]):format(catalog, oid, class)
end

-- Array types, multiranges and the functions that make ranges are told by what they are parts of.
local internal_sql = [[
SELECT y.* FROM (
    SELECT x.oid FROM parts x WHERE x.class = 'pg_catalog.pg_type'::regclass
    UNION ALL SELECT r.rngmultitypid FROM parts x JOIN pg_catalog.pg_range r ON r.rngtypid = x.oid
      WHERE x.class = 'pg_catalog.pg_type'::regclass) x,
  LATERAL (SELECT z.* FROM pg_catalog.pg_depend z
    WHERE z.refclassid = 'pg_catalog.pg_type'::regclass AND z.refobjid = x.oid
      AND z.deptype = 'i' OFFSET 0) y]]

function places.edges(self)
  if not self.is_narrow then
    return "pg_catalog.pg_depend"
  end
  local of_parts = places.rows(self, "pg_depend objid classid")
  return ("(SELECT y.* FROM %s y UNION ALL %s)"):format(of_parts, internal_sql)
end

local function literals(names)
  local out = {}
  for i, name in ipairs(names) do
    out[i] = quote.string(name)
  end
  return table.concat(out, ", ")
end

local function schemas_sql(schemas, ignore)
  local conditions = { "s.nspname !~ '^pg_'", "s.nspname <> 'information_schema'" }
  if schemas then
    conditions[#conditions + 1] = #schemas == 0 and "false"
      or ("s.nspname IN (%s)"):format(literals(schemas))
  end
  if #ignore > 0 then
    conditions[#conditions + 1] = ("s.nspname NOT IN (%s)"):format(literals(ignore))
  end
  return ("(SELECT s.oid FROM pg_catalog.pg_namespace s WHERE %s)")
    :format(table.concat(conditions, " AND "))
end

---@param options { schemas?: string[], ignore?: string[] }  ignore: schemas, plain names
---@param server_version integer  150018
---@param is_narrow? boolean  the objects that are read are parameters
function scope.new(options, server_version, is_narrow)
  local major = server_version // 10000
  local schemas = schemas_sql(options.schemas, options.ignore or {})
  return setmetatable({
    schemas = options.schemas,
    schemas_sql = schemas,
    major = major,
    is_narrow = is_narrow,
    key = ("%d %s %s %s"):format(major, options.schemas and "some" or "all",
      is_narrow and "narrow" or "whole", schemas),
  }, Scope)
end

---A query with its places filled, from the inside out.
---@param template string
---@return string
function Scope:sql(template)
  local count
  repeat
    template, count = template:gsub("{(%l+) ?([^{}]*)}", function(word, argument)
      return places[word](self, argument)
    end)
  until count == 0
  return template
end

return scope
