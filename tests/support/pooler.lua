--- PgBouncer between a spec and the specs' server.

local janitor = require("support.janitor")
local lfs = require("lfs")
local machine = require("support.machine")
local process = require("support.process")
local server = require("support.server")
local url = require("luamig.core.url")

local pooler = {}

local Pooler = {}
Pooler.__index = Pooler

-- Every transaction goes to another of the server's connections than the one before.
local config_text <const> = [[
[databases]
* = host=%s port=%s
[pgbouncer]
pidfile = %s/pid
listen_addr =
listen_port = 6432
unix_socket_dir = %s
auth_type = trust
auth_file = %s/users
admin_users = postgres
pool_mode = %s
server_round_robin = 1
default_pool_size = %d
]]

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  os.execute("chmod 644 " .. path)
end

---@param mode "transaction"|"session"
---@param size integer  connections to the server
function pooler.start(mode, size)
  local said = url.read(server.url())
  local folder = machine.folder()
  write(folder .. "/users", '"postgres" ""\n')
  write(folder .. "/ini", config_text:format(said.host, said.port or 5432, folder, folder, folder,
    mode, size))
  local owner = machine.is_root() and "runuser -u postgres -- " or ""
  local self = setmetatable({ folder = folder }, Pooler)
  self.janitor = janitor.hire(("kill $(cat %s/pid); sleep 0.2; rm -rf %s"):format(folder, folder))
  self.process = process.start(("%spgbouncer %s/ini > %s/log 2>&1"):format(owner, folder, folder))
  assert(process.eventually(function()
    return lfs.attributes(folder .. "/.s.PGSQL.6432", "mode") ~= nil
  end), "pgbouncer did not start")
  return self
end

---The way to a database through the pooler.
function Pooler:url(database)
  return ("postgresql://postgres@/%s?host=%s&port=6432"):format(database, self.folder)
end

function Pooler:stop()
  self.janitor:close()
  self.process:wait()
end

return pooler
