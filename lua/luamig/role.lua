--- Roles as SQL: names, and the words that stand for a role. Pure.

local quote = require("luamig.quote")

local role = {}

-- No role can be named public, and nobody names one current_user: these are the key words.
local words = {
  public = "PUBLIC",
  current_user = "CURRENT_USER",
  current_role = "CURRENT_ROLE",
  session_user = "SESSION_USER",
}

---@param name string
---@return string
function role.ident(name)
  return words[name] or quote.ident(name)
end

---@param names string|string[]
---@return string
function role.list(names)
  local out = {}
  for i, name in ipairs(type(names) == "table" and names or { names }) do
    out[i] = role.ident(name)
  end
  return table.concat(out, ", ")
end

return role
