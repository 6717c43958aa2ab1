--- Roles as SQL: names, and the words that stand for a role. Pure.

local quote = require("luamig.quote")
local value = require("luamig.value")

local role = {}

-- No role can be named public, and nobody names one current_user: these are the key words.
local words = {
  public = "PUBLIC",
  current_user = "CURRENT_USER",
  current_role = "CURRENT_ROLE",
  session_user = "SESSION_USER",
}

-- As descriptions say it.
role.type = "identifier|sql"
role.list_type = "identifier|sql|list<identifier|sql>"

---@param name string|luamig.Sql
---@return string
function role.ident(name)
  return type(name) == "table" and name.sql or words[name] or quote.ident(name)
end

---@param names string|luamig.Sql|(string|luamig.Sql)[]
---@return (string|luamig.Sql)[]
function role.each(names)
  return type(names) == "table" and not value.is(names) and names or { names }
end

---@param names string|luamig.Sql|(string|luamig.Sql)[]
---@return string
function role.list(names)
  local out = {}
  for i, name in ipairs(role.each(names)) do
    out[i] = role.ident(name)
  end
  return table.concat(out, ", ")
end

return role
