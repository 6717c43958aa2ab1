--- Which family takes care of which kind of object. A family has compare, create, drop and alter,
-- and remake when its objects can be put aside.

local constraints = require("luamig.diff.constraints")
local events = require("luamig.diff.events")
local foreign = require("luamig.diff.foreign")
local functions = require("luamig.diff.functions")
local indexes = require("luamig.diff.indexes")
local operators = require("luamig.diff.operators")
local policies = require("luamig.diff.policies")
local publications = require("luamig.diff.publications")
local schemas = require("luamig.diff.schemas")
local sequences = require("luamig.diff.sequences")
local statistics = require("luamig.diff.statistics")
local tables = require("luamig.diff.tables")
local text_search = require("luamig.diff.text_search")
local triggers = require("luamig.diff.triggers")
local types = require("luamig.diff.types")
local views = require("luamig.diff.views")

local kinds = {
  schema = schemas, extension = schemas,
  enum = types, domain = types, composite = types, range = types, ["base type"] = types,
  ["shell type"] = types,
  sequence = sequences,
  table = tables, ["foreign table"] = tables,
  constraint = constraints, index = indexes, statistics = statistics,
  view = views, ["materialized view"] = views,
  ["function"] = functions, procedure = functions, aggregate = functions,
  trigger = triggers, rule = triggers, policy = policies, publication = publications,
}

for _, families in ipairs({ events, foreign, operators, text_search }) do
  for kind, family in pairs(families) do
    kinds[kind] = family
  end
end

return kinds
