--- Two states compared, with the renames that the second one speaks of: the way there, and the way
-- back.

local diff = require("luamig.diff")
local rehearsal = require("luamig.rehearsal")
local renames = require("luamig.renames")

local comparison = {}

local Comparison = {}
Comparison.__index = Comparison

---@param a table           snapshot of what is
---@param b luamig.State    what shall be
---@param options luamig.diff.Options
---@param place fun(): table  of luamig.scratch; asked only when something is renamed
function comparison.new(a, b, options, place)
  local list = renames.unseen(b.renames, a, b.value, options.plain_schema)
  local self = setmetatable({
    original = a, a = a, b = b.value, options = options, renames = list, place = place,
    context = {
      server_version = options.server_version or a.server_version, naming = options.naming,
    },
  }, Comparison)
  if list[1] then
    self.a = renames.rehearse(place(), a, list, self.context)
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

local function is_about_roles(record)
  local sql = record.op == "execute" and record.args.sql or ""
  return record.op:find("^grant") or record.op:find("^revoke") or record.args.owner ~= nil
    or sql:find(" OWNER TO ", 1, true) or sql:find("SET LOCAL ROLE", 1, true)
end

-- What is said of owners and privileges cannot be tried by everybody.
local function tried_changes(changes)
  local out = {}
  for i, change in ipairs(changes) do
    local kept = {}
    for _, record in ipairs(change.records) do
      kept[#kept + 1] = not is_about_roles(record) and record or nil
    end
    out[i] = { identity = change.identity, records = kept }
  end
  return out
end

---Tries the ways there, back and there again on an empty copy of the first state.
---@param there luamig.diff.Result
---@param back luamig.diff.Result
---@return string|nil problem  in words
---@return string|nil untried  why there is no copy to try them on
function Comparison:prove(there, back)
  local original = self.original
  local copy, why = rehearsal.copy(self.place(), original, self.context)
  if not copy then
    return nil, why
  end
  local close <close> = copy -- luacheck: no unused
  local up, down = tried_changes(there.changes), tried_changes(back.changes)
  for _, turn in ipairs({
    { "upgrade", up, self.b }, { "downgrade", down, original }, { "second upgrade", up, self.b },
  }) do
    local problem = copy:try(turn[2], turn[3])
    if problem then
      return ("the %s: %s"):format(turn[1], problem)
    end
  end
  return nil
end

return comparison
