--- A map function as the workers use it: together with what they must know of the columns.

local fault = require("luamig.fault")
local render = require("luamig.backfill.render")
local types = require("luamig.types")

local transform = {}

---The executor while a map function runs: its rows come and go by the worker's own connection, so
---an operation in it would be outside of the batch.
transform.forbidden = setmetatable({}, {
  __index = function(_, name)
    if name == "context" then
      return {}
    end
    fault.raise({
      kind = "script",
      message = "a map function cannot run operations: it sees the row and nothing else",
      hint = "read what it needs before op.batch_execute, or use set or sql",
    })
  end,
})

---Builds what runtime/lib_map.h asks for.
---@param map fun(row: table, ctx: table): table|nil
---@param target luamig.backfill.Target
---@param spec luamig.BatchSpec
---@return table
function transform.new(map, target, spec)
  local places, key_columns = render.key_places(target, spec)
  return {
    name = spec.name,
    map = map,
    key_places = places,
    key_columns = key_columns,
    is_key_plain = render.is_key_plain(target),
    is_compared = spec.is_compared,
    column = function(name)
      return render.is_text_plain(target, name)
    end,
    text = function(v, name)
      return types.text(v, target.columns[name].base_type)
    end,
    write = function(names, is_compared)
      return render.write(target, spec, names, is_compared)
    end,
  }
end

return transform
