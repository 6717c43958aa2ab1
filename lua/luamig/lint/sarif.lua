--- Findings as SARIF 2.1.0, which code hosts show beside the lines.

local files = require("luamig.files")
local registry = require("luamig.lint.registry")

local sarif = {}

local levels = { error = "error", warning = "warning", info = "note" }

local function rule_of(id)
  local rule = registry.get(id)
  return {
    id = id, name = id, shortDescription = { text = rule.title },
    fullDescription = { text = rule.why },
    help = { text = rule.why .. "\n\n" .. rule.safe },
    defaultConfiguration = { level = levels[rule.severity] },
  }
end

local function uri_of(file)
  return (files.repository_path(file):gsub("[^%w%-._~/]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end))
end

local function location_of(place)
  return {
    physicalLocation = {
      artifactLocation = { uri = uri_of(place.file) },
      region = { startLine = place.line or 1 },
    },
  }
end

local function result_of(item)
  local out = {
    ruleId = item.rule, level = levels[item.severity], locations = { location_of(item) },
    message = { text = item.message .. "\n\n" .. item.safe },
    properties = { revision = item.revision, direction = item.direction, sql = item.sql },
    relatedLocations = item.caller and { location_of(item.caller) } or nil,
  }
  if item.ignored then
    out.suppressions = { { kind = "inSource", justification = item.ignored } }
  end
  return out
end

---@param result luamig.lint.Result
---@param version string  of luamig
---@return table  one document, for luamig.json
function sarif.document(result, version)
  local rules, results, seen = {}, {}, {}
  for _, list in ipairs({ result.findings, result.ignored }) do
    for _, item in ipairs(list) do
      results[#results + 1] = result_of(item)
      if not seen[item.rule] then
        seen[item.rule] = true
        rules[#rules + 1] = rule_of(item.rule)
      end
    end
  end
  table.sort(rules, function(a, b)
    return a.id < b.id
  end)
  return {
    ["$schema"] = "https://json.schemastore.org/sarif-2.1.0.json",
    version = "2.1.0",
    runs = { {
      tool = { driver = { name = "luamig", version = version, rules = rules } },
      results = results,
    } },
  }
end

return sarif
