--- Values of enums: which can be added in place, and how. Pure.

local records = require("luamig.diff.records")

local enums = {}

---Whether the new values are the old ones in their order, with others among them.
---@param before string[]
---@param after string[]
---@return boolean
function enums.is_extended(before, after)
  local at = 1
  for _, label in ipairs(after) do
    if label == before[at] then
      at = at + 1
    end
  end
  return before[at] == nil
end

---The records that add what is new, each in its place.
---@param name string  the type, for op.add_enum_value
---@return table[] records
function enums.additions(name, before, after)
  local known, out = {}, {}
  for _, label in ipairs(before) do
    known[label] = true
  end
  local left = #before -- old values that stand behind the place
  for i, label in ipairs(after) do
    if known[label] then
      left = left - 1
    else
      local args = { type = name, value = label }
      if left > 0 and i == 1 then
        args.before = before[1]
      elseif left > 0 then
        args.after = after[i - 1]
      end
      out[#out + 1] = records.new("add_enum_value", args)
    end
  end
  return out
end

return enums
