--- Scratch databases: where a declared schema or a row of revisions is built, to be looked at and
-- dropped. They lie on the server of the database at hand when its role may make databases, else
-- on a throwaway one. The user's own databases there are never touched: one is only connected to.
-- What a killed run left behind is dropped by the next one.

local clock = require("luamig.core.clock")
local conn = require("luamig.core.conn")
local fault = require("luamig.fault")
local quote = require("luamig.quote")

local scratch = {}

local Place = {}
Place.__index = Place

local PREFIX <const> = "luamig_scratch_"
local LOCK_CLASS <const> = 1819632750 -- of the advisory lock that says that a run is alive
local APPLICATION <const> = "luamig scratch"

---A URL or keyword string with another database: what stands last counts for libpq.
---@param url string
---@param database string  plain
---@return string
function scratch.url_of(url, database)
  if url:find("^postgres%a*://") then
    local encoded = database:gsub("[^%w_.-]", function(c)
      return ("%%%02X"):format(c:byte())
    end)
    return ("%s%sdbname=%s"):format(url, url:find("?", 1, true) and "&" or "?", encoded)
  end
  return ("%s dbname='%s'"):format(url, (database:gsub("[\\']", "\\%0")))
end

local function may_create(connection)
  return connection:exec([[
    SELECT r.rolsuper OR r.rolcreatedb AS may FROM pg_catalog.pg_roles r
     WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER]])[1].may
    and not connection:exec("SELECT pg_catalog.pg_is_in_recovery() AS it_is")[1].it_is
end

-- The lock ends with the connection, however the run ends.
local function take_token(self)
  repeat
    self.token = clock.jitter_ms(0x7fffffff)
    local row = self.admin:exec(("SELECT pg_catalog.pg_try_advisory_lock(%d, %d) AS had"):format(
      LOCK_CLASS, self.token))[1]
  until row.had
end

