--- The one error shape, in Lua: a table whose fields are those of `struct fault` (runtime/fault.h).
-- A fault is raised where something went wrong, completed on the way up, and printed once.

local core = require("luamig.core.fault")

local fault = {}

local metatable = core.metatable

---Exit status of each kind of fault; the table users read is `luamig help exit-codes`.
local exit_statuses = {
  server = 1,
  operation = 1,
  memory = 1,
  usage = 2,
  config = 2,
  pending = 3,
  differences = 3,
  lock = 4,
  connection = 5,
  edited = 6,
  graph = 7,
  roundtrip = 8,
  script = 9,
  refused = 10,
  partial = 11,
  interrupted = 130,
}

metatable.__name = "luamig.fault"
metatable.__tostring = function(self)
  local place = self.file and (self.file .. (self.line and ":" .. self.line or "") .. ": ") or ""
  local code = self.sqlstate and " (" .. self.sqlstate .. ")" or ""
  return place .. tostring(self.message) .. code
end

---Makes a fault of a table of fields; `kind` and `message` are required.
---@param fields table
---@return table
function fault.new(fields)
  assert(exit_statuses[fields.kind], "unknown kind of fault: " .. tostring(fields.kind))
  return setmetatable(fields, metatable)
end

---Raises a fault. The message is in lower case, without a full stop.
---@param fields table  kind, message and any other field of a fault
function fault.raise(fields)
  error(fault.new(fields), 0)
end

---@return boolean
function fault.is(value)
  return getmetatable(value) == metatable
end

---Sets the fields that the fault does not have yet: who was nearer to the cause knew better. One
---that is false has no value, and gets none.
---@return table  the same fault
function fault.complete(f, fields)
  for name, value in pairs(fields) do
    if f[name] == nil then
      f[name] = value
    end
  end
  return f
end

---@return integer
function fault.exit_status(f)
  if f.is_partial and f.kind ~= "edited" and f.kind ~= "interrupted" then
    return exit_statuses.partial
  elseif f.kind == "interrupted" then
    local _, signal = require("luamig.core.clock").interrupts()
    return signal ~= 0 and 128 + signal or exit_statuses.interrupted
  end
  return exit_statuses[f.kind] or 1
end

return fault
