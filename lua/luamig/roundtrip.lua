--- `test-roundtrip`: proves that every revision can be undone, on databases made for it.
-- Knows where to work, what to try, and what to make of it; see roundtrip/walk.lua for the way.

local clock = require("luamig.core.clock")
local config = require("luamig.config")
local database = require("luamig.roundtrip.database")
local fault = require("luamig.fault")
local place = require("luamig.roundtrip.place")
local plan = require("luamig.roundtrip.plan")
local walk = require("luamig.roundtrip.walk")

local roundtrip = {}

local localhost = { localhost = true, ["127.0.0.1"] = true, ["::1"] = true }

local function first_of(...)
  local texts = table.pack(...)
  for i = 1, texts.n do
    if texts[i] and texts[i] ~= "" then
      return texts[i]
    end
  end
  return ""
end

-- Where a URL leads, with what libpq takes when it does not say.
local function destination(url)
  local said, variable = require("luamig.core.url").read(url), os.getenv
  local host = first_of(said.hostaddr, said.host, variable("PGHOST"))
  local user = first_of(said.user, variable("PGUSER"), variable("USER"))
  return table.concat({
    localhost[host] and "localhost" or host,
    first_of(said.port, variable("PGPORT"), "5432"),
    first_of(said.dbname, variable("PGDATABASE"), user),
  }, "\n")
end

local function configured_url(cfg)
  local ok, url, origin = pcall(config.url, cfg)
  if ok then
    return url, origin
  end
  return nil
end

local function refuse_configured(origin)
  fault.raise({
    kind = "refused",
    message = "--url names the database of the project itself",
    detail = "it is the one named by " .. origin,
    hint = "test-roundtrip makes scratch databases of its own and drops them; --url says on which "
      .. "server, by any other database there",
    state = "nothing changed",
    try = "luamig test-roundtrip, on a throwaway server; or --url with another database, such as "
      .. "/postgres",
  })
end

---The URL of the server to work on, or nil for a throwaway one.
---Raises: refused, when it is the configured database; config.
---@param cfg luamig.Config
---@param url string|nil  as given with --url
---@return string|nil
function roundtrip.server_url(cfg, url)
  if not url then
    return nil
  elseif url == "embedded" then
    fault.raise({
      kind = "usage",
      message = "the embedded server is the project's own: it is not a place for scratch databases",
      try = "luamig test-roundtrip, which starts a throwaway server",
    })
  end
  url = config.url(cfg, { url = url })
  local own, origin = configured_url(cfg)
  if own and own ~= "embedded" and destination(own) == destination(url) then
    refuse_configured(origin)
  end
  return url
end

local function collect_roles(cfg, names)
  local roles, seen = {}, { postgres = true }
  for _, name in ipairs({ cfg.role or "postgres", table.unpack(names or {}) }) do
    if not seen[name] then
      seen[name] = true
      roles[#roles + 1] = name
    end
  end
  return roles
end

local Tally = {}
Tally.__index = Tally

local function new_tally(project, observers)
  return setmetatable({
    project = project, observers = observers, results = {}, open = {}, unfilled = {},
    counts = { tested = 0, passed = 0, failed = 0, irreversible = 0, skipped = 0, warnings = 0 },
  }, Tally)
end

function Tally:tell_all(event, ...)
  for _, observer in ipairs(self.observers) do
    if observer[event] then
      observer[event](observer, ...)
    end
  end
end

function Tally:add(result)
  local rev = result.revision and self.project.by_id[result.revision]
  result.title = rev and rev.doc or nil
  result.file = result.file or rev and rev.file or nil
  self.results[#self.results + 1] = result
  self.open[#self.open + 1] = result
  self.counts.warnings = self.counts.warnings + (result.warning and 1 or 0)
  if not result.revision and result.status == "failed" then
    self.counts.failed = self.counts.failed + 1
  end
  self:tell_all("result", result)
end

local function verdict_of(results)
  local verdict = "passed"
  for _, result in ipairs(results) do
    if result.status == "failed" then
      return "failed"
    elseif result.status == "irreversible" then
      verdict = "irreversible"
    elseif result.status == "skipped" and result.step == "up" then
      verdict = "skipped"
    end
  end
  return verdict
end

function Tally:close(id)
  local results = self.open
  self.open = {}
  local verdict = verdict_of(results)
  self.counts[verdict] = self.counts[verdict] + 1
  self.counts.tested = self.counts.tested + (verdict ~= "skipped" and 1 or 0)
  self:tell_all("revision", {
    id = id, title = self.project.by_id[id].doc, verdict = verdict, results = results,
  })
end

function Tally:note_unfilled(list)
  for _, each in ipairs(list) do
    if not self.unfilled[each.identity] then
      self.unfilled[each.identity] = each.why
      self:tell_all("unfilled", each)
    end
  end
end

local function rows_options(options)
  if not options.data then
    return nil
  end
  return {
    rows = options.rows or 10,
    seed = options.seed or 1,
    fill = require("luamig.generate").fill,
  }
end

local function open_place(ctx, cfg, options)
  local opened = place.open({
    url = roundtrip.server_url(cfg, ctx.options.url),
    roles = collect_roles(cfg, options.roles),
    owner = cfg.role,
    report = ctx.report,
  })
  ctx.closing[#ctx.closing + 1] = opened
  return opened
end

---@class luamig.roundtrip.Options
---@field from? string
---@field to? string
---@field since? string[]
---@field data? boolean   try with generated rows, too
---@field rows? integer   for each table
---@field seed? integer
---@field strict? boolean  irreversible revisions fail
---@field roles? string[]  to make on the throwaway server

---@class luamig.roundtrip.Summary
---@field tested integer        revisions
---@field passed integer
---@field failed integer        and whole ways
---@field irreversible integer
---@field skipped integer       they need one that could not be applied
---@field warnings integer
---@field ok boolean
---@field ms integer
---@field server_version integer|nil

---Tries the revisions of a project. Observers are told as it goes:
---  begin({ count, server }), result(result), revision({ id, title, verdict, results }),
---  unfilled({ identity, why }), finish(summary, results)
---Raises: graph, config, connection, refused, interrupted, server.
---@param ctx table  luamig.session
---@param options luamig.roundtrip.Options
---@param observers table[]
---@return luamig.roundtrip.Summary
---@return luamig.roundtrip.Result[]
function roundtrip.run(ctx, options, observers)
  local start = clock.now_ms()
  local project = database.project(ctx)
  local items = plan.make(project.graph, options)
  local tally = new_tally(project, observers)
  local count = plan.count_tested(items)
  local server_version
  if count > 0 then
    local opened = open_place(ctx, ctx:config(), options)
    server_version = opened:server_version()
    tally:tell_all("begin", { count = count, server_version = server_version,
      is_throwaway = opened:is_throwaway() })
    walk.new({
      place = opened,
      project = project,
      items = items,
      rows = rows_options(options),
      tell = function(result)
        tally:add(result)
      end,
      on_revision = function(id)
        tally:close(id)
      end,
      on_unfilled = function(list)
        tally:note_unfilled(list)
      end,
    }):run()
  end
  local summary = tally.counts
  summary.ok = summary.failed == 0 and not (options.strict and summary.irreversible > 0)
  summary.ms = clock.now_ms() - start
  summary.server_version = server_version
  tally:tell_all("finish", summary, tally.results)
  return summary, tally.results
end

return roundtrip
