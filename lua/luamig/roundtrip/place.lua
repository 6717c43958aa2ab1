--- Where scratch databases are made: a throwaway server, or a server that the user names. There
-- they lie beside the user's databases, which are never touched: one is only connected to, to make
-- and drop the others. A dead run's databases are dropped by the next run.

local clock = require("luamig.core.clock")
local conn = require("luamig.core.conn")
local fault = require("luamig.fault")
local quote = require("luamig.quote")

local place = {}

local Place = {}
Place.__index = Place

local PREFIX <const> = "luamig_roundtrip_"
local LOCK_CLASS <const> = 1819632999 -- of the advisory lock that says that a run is alive

local PERMISSION <const> = "42501"

---A URL or keyword string with another database: what stands last counts for libpq.
---@param url string
---@param database string  plain
---@return string
function place.url_of(url, database)
  if url:find("^postgres%a*://") then
    local encoded = database:gsub("[^%w_.-]", function(c)
      return ("%%%02X"):format(c:byte())
    end)
    return ("%s%sdbname=%s"):format(url, url:find("?", 1, true) and "&" or "?", encoded)
  end
  return ("%s dbname='%s'"):format(url, (database:gsub("[\\']", "\\%0")))
end

local function connect(self)
  self.admin = conn.open({ url = self.base_url, application_name = "luamig test-roundtrip" })
end

local function start_throwaway(self)
  self.server = require("luamig.core.server").ephemeral({ in_memory = true })
  self.base_url = self.server:url()
  self.report.debug(1, ("started a throwaway PostgreSQL %d"):format(self.server:info().major))
  connect(self)
  for _, name in ipairs(self.wanted_roles) do
    self.admin:exec("CREATE ROLE " .. quote.ident(name))
  end
end

-- The lock ends with the connection, however the run ends.
local function take_token(self)
  repeat
    self.token = clock.jitter_ms(0x7fffffff)
    local row = self.admin:exec(("SELECT pg_catalog.pg_try_advisory_lock(%d, %d) AS had"):format(
      LOCK_CLASS, self.token))[1]
  until row.had
end

local dead_sql = [[
  SELECT d.datname AS name FROM pg_catalog.pg_database d
   WHERE d.datname OPERATOR(pg_catalog.~) '^luamig_roundtrip_[0-9a-f]{8}_[0-9]+$'
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_locks l
       WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory'
         AND l.classid OPERATOR(pg_catalog.=) %d
         AND l.objid::pg_catalog.int8 OPERATOR(pg_catalog.=)
           ('x' OPERATOR(pg_catalog.||) pg_catalog.substr(d.datname, %d, 8))
             ::pg_catalog.bit(32)::pg_catalog.int8)
   ORDER BY 1]]

local function drop_sql(name)
  return ("DROP DATABASE IF EXISTS %s WITH (FORCE)"):format(quote.ident(name))
end

