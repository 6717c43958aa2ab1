local db = {
  name = "db",
  summary = "The embedded PostgreSQL of the project: started on demand, stopped when it is idle.",
  accepts = { ephemeral = true },
  -- psql's options need no mark before them; these are none of psql's.
  passes_on = { word = "psql", own = { ["--config"] = true, ["--env"] = true, ["--url"] = true,
    ["--wait"] = true, ["--ephemeral"] = true, ["--help"] = true } },
}

local fault = require("luamig.fault")
local database = require("luamig.database")

local actions = {}

function db.setup(parser)
  parser:argument("action", "start, stop, status, url, psql or reset")
    :choices({ "start", "stop", "status", "url", "psql", "reset" })
  parser:argument("arguments", "for psql: db psql -c 'SELECT 1'"):args("*")
  parser:option("--idle", "with start: stop after so long unused (default 5min), or never")
    :argname("DURATION")
    :convert(function(text)
      local ms = text == "never" and -1 or require("luamig.config").milliseconds(text)
      if not ms or ms == 0 then
        return nil, ("'%s' is no duration; write 30s, 5min, 1h or never"):format(text)
      end
      return ms
    end)
end

local function print_started(ctx, server)
  if not ctx.options.json then
    ctx.report.out(server:url())
    return
  end
  local info = server:info()
  ctx.report.json({
    url = server:url(),
    data = info.data,
    socket = info.socket,
    log = info.log,
    pid = info.pid,
    major = info.major,
    started = info.started,
    created = info.created,
  })
end

function actions.start(ctx)
  local server = database.embedded(ctx, ctx.options.idle)
  if ctx.options.idle and not server:info().started then
    ctx.report.warn("--idle is for a server that is started, and this one was running: luamig db "
      .. "stop ends it")
  end
  print_started(ctx, server)
end

function actions.stop(ctx)
  local was_running = require("luamig.core.server").shut_down(database.home(ctx:config()))
  if ctx.options.json then
    ctx.report.json({ stopped = was_running })
  else
    ctx.report.out(was_running and "stopped" or "was not running")
  end
end

local sessions_sql = [[
SELECT pg_catalog.current_setting('server_version') AS version,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity
         WHERE backend_type OPERATOR(pg_catalog.=) 'client backend'
           AND pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()) AS sessions]]

local function look(ctx)
  local home = database.home(ctx:config())
  local status = require("luamig.core.server").inspect(home)
  status.data = home .. "/pg"
  status.log = home .. "/pg.log"
  if status.ready then
    local connection <close> = require("luamig.core.conn").open({
      url = status.url,
      application_name = "luamig db status",
    })
    local row = connection:exec(sessions_sql)[1]
    status.version, status.sessions = row.version, row.sessions
  end
  return status
end

local function megabytes(size)
  return ("%.0f MB"):format(size / 1000000)
end

local function state_of(status)
  if status.ready then
    return ("running, PostgreSQL %s, pid %d"):format(status.version, status.pid)
  elseif status.running then
    return "starting or ending"
  elseif status.exists then
    return ("stopped, PostgreSQL %s"):format(status.major or "of an unknown version")
  end
  return "not there yet; luamig db start makes it"
end

function actions.status(ctx)
  local status = look(ctx)
  if ctx.options.json then
    ctx.report.json(status)
    return
  end
  local lines = { "server    " .. state_of(status) }
  if status.exists then
    lines[#lines + 1] = ("data      %s (%s)"):format(status.data, megabytes(status.size))
    lines[#lines + 1] = "log       " .. status.log
  end
  if status.ready then
    lines[#lines + 1] = "socket    " .. status.socket
    lines[#lines + 1] = "sessions  " .. status.sessions
    lines[#lines + 1] = "url       " .. status.url
  end
  ctx.report.lines(lines)
end

-- Without the password: what is printed may be logged.
local function without_password(url)
  local text = require("luamig.config").redacted(url)
  text = text:gsub(":%*%*%*@", "@"):gsub("([?&])password=%*%*%*&?", "%1"):gsub("[?&]$", "")
  return (text:gsub("%s*password%s*=%s*%*%*%*", ""))
end

function actions.url(ctx)
  local url = without_password(database.url(ctx))
  if ctx.options.json then
    ctx.report.json({ url = url })
  else
    ctx.report.out(url)
  end
end

function actions.psql(ctx)
  local info, environment = require("luamig.client").conninfo((database.url(ctx)))
  local arguments = table.move(ctx.options.arguments, 1, #ctx.options.arguments, 2, { info })
  local process = require("luamig.core.process")
  local server = ctx.closing[1] -- of an embedded or throwaway database; psql keeps it up
  if server then
    server:bequeath()
  end
  local _, failure = pcall(process.replace, "psql", arguments, environment)
  if server then -- else the one that belongs to the server
    local found, bindir = pcall(require("luamig.core.server").find, server:info().major)
    pcall(process.replace, found and bindir .. "/psql" or "psql", arguments, environment)
  end
  error(fault.complete(failure, {
    hint = "psql is in the package postgresql-client",
    try = "apt install postgresql-client",
  }), 0)
end

local function confirm_reset(ctx, status)
  if ctx.options.yes or not status.exists then
    return
  end
  local what = ("all data of the embedded server in %s (%s)"):format(status.data,
    megabytes(status.size))
  local answer = ctx.report.ask(("This deletes %s.\nType yes to go on: "):format(what))
  if answer ~= "yes" then
    fault.raise({
      kind = "refused",
      message = answer and "not confirmed"
        or ("db reset deletes %s, and there is nobody to ask"):format(what),
      state = "nothing changed",
      try = answer and "luamig db reset" or "luamig db reset --yes",
    })
  end
end

function actions.reset(ctx)
  local home = database.home(ctx:config())
  confirm_reset(ctx, look(ctx))
  require("luamig.core.server").erase(home)
  print_started(ctx, database.embedded(ctx))
end

local function check_options(options)
  local action = options.action
  local defect
  if options.ephemeral and action ~= "psql" then
    defect = "--ephemeral"
  elseif options.idle and action ~= "start" then
    defect = "--idle"
  elseif #options.arguments > 0 and action ~= "psql" then
    defect = options.arguments[1]
  end
  if defect then
    fault.raise({
      kind = "usage",
      message = ("'%s' has no meaning for 'luamig db %s'"):format(defect, action),
      try = "luamig db --help",
    })
  end
end

function db.run(ctx)
  check_options(ctx.options)
  return actions[ctx.options.action](ctx)
end

return db
