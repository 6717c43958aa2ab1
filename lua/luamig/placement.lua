--- Who owns an object and which schema it is in: ALTER … OWNER TO, SET SCHEMA. Pure.

local clause = require("luamig.clause")
local quote = require("luamig.quote")
local role = require("luamig.role")

local placement = {}

placement.owner = {
  type = role.type,
  doc = "the new owner: a role, or \"current_user\"",
}

placement.fields = {
  owner = placement.owner,
  schema = { type = "identifier", doc = "the schema it moves to" },
}

---The statements; the schema comes last, for it changes the name.
---@param target string  what stands after ALTER: "TYPE t", "FUNCTION f(integer)"
---@param args { owner?: string, schema?: string }
---@param statements? table[]  to which they are added
---@return table[]
function placement.render(target, args, statements)
  statements = statements or {}
  if args.owner then
    statements[#statements + 1] = {
      sql = clause.words("ALTER", target, "OWNER TO", role.ident(args.owner)),
    }
  end
  if args.schema then
    statements[#statements + 1] = {
      sql = clause.words("ALTER", target, "SET SCHEMA", quote.ident(args.schema)),
    }
  end
  return statements
end

return placement
