--- The way to the database: which one it is, the server that has to be started for it, the wait for
-- one that is coming up.

local fault = require("luamig.fault")

local database = {}

-- What libpq says when another try may help; a wrong password or a missing database is not in it.
local passing = {
  "refused", "No such file", "no answer", "could not translate host name", "timeout expired",
  "server closed the connection unexpectedly", "reset by peer", "unreachable", "No route to host",
}

local passing_states = { ["57P03"] = true, ["53300"] = true } -- starting up; too many clients

---The folder of a project's embedded server.
---@param cfg luamig.Config
---@return string
function database.home(cfg)
  return cfg.dir .. "/.luamig"
end

---Starts the project's embedded server, or joins it. It stays up while the command runs.
---Raises: connection, config, interrupted.
---@param ctx table  the session
---@param idle_ms? integer  when the server is started: ends after so long unused; -1 for never
---@return userdata server  of luamig.core.server
function database.embedded(ctx, idle_ms)
  local home = database.home(ctx:config())
  local server = require("luamig.core.server").project({ home = home, idle_ms = idle_ms })
  ctx.closing[#ctx.closing + 1] = server
  local info = server:info()
  if info.created then
    ctx.report.info(("created an embedded PostgreSQL %d in %s"):format(info.major, info.data))
  elseif info.started then
    ctx.report.debug(1, ("started PostgreSQL %d in %s"):format(info.major, info.data))
  end
  return server
end

local function ephemeral(ctx)
  local server = require("luamig.core.server").ephemeral({})
  ctx.closing[#ctx.closing + 1] = server
  ctx.report.debug(1, ("started a throwaway PostgreSQL %d"):format(server:info().major))
  return server
end

local function is_set(name)
  local value = os.getenv(name)
  return value ~= nil and value ~= ""
end

-- Of several hosts the one that takes writes is meant.
local function with_session_attributes(url)
  local said = require("luamig.core.url").read(url)
  local hosts = said.host or said.hostaddr or os.getenv("PGHOST") or ""
  if not hosts:find(",", 1, true) or said.target_session_attrs
    or is_set("PGTARGETSESSIONATTRS") then
    return url
  end
  local setting = "target_session_attrs=read-write"
  if url:find("^postgres%a*://") then
    return url .. (url:find("?", 1, true) and "&" or "?") .. setting
  end
  return url .. " " .. setting
end

-- Calls a function that reads the URL; its fault says where that was found.
local function call_named(origin, fn, ...)
  local ok, result = pcall(fn, ...)
  if not ok and fault.is(result) and result.kind ~= "interrupted" and origin ~= "embedded" then
    fault.complete(result, { detail = "the database is named by " .. origin })
  end
  return ok, result
end

---The URL of the database that the command works on, its server started.
---Raises: config, connection, interrupted.
---@param ctx table  the session
---@return string url
---@return string origin  where it was found
function database.url(ctx)
  if ctx.options.ephemeral then
    ctx.throwaway = ctx.throwaway or ephemeral(ctx)
    return ctx.throwaway:url(), "--ephemeral"
  end
  local url, origin = require("luamig.config").url(ctx:config(), ctx.options)
  if url == "embedded" then
    return database.embedded(ctx):url(), "embedded"
  end
  local ok, result = call_named(origin, with_session_attributes, url)
  if not ok then
    error(result, 0)
  end
  return result, origin
end

---Is the failure one that may pass when the server has come up?
---@param f any
---@return boolean
function database.is_passing(f)
  if not fault.is(f) or f.kind ~= "connection" then
    return false
  elseif f.sqlstate then
    return passing_states[f.sqlstate] or false
  end
  for _, phrase in ipairs(passing) do
    if f.message:find(phrase, 1, true) then
      return true
    end
  end
  return false
end

local function connection_options(url)
  return {
    url = url,
    application_name = "luamig/" .. require("luamig.core.about").luamig,
  }
end

---Begins to connect to a database whose server is there already, so that the server works on it
---while files are read. Whatever is wrong with that is told by database.connect().
---@param ctx table  the session
---@return { start: userdata, origin: string }|nil
function database.start(ctx)
  if ctx.options.ephemeral or ctx.options.wait then
    return nil
  end
  local ok, start, origin = pcall(function()
    local url, origin = require("luamig.config").url(ctx:config(), ctx.options)
    if url == "embedded" then
      return nil
    end
    local options = connection_options(with_session_attributes(url))
    return require("luamig.core.conn").start(options), origin
  end)
  return ok and start and { start = start, origin = origin } or nil
end

local function open(ctx, timeout_ms)
  local begun = ctx.begun
  if begun then
    ctx.begun = nil
    return call_named(begun.origin, begun.start.finish, begun.start, timeout_ms)
  end
  local url, origin = database.url(ctx)
  local options = connection_options(url)
  options.connect_timeout_ms = timeout_ms
  return call_named(origin, require("luamig.core.conn").open, options)
end

local function first_line(text)
  return text:match("[^\n]*")
end

-- Tries until it succeeds, the failure is another one, or the time is over.
local function open_waiting(ctx, wait_ms)
  local clock = require("luamig.core.clock")
  local start, told, pause = clock.now_ms(), nil, 100
  local signals = clock.interrupts()
  while true do
    local left = wait_ms - (clock.now_ms() - start)
    local ok, result = open(ctx, wait_ms > 0 and math.max(left, 1000) or nil)
    if ok or not database.is_passing(result) or left <= 0 then
      return ok, result
    end
    if not told or clock.now_ms() - told >= 5000 then
      told = clock.now_ms()
      ctx.report.info(("waiting for the database, %d s left: %s")
        :format((left + 999) // 1000, first_line(result.message)))
    end
    clock.sleep_ms(math.min(left, pause // 2 + clock.jitter_ms(pause)))
    if clock.interrupts() ~= signals then
      fault.raise({ kind = "interrupted", message = "interrupted while waiting for the database" })
    end
    pause = math.min(pause * 2, 1000)
  end
end

-- Another luamig may stop the embedded server between our joining and connecting.
local function open_embedded(ctx)
  for _ = 1, 3 do
    local ok, result = open(ctx)
    if ok or not database.is_passing(result) then
      return ok, result
    end
  end
  return open(ctx)
end

local function is_embedded(ctx)
  return not ctx.options.ephemeral
    and require("luamig.config").url(ctx:config(), ctx.options) == "embedded"
end

---Connects to the database that the command works on; an embedded or throwaway server is started.
---With --wait, a server that is coming up is waited for.
---Raises: config, connection, interrupted. No message holds a password.
---@param ctx table  the session
---@return userdata connection  of luamig.core.conn
function database.connect(ctx)
  local ok, result
  if is_embedded(ctx) then
    ok, result = open_embedded(ctx)
  else
    ok, result = open_waiting(ctx, ctx.options.wait or 0)
  end
  if not ok then
    error(result, 0)
  end
  return result
end

return database
