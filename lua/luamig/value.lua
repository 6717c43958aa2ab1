--- The values that scripts hand to operations and that plain Lua has no type for: SQL text, arrays,
-- JSON, columns, constraints, and the two sentinels `none` (take it away) and `null` (SQL's NULL).

local cjson = require("cjson")
local json = require("luamig.core.json")

local value = {}

-- Told by its metatable, so that a user's own table with a field `tag` stays data.
local metatable = { __name = "luamig.value" }

metatable.__tostring = function(self)
  return self.sql or ("op.%s(%s)"):format(self.tag, tostring(self.name or ""))
end

---@param tag string  "sql", "array", "json", "none", "column" or "constraint"
---@param fields? table
---@return table
function value.new(tag, fields)
  fields = fields or {}
  fields.tag = tag
  return setmetatable(fields, metatable)
end

---@param tag? string  any tag when left out
---@return boolean
function value.is(v, tag)
  return getmetatable(v) == metatable and (tag == nil or v.tag == tag)
end

---Whether a table is an empty array of JSON as a query gave it: another one is an empty object.
---@param v table
---@return boolean
function value.is_empty_array(v)
  return next(v) == nil and getmetatable(v) == json.empty_array
end

---SQL text that goes into a statement as it is.
---@param text string
function value.sql(text)
  return value.new("sql", { sql = text })
end

value.none = value.new("none", { sql = "none" })
value.null = cjson.null

return value
