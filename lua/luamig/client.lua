--- How another client program of PostgreSQL is told the database: psql, pg_dump.

local client = {}

local function quoted(value)
  return "'" .. value:gsub("[\\']", "\\%0") .. "'"
end

---A URL as a keyword string without its password, which goes into the environment: other users see
---the arguments of a process, but not that. Raises: config.
---@param url string
---@return string conninfo
---@return table<string, string> environment
function client.conninfo(url)
  local settings = require("luamig.core.url").read(url)
  local environment = { PGPASSWORD = settings.password }
  settings.password = nil
  local pieces = {}
  for keyword, value in pairs(settings) do
    pieces[#pieces + 1] = keyword .. "=" .. quoted(value)
  end
  table.sort(pieces)
  return table.concat(pieces, " "), environment
end

return client