local dead_sql = ([[
  SELECT d.datname AS name FROM pg_catalog.pg_database d
   WHERE d.datname OPERATOR(pg_catalog.~) '^%s[0-9a-f]{8}_[0-9]+$'
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_locks l
       WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory'
         AND l.classid OPERATOR(pg_catalog.=) %d
         AND l.objid::pg_catalog.int8 OPERATOR(pg_catalog.=)
           ('x' OPERATOR(pg_catalog.||) pg_catalog.substr(d.datname, %d, 8))
             ::pg_catalog.bit(32)::pg_catalog.int8)]]):format(PREFIX, LOCK_CLASS, #PREFIX + 1)

local function drop_sql(name)
  return ("DROP DATABASE IF EXISTS %s WITH (FORCE)"):format(quote.ident(name))
end

-- What another role left behind stays for that one.
local function prune(self)
  for _, row in ipairs(self.admin:exec(dead_sql)) do
    local ok, f = pcall(self.admin.exec, self.admin, drop_sql(row.name))
    if ok then
      self.report.info(("dropped database %s, left behind by a run that was killed"):format(
        row.name))
    elseif not fault.is(f) or f.kind ~= "server" then
      error(f, 0)
    end
  end
end

-- Databases of the place are like the one at hand: what is sorted and folded there is so here.
local function likeness_of(connection)
  local major = connection:info().server_version // 10000
  local row = connection:exec(([[
    SELECT pg_catalog.pg_encoding_to_char(d.encoding) AS encoding, d.datcollate AS collate,
           d.datctype AS ctype, %s AS provider, %s AS locale
      FROM pg_catalog.pg_database d
     WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()]]):format(
    major >= 15 and "d.datlocprovider::pg_catalog.text" or "'c'",
    major >= 17 and "d.datlocale" or major >= 15 and "d.daticulocale"
      or "NULL::pg_catalog.text"))[1]
  local words = ("ENCODING %s LC_COLLATE %s LC_CTYPE %s"):format(quote.string(row.encoding),
    quote.string(row.collate), quote.string(row.ctype))
  if row.provider == "i" then
    words = words .. " LOCALE_PROVIDER icu ICU_LOCALE " .. quote.string(row.locale)
  elseif row.provider == "b" then
    words = words .. " LOCALE_PROVIDER builtin BUILTIN_LOCALE " .. quote.string(row.locale)
  end
  return words
end

local function roles_of(connection)
  local names = {}
  for i, row in ipairs(connection:exec([[
    SELECT r.rolname AS name FROM pg_catalog.pg_roles r
     WHERE r.rolname OPERATOR(pg_catalog.!~) '^pg_']])) do
    names[i] = row.name
  end
  return names
end

-- The roles that the database at hand knows are known here too, by name.
local function make_roles(self, names)
  local known = {}
  for _, name in ipairs(roles_of(self.admin)) do
    known[name] = true
  end
  for _, name in ipairs(names) do
    if not known[name] then
      self.admin:exec("CREATE ROLE " .. quote.ident(name))
    end
  end
end

local function start_throwaway(self, like)
  self.server = require("luamig.core.server").ephemeral({ in_memory = true })
  self.url = self.server:url()
  self.admin = conn.open({ url = self.url, application_name = APPLICATION })
  if like then
    make_roles(self, roles_of(like))
  end
end

local function say_throwaway(self, like, is_told)
  local info = self.server:info()
  local words = ("a throwaway PostgreSQL %d"):format(info.major)
  if not like then
    self.report.debug(1, "scratch databases are made on " .. words)
    return
  end
  local their = like:info().server_version // 10000
  self.report.info(("scratch databases are made on %s%s"):format(words,
    is_told and "" or (": the role '%s' may not make databases"):format(like:info().user)))
  if their ~= info.major then
    self.report.warn(("the database at hand is PostgreSQL %d: what the two servers say "
      .. "differently shows as a difference"):format(their))
  end
end

---@class luamig.scratch.Options
---@field report table
---@field url? string     of a server to use; its role must be allowed to make databases
---@field like? userdata  connection to the database at hand, whose server is used when it may be
---@field like_url? string  its URL
---@field role? string    who shall own the databases
---@field is_throwaway? boolean  a throwaway server, although the role may make databases
---@field option? string  that the user named the server with; "--server"

local function open(self, options)
  local like = options.like
  if options.url then
    self.url = options.url
    self.admin = conn.open({ url = self.url, application_name = APPLICATION })
  elseif like and not options.is_throwaway and may_create(like) then
    self.url = options.like_url
    self.likeness = likeness_of(like)
    self.admin = conn.open({ url = self.url, application_name = APPLICATION })
  else
    start_throwaway(self, like)
    say_throwaway(self, like, options.is_throwaway)
  end
  take_token(self)
  if not self.server then
    prune(self)
  end
end

---Opens a place for scratch databases. Raises: connection, server, config.
---@param options luamig.scratch.Options
---@return table place  close() it, whatever happens; `<close>` does too
function scratch.open(options)
  local self = setmetatable({
    report = options.report, role = options.role, option = options.option or "--server",
    names = {}, count = 0,
  }, Place)
  local ok, f = pcall(open, self, options)
  if not ok then
    self:close()
    error(f, 0)
  end
  return self
end

local function refused(self, f)
  if fault.is(f) and f.sqlstate == "42501" then
    fault.complete(f, {
      state = "nothing changed",
      try = ("a role with CREATEDB, or leave %s out: then a throwaway server is started"):format(
        self.option),
    })
    f.statement, f.position = nil, nil
  end
  error(f, 0)
end

local function create(self, template, likeness)
  self.count = self.count + 1
  local name = ("%s%08x_%d"):format(PREFIX, self.token, self.count)
  local words = { "CREATE DATABASE", quote.ident(name), "TEMPLATE", quote.ident(template) }
  words[#words + 1] = self.role and "OWNER " .. quote.ident(self.role)
  words[#words + 1] = likeness
  if self.server and self.admin:info().server_version >= 150000 then
    words[#words + 1] = "STRATEGY file_copy"
  end
  self.names[name] = true
  local ok, f = pcall(self.admin.exec, self.admin, table.concat(words, " "))
  if not ok then
    self.names[name] = nil
    refused(self, f)
  end
  return { name = name, url = scratch.url_of(self.url, name) }
end

---@class luamig.scratch.Database
---@field name string
---@field url string

---Makes an empty database. Raises: server, connection, interrupted.
---@return luamig.scratch.Database
function Place:create()
  return create(self, "template0", self.likeness)
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

---Makes a copy of one of the databases; nobody may be connected to that.
---@param database luamig.scratch.Database
---@return luamig.scratch.Database
function Place:clone(database)
  await_alone(self, database.name)
  return create(self, database.name)
end

---Drops one of the databases.
---@param database luamig.scratch.Database
function Place:drop(database)
  await_alone(self, database.name)
  self.admin:exec(drop_sql(database.name))
  self.names[database.name] = nil
end

---@return boolean
function Place:is_throwaway()
  return self.server ~= nil
end

-- A signal stops the first statement after it on each connection, once.
local function drop_all(self)
  for name in pairs(self.names) do
    for _ = 1, 2 do
      local ok, f = pcall(self.admin.exec, self.admin, drop_sql(name))
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
  elseif self.admin and self.admin:alive() then
    drop_all(self)
  end
  if self.admin then
    self.admin:close()
  end
  self.server, self.admin, self.names = nil, nil, {}
end

Place.__close = Place.close

return scratch
