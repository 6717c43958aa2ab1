--- Which objects are read, as SQL: fills the places that the queries of the families leave open.
--   {schemas}             the OIDs of the schemas that are read, as a subquery
--   {members pg_class}    the OIDs of that catalog's rows that belong to extensions, as a subquery
--   {wide}                true when objects outside all schemas are read
--   {acl COLUMN K OWNER}  the privileges as JSON, NULL when they are the default for kind K
--                         (acldefault's letter) and OWNER
--   {grants COLUMN OWNER} the privileges as JSON, always
--   {since 15 ? A : B}    A on that major version and later, else B; blanks around the signs
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
function scope.new(options, server_version)
  local major = server_version // 10000
  local schemas = schemas_sql(options.schemas, options.ignore or {})
  return setmetatable({
    schemas = options.schemas,
    schemas_sql = schemas,
    major = major,
    key = ("%d %s %s"):format(major, options.schemas and "some" or "all", schemas),
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
