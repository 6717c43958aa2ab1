--- The entry of a worker thread's own Lua state: from a text to a map function.

local cjson = require("cjson")
local json = require("luamig.json")
local recorded = require("luamig.backfill.recorded")
local transform = require("luamig.backfill.transform")

local mapper = {}

---What the threads need, as one text.
---@param target luamig.backfill.Target
---@param spec luamig.BatchSpec
---@param module? string  that returns the function
---@param script? luamig.backfill.Script
---@return string
function mapper.bundle(target, spec, module, script)
  return json.encode({
    name = spec.name,
    read = spec.read,
    is_compared = spec.is_compared,
    module = module,
    script = script,
    target = {
      written = target.written,
      alias = target.alias,
      columns = target.columns,
      key = target.key,
      operator = target.operator,
    },
  })
end

---Called by runtime/lib_batch.c in a new state.
---@param bundle string
---@return table  a transform
function mapper.open(bundle)
  local about = cjson.decode(bundle)
  local map = recorded.map(about.module, about.script, about.name)
  return transform.new(map, about.target, about)
end

return mapper
