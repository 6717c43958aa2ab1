--- Sends the queries of all families in one pipeline and has each take its rows.

local annotations = require("luamig.snapshot.annotations")
local builder = require("luamig.snapshot.builder")
local code = require("luamig.snapshot.code")
local columns = require("luamig.snapshot.columns")
local constraints = require("luamig.snapshot.constraints")
local database = require("luamig.snapshot.database")
local foreign = require("luamig.snapshot.foreign")
local operators = require("luamig.snapshot.operators")
local relations = require("luamig.snapshot.relations")
local scope = require("luamig.snapshot.scope")
local types = require("luamig.snapshot.types")
local unmodelled = require("luamig.snapshot.unmodelled")
local visit = require("luamig.snapshot.visit")

local reader = {}

-- In the order in which rows become objects: what others refer to comes first. Those with `of` can
-- be asked for some objects only.
local families = {
  types.schemas, types.extensions, types.types,
  relations.relations, columns.columns, relations.sequences,
  constraints.constraints, constraints.indexes, relations.inheritance,
  code.functions, code.triggers, code.rules, code.policies, code.statistics,
  foreign, database,
  operators.wide, operators.operators, operators.text_search,
  annotations.comments, annotations.dependencies,
  unmodelled,
}

local made = {} -- [key of a scope] = its queries

---The queries, by their families' places.
---@param options table
---@param server_version integer
---@param is_narrow? boolean
---@return table<integer, string>  all of them, or those that can be asked for some objects only
function reader.queries(options, server_version, is_narrow)
  local places = scope.new(options, server_version, is_narrow)
  if not made[places.key] then
    local queries = {}
    for i, family in ipairs(families) do
      queries[i] = (family.of or not is_narrow) and places:sql(family.sql) or nil
    end
    made[places.key] = queries
  end
  return made[places.key]
end

---@param conn userdata
---@param options table
---@return table value
function reader.read(conn, options)
  local server_version = conn:info().server_version
  local rows = visit.new(conn, options):ask(reader.queries(options, server_version), true)
  local build = builder.new(options, server_version)
  reader.take_all(rows, build)
  return build.value
end

---Has all families take their rows.
---@param rows fun(): table  the rows of the next query
function reader.take_all(rows, build)
  for _, family in ipairs(families) do
    family.take(rows(), build)
  end
end

local function array(oids)
  return "{" .. table.concat(oids, ",") .. "}"
end

-- New objects have no rows in catalogs that have no fresh ones.
local function has_rows(family, fresh)
  if not fresh or not family.catalogs then
    return true
  end
  for _, catalog in ipairs(family.catalogs) do
    if fresh[catalog] then
      return true
    end
  end
  return false
end

---The queries that read some objects, and their families.
---@param wanted table<integer, integer[]>  [OID of the catalog] = OIDs of objects
---@param fresh? table<string, true>  the objects are new, and these catalogs have fresh rows
---@return table[] queries, table[] families
function reader.some(options, server_version, wanted, fresh)
  local texts = reader.queries(options, server_version, true)
  local queries, asked = {}, {}
  for i, family in ipairs(families) do
    local is_needed, params = false, {}
    for n, class in ipairs(family.of or {}) do
      params[n] = array(wanted[class] or {})
      is_needed = is_needed or wanted[class] ~= nil
    end
    if is_needed and has_rows(family, fresh) then
      queries[#queries + 1] = { sql = texts[i], params = params }
      asked[#asked + 1] = family
    end
  end
  return queries, asked
end

return reader