-- What another role left behind stays for that one.
local function prune(self)
  for _, row in ipairs(self.admin:exec(dead_sql:format(LOCK_CLASS, #PREFIX + 1))) do
    local ok, f = pcall(self.admin.exec, self.admin, drop_sql(row.name))
    if ok then
      self.report.info(("dropped database %s, left behind by a run that was killed"):format(
        row.name))
    elseif not fault.is(f) or f.kind ~= "server" then
      error(f, 0)
    else
      self.report.warn(("database %s was left behind by a run that was killed, and could not be "
        .. "dropped: %s"):format(row.name, f.message))
    end
  end
end

---Opens a place. Raises: connection, server, config.
---@param options { url?: string, roles: string[], owner?: string, report: table }
---  url: of a server; without it a throwaway one is started. roles: made on the throwaway one;
---  owner: one of them, whose the databases there are
---@return table place  close() it, whatever happens
function place.open(options)
  local self = setmetatable({
    report = options.report,
    wanted_roles = options.roles,
    owner = options.owner,
    names = {}, -- databases that are there, as a set
    count = 0,
  }, Place)
  local ok, f = pcall(function()
    if options.url then
      self.base_url = options.url
      connect(self)
    else
      start_throwaway(self)
    end
    take_token(self)
    if options.url then
      prune(self)
    end
    self.first_roles = self:roles()
  end)
  if not ok then
    self:close()
    error(f, 0)
  end
  return self
end

---Starts another throwaway server in the place of the one that there was; all databases are gone.
function Place:renew()
  self.admin:close()
  self.server:close()
  self.names = {}
  start_throwaway(self)
  take_token(self)
end

---@return boolean
function Place:is_throwaway()
  return self.server ~= nil
end

---@return integer  150018
function Place:server_version()
  return self.admin:info().server_version
end

local function refused(f)
  if fault.is(f) and f.sqlstate == PERMISSION then
    fault.complete(f, {
      state = "nothing changed",
      try = "a role with CREATEDB, or leave --url out: then a throwaway server is started",
    })
    f.statement, f.position = nil, nil
  end
  error(f, 0)
end

-- On a server that syncs nothing, copying the files is the faster way.
local function create(self, template)
  self.count = self.count + 1
  local name = ("%s%08x_%d"):format(PREFIX, self.token, self.count)
  local is_copied = self.server and self:server_version() >= 150000
  local owner = self.server and self.owner
  self.names[name] = true
  local ok, f = pcall(self.admin.exec, self.admin, ("CREATE DATABASE %s TEMPLATE %s%s%s"):format(
    quote.ident(name), quote.ident(template), is_copied and " STRATEGY file_copy" or "",
    owner and " OWNER " .. quote.ident(owner) or ""))
  if not ok then
    self.names[name] = nil
    refused(f)
  end
  return name
end

---Makes an empty database. Raises: server, connection, interrupted.
---@return string name
function Place:create()
  return create(self, "template0")
end

local sessions_sql = [[
  SELECT FROM pg_catalog.pg_stat_activity a WHERE a.datname OPERATOR(pg_catalog.=) $1 LIMIT 1]]

local ALONE_MS <const> = 1000

-- A session that was just ended is still there for a moment; the server looks again after 100 ms.
local function await_alone(self, name)
  local finish = clock.now_ms() + ALONE_MS
  while self.admin:exec(sessions_sql, { name })[1] and clock.now_ms() < finish do
    clock.sleep_ms(1)
  end
end

---Makes a copy of one of our databases; nobody may be connected to that.
---@param name string
---@return string name
function Place:clone(name)
  await_alone(self, name)
  return create(self, name)
end

---@param name string  of one of our databases
function Place:drop(name)
  await_alone(self, name)
  self.admin:exec(drop_sql(name))
  self.names[name] = nil
end

---@param name string  of one of our databases
---@return string
function Place:url(name)
  return place.url_of(self.base_url, name)
end

---The roles of the server, as a set.
---@return table<string, true>
function Place:roles()
  local set = {}
  for _, row in ipairs(self.admin:exec("SELECT rolname AS name FROM pg_catalog.pg_roles")) do
    set[row.name] = true
  end
  return set
end

---Drops roles that scripts have made, for they are no part of a database. On a throwaway server
---only: on another one they may be somebody's.
---@param kept table<string, true>
function Place:drop_roles_but(kept)
  if not self.server then
    return
  end
  for name in pairs(self:roles()) do
    if not kept[name] then
      pcall(self.admin.exec, self.admin, "DROP ROLE " .. quote.ident(name))
    end
  end
end

-- A signal stops the first statement after it on each connection, once.
local function drop_all(self)
  for name in pairs(self.names) do
    for _ = 1, 2 do
      local ok, f = pcall(self.drop, self, name)
      if ok or not fault.is(f) or f.kind ~= "interrupted" then
        break
      end
    end
  end
end

---Drops what was made. Never raises.
function Place:close()
  if self.server then -- it takes its databases along
    self.server:close()
    self.server = nil
  elseif self.admin and self.admin:alive() then
    drop_all(self)
  end
  if self.admin then
    self.admin:close()
    self.admin = nil
  end
end

return place
