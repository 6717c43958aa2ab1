--- A PostgreSQL server that a spec stops, kills and starts again. Unlike the throwaway one it keeps
-- its data through that; it is slower to make (half a second).

local conn = require("luamig.core.conn")
local janitor = require("support.janitor")
local lfs = require("lfs")
local machine = require("support.machine")
local process = require("support.process")

local cluster = {}

local Cluster = {}
Cluster.__index = Cluster

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- The server refuses to run as root.
local function as_owner(line)
  return machine.is_root() and ("runuser -u postgres -- %s"):format(line) or line
end

local function must(line)
  local pipe = assert(io.popen(("cd / && %s 2>&1"):format(line), "r"))
  local text = pipe:read("a")
  if not pipe:close() then
    error(("%s\n%s"):format(line, text), 3)
  end
end

local function clean_up_after(self)
  self.janitor = janitor.hire(as_owner(("%s/pg_ctl stop -w -s -D %s -m immediate"):format(
    self.bindir, self.data)) .. "; rm -rf " .. self.folder)
end

---@param settings? table<string, string|number>
---@param hba? string  text of pg_hba.conf; default: everybody is trusted
function cluster.new(settings, hba)
  local self = setmetatable({ folder = machine.folder(), settings = settings or {} }, Cluster)
  self.bindir = require("luamig.core.server").find()
  self.data = self.folder .. "/data"
  self.log_file = self.folder .. "/log"
  if machine.is_root() then
    must("chown postgres " .. self.folder)
  end
  must(as_owner(("%s/initdb -D %s -U postgres -A trust -E UTF8 --locale=C -N"):format(self.bindir,
    self.data)))
  clean_up_after(self)
  if hba then
    self:write("pg_hba.conf", hba)
  end
  self:start()
  return self
end

---Whether this PostgreSQL's package has what a standby is made with.
function cluster.has_standbys()
  return lfs.attributes(require("luamig.core.server").find() .. "/pg_basebackup", "mode") ~= nil
end

---Another server that follows this one as a hot standby. Close it before this one.
---@param settings? table<string, string|number>
function Cluster:standby(settings)
  local other = setmetatable({ folder = machine.folder(), settings = settings or {} }, Cluster)
  other.bindir = self.bindir
  other.data = other.folder .. "/data"
  other.log_file = other.folder .. "/log"
  if machine.is_root() then
    must("chown postgres " .. other.folder)
  end
  must(as_owner(("%s/pg_basebackup -h %s -U postgres -D %s -X stream -R -c fast --no-sync"):format(
    self.bindir, self.folder, other.data)))
  clean_up_after(other)
  other:start()
  return other
end

---Writes a file of the data directory.
function Cluster:write(name, text)
  local file = assert(io.open(self.data .. "/" .. name, "wb"))
  file:write(text)
  file:close()
  must(("chmod 644 %s/%s"):format(self.data, name))
end

function Cluster:start()
  local options = { "-c listen_addresses=", "-c unix_socket_directories=" .. self.folder,
    "-c fsync=off", "-c shared_buffers=16MB", "-c max_connections=30",
    "-c dynamic_shared_memory_type=mmap" }
  for name, value in pairs(self.settings) do
    options[#options + 1] = ("-c %s=%s"):format(name, value)
  end
  must(as_owner(("%s/pg_ctl start -w -s -D %s -l %s -o %s > /dev/null"):format(self.bindir,
    self.data, self.log_file, quoted(table.concat(options, " ")))))
end

---@param mode "fast"|"immediate"
function Cluster:stop(mode)
  if self.admin then
    self.admin:close()
    self.admin = nil
  end
  must(as_owner(("%s/pg_ctl stop -w -s -D %s -m %s"):format(self.bindir, self.data, mode)))
end

---@param database? string
---@param user? string
function Cluster:url(database, user)
  return ("postgresql://%s@/%s?host=%s"):format(user or "postgres", database or "postgres",
    self.folder)
end

---The path of the server's socket.
function Cluster:socket()
  return self.folder .. "/.s.PGSQL.5432"
end

---A connection of the superuser to the database "postgres"; anew after a restart.
function Cluster:connect()
  if not self.admin or not self.admin:alive() then
    self.admin = conn.open({ url = self:url(), application_name = "spec" })
  end
  return self.admin
end

function Cluster:exec(sql, params)
  return self:connect():exec(sql, params)
end

---Waits until a query gives a true value in its first column.
function Cluster:eventually(sql, params)
  local value
  local function ask()
    local rows = self:exec(sql, params)
    value = rows[1] and rows[1][rows.columns[1]]
    return value
  end
  assert(process.eventually(ask, 20000), sql)
  return value
end

---@return string
function Cluster:log()
  local file = assert(io.open(self.log_file, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

function Cluster:close()
  if self.admin then
    self.admin:close()
  end
  self.janitor:close()
end

return cluster
