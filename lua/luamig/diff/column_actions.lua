--- The two ways to change a column: op.alter_column, and ALTER COLUMN for what it cannot say.

local names = require("luamig.diff.names")
local quote = require("luamig.quote")
local records = require("luamig.diff.records")

local column_actions = {}

---@param args table  options of op.alter_column; taken over
---@return table record
function column_actions.alter(plan, object, column, args)
  args.table, args.column = plan:name(object), column.name
  return records.new("alter_column", args)
end

---@param text string  what stands behind ALTER COLUMN name
---@return table record
function column_actions.raw(object, column, text)
  return records.sql("ALTER %s %s ALTER COLUMN %s %s",
    object.kind == "foreign table" and "FOREIGN TABLE" or "TABLE", names.sql(object),
    quote.ident(column.name), text)
end

return column_actions
