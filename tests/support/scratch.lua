--- Databases for specs: on the server that LUAMIG_TEST_URL names (a superuser's URL), else on the
-- throwaway server of tests/support/server.lua.

local conn = require("luamig.core.conn")

local scratch = {}

local count = 0

local function on_server(url)
  count = count + 1
  local name = ("luamig_spec_%d_%d"):format(os.time(), count)
  local admin <close> = conn.open({ url = url })
  local pid = admin:info().pid
  name = name .. "_" .. pid
  admin:exec("CREATE DATABASE " .. name)
  local base, query = url:match("^(%w+://[^/?]*)[^?]*(.*)$")
  return {
    url = base .. "/" .. name .. query,
    name = name,
    drop = function()
      local again <close> = conn.open({ url = url })
      again:exec("DROP DATABASE IF EXISTS " .. name .. " WITH (FORCE)")
    end,
  }
end

---A new database; end it with drop().
---@return { url: string, name: string, drop: fun() }
function scratch.database()
  local url = os.getenv("LUAMIG_TEST_URL")
  if url then
    return on_server(url)
  end
  return require("support.server").database()
end

return scratch
