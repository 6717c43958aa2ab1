--- New names for what lives in a schema: a table, an index. Pure.

local clause = require("luamig.clause")
local quote = require("luamig.quote")

local rename = {}

---What is wrong with a new name, or nil: RENAME TO takes no schema, so only the old one may stand.
---@param args { name: string, new_name: string }
---@return string|nil
function rename.defect(args)
  local schema = quote.split_name(args.name)
  local new_schema, new_name = quote.split_name(args.new_name)
  if new_schema and new_schema ~= schema then
    return ("a new name has no schema: write '%s' (alter_table_set moves a table and its indexes)")
      :format(new_name)
  end
  return nil
end

---@param kind string  "TABLE", "INDEX"
---@param args { name: string, new_name: string, if_exists?: boolean }
---@return table  a statement
function rename.statement(kind, args)
  local _, new_name = quote.split_name(args.new_name)
  return {
    sql = clause.words("ALTER", kind, args.if_exists and "IF EXISTS", quote.name(args.name),
      "RENAME TO", quote.ident(new_name)),
  }
end

---The arguments that give the old name back.
---@param args { name: string, new_name: string, if_exists?: boolean }
---@return table
function rename.back(args)
  local schema, old_name = quote.split_name(args.name)
  local _, new_name = quote.split_name(args.new_name)
  return {
    name = clause.dotted(schema, new_name),
    new_name = clause.dotted(nil, old_name),
    if_exists = args.if_exists,
  }
end

return rename
