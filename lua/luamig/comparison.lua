--- Two states compared, with the renames that the second one speaks of: the way there, and the way
-- back.

local diff = require("luamig.diff")
local renames = require("luamig.renames")

local comparison = {}

local Comparison = {}
Comparison.__index = Comparison

---@param a table           snapshot of what is
---@param b luamig.State    what shall be
---@param options luamig.diff.Options
---@param place fun(): table  of luamig.scratch; asked only when something is renamed
function comparison.new(a, b, options, place)
  local list = renames.pending(b.renames, a, b.value, options.plain_schema)
  local self = setmetatable({ a = a, b = b.value, options = options, renames = list }, Comparison)
  if list[1] then
    self.a = renames.rehearse(place(), a, list, {
      server_version = options.server_version or a.server_version, naming = options.naming,
    })
  end
  return self
end

local function joined(first, second)
  local out = table.move(first, 1, #first, 1, {})
  return table.move(second, 1, #second, #out + 1, out)
end

---What leads from the first state to the second.
---@return luamig.diff.Result
function Comparison:there()
  local result = diff.between(self.a, self.b, self.options)
  result.changes = joined(renames.changes(self.renames, self.options.plain_schema), result.changes)
  return result
end

---What leads back.
---@return luamig.diff.Result
function Comparison:back()
  local result = diff.between(self.b, self.a, self.options)
  result.changes = joined(result.changes,
    renames.changes(self.renames, self.options.plain_schema, true))
  return result
end

return comparison
