--- The PostgreSQL that specs run on: one throwaway server a run, a database a spec.
-- LUAMIG_TEST_URL (a superuser's URL) names another server; LUAMIG_PGBIN another PostgreSQL.

local conn = require("luamig.core.conn")

local server = {}

local PREFIX = ("luamig_spec_%08x"):format(math.random(0, 0xffffffff))

-- Started by the first who asks, ended when the test run's Lua state is closed.
local state = { count = 0 }

local function start()
  local url = os.getenv("LUAMIG_TEST_URL")
  if url and url ~= "" then
    return url
  end
  state.server = require("luamig.core.server").ephemeral({ in_memory = true })
  return state.server:url()
end

local function admin()
  if not state.admin then
    state.url = start()
    state.admin = conn.open({ url = state.url, application_name = "luamig specs" })
  end
  return state.admin
end

local function encoded(text)
  return (text:gsub("[^%w._-]", function(c)
    return ("%%%02X"):format(c:byte())
  end))
end

-- The server's URL with another database; a keyword string becomes a URL too.
local function url_of(database)
  local said = require("luamig.core.url").read(state.url)
  local user = said.user and encoded(said.user) or ""
  if said.password then
    user = user .. ":" .. encoded(said.password)
  end
  local port = said.port and ":" .. said.port or ""
  return ("postgresql://%s@%s/%s%s"):format(user, port, encoded(database),
    said.host and "?host=" .. said.host or "")
end

-- On our own server, where nothing is synced, copying the files is the faster way.
local function create(connection, name)
  local strategy = state.server and server.version() >= 150000 and " STRATEGY file_copy" or ""
  connection:exec(("CREATE DATABASE %s TEMPLATE template0%s"):format(name, strategy))
end

local database_metatable = {
  __close = function(self)
    self.drop()
  end,
}

---A new empty database. Its drop() ends it, with whatever is connected to it; `<close>` does too.
---@return { url: string, name: string, drop: fun(), connect: fun(): userdata }
function server.database()
  local connection = admin()
  state.count = state.count + 1
  local name = ("%s_%d"):format(PREFIX, state.count)
  create(connection, name)
  local url = url_of(name)
  return setmetatable({
    name = name,
    url = url,
    drop = function()
      admin():exec(("DROP DATABASE IF EXISTS %s WITH (FORCE)"):format(name))
    end,
    connect = function()
      return conn.open({ url = url, application_name = "luamig specs" })
    end,
  }, database_metatable)
end

---The URL of a database that is always there, for a superuser.
---@return string
function server.url()
  admin()
  return state.url
end

---Whether a spec has asked for a database yet.
---@return boolean
function server.is_started()
  return state.admin ~= nil
end

---@return integer  150018
function server.version()
  return admin():info().server_version
end

---Why the pg_dump of this machine cannot dump the server, or nil.
---@return string|nil
function server.dump_defect()
  local pipe = io.popen("pg_dump --version 2>&1")
  local major = tonumber(pipe:read("a"):match("(%d+)%."))
  pipe:close()
  local wanted = server.version() // 10000
  if not major or major < wanted then
    return ("needs pg_dump %d, there is %s"):format(wanted, major or "none")
  end
  return nil
end

local leftovers_sql = [[
  SELECT 'connection ' || datname || ' (' || application_name || '): ' || left(query, 60) AS what
    FROM pg_catalog.pg_stat_activity
   WHERE datname LIKE $1 || '%' AND pid <> pg_backend_pid() AND backend_type = 'client backend'
   UNION ALL
  SELECT 'lock ' || locktype || ' ' || mode
    FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_database AS d ON d.oid = l.database
   WHERE datname LIKE $1 || '%'
   UNION ALL
  SELECT 'prepared transaction ' || gid FROM pg_catalog.pg_prepared_xacts
   WHERE database LIKE $1 || '%'
   UNION ALL
  SELECT 'database ' || datname FROM pg_catalog.pg_database WHERE datname LIKE $1 || '%'
   ORDER BY 1]]

---What specs of this run have left on the server: connections, locks, prepared transactions,
---databases. A backend takes a moment to end after its connection was closed.
---@return string[]
function server.leftovers()
  local clock = require("luamig.core.clock")
  local deadline = clock.now_ms() + 2000
  while true do
    local list = {}
    for i, row in ipairs(admin():exec(leftovers_sql, { (PREFIX:gsub("_", "\\_")) })) do
      list[i] = row.what
    end
    if #list == 0 or clock.now_ms() > deadline then
      return list
    end
    clock.sleep_ms(10)
  end
end

---Fails when a spec has left something behind. For the end of a file:
---teardown(server.assert_clean).
function server.assert_clean()
  local list = server.leftovers()
  if #list > 0 then
    error("left on the server:\n  " .. table.concat(list, "\n  "), 2)
  end
end

return server
