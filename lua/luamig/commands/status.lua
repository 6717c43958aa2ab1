local status = {
  name = "status",
  summary = "Shows where the database stands, what is pending and what to do next.",
}

local function rows_text(rows)
  return #rows > 0 and table.concat(rows, ", ") or "<base>"
end

local OBJECTS_SHOWN <const> = 5

-- How the database differs from what the project declares; asked only of one that is up to date.
-- A declaration that cannot be built must not keep the rest from being told.
local function drift_of(self)
  local drift = require("luamig.drift")
  local ok, result, target = pcall(function()
    local comparison, target = drift.compare(self)
    return comparison:there(), target
  end)
  if not ok then
    local f = result
    if not require("luamig.fault").is(f) or f.kind == "interrupted" then
      error(f, 0)
    end
    return { target = drift.shown(self.cfg.target), failure = f.message, objects = {} }
  end
  local objects, seen = {}, {}
  for _, list in ipairs({ result.changes, result.unsupported }) do
    for _, one in ipairs(list) do
      if not seen[one.identity] then
        seen[one.identity] = true
        objects[#objects + 1] = one.identity
      end
    end
  end
  return { target = target, objects = objects }
end

local function is_current(self, unknown, pending)
  return self.cfg.target and #unknown == 0 and #pending == 0 and #self.state.unfinished == 0
end

local function gather(self)
  local unknown = self.graph:unknown(self.state.rows)
  local pending = #unknown == 0 and self:steps("upgrade", "heads") or {}
  local info = self.conn:info()
  return {
    database = info.database,
    host = info.host,
    port = info.port,
    user = info.user,
    server = ("%d.%d"):format(info.server_version // 10000, info.server_version % 10000),
    environment = self.cfg.environment,
    current = self.state.rows,
    heads = self.graph:heads(true),
    unknown = unknown,
    pending = pending,
    unfinished = self.state.unfinished,
    edited = #unknown == 0 and self:edited() or {},
    slipped = #unknown == 0 and self:slipped() or {},
    holder = self.conn:exec(self.state.sql.lock_holder)[1],
    is_pooled = self.state.is_pooled,
    is_standby = self.state.session.standby,
    drift = is_current(self, unknown, pending) and drift_of(self) or nil,
  }
end

-- The first that applies says what to do.
local verdicts = {
  { function(s)
    return #s.unfinished > 0
  end, function(s, self)
    local open = s.unfinished[1]
    return ("revision %s is partly %s"):format(open.revision,
      open.direction == "upgrade" and "applied" or "undone"), select(2, self:ways_on(open))
  end },
  { function(s)
    return #s.unknown > 0
  end, function(s, self)
    return ("the database is at a revision that these files do not have: %s"):format(
      rows_text(s.unknown)), select(2, self:way_out(s.unknown[1]))
  end },
  { function(s)
    return #s.edited > 0
  end, function(s)
    return ("%d applied file%s edited"):format(#s.edited, #s.edited == 1 and " was" or "s were"),
      "luamig check shows the difference"
  end },
  { function(s)
    return #s.slipped > 0
  end, function(s)
    return ("%s was never run"):format(s.slipped[1].file),
      ("luamig rebase %s --onto HEAD"):format(s.slipped[1].id)
  end },
  { function(s)
    return #s.pending > 0
  end, function(s)
    return ("%d revision%s pending"):format(#s.pending, #s.pending == 1 and "" or "s"),
      #s.heads > 1 and "luamig upgrade heads" or "luamig upgrade"
  end },
  { function(s)
    return s.drift ~= nil and s.drift.failure ~= nil
  end, function(s)
    return ("up to date; whether it is what %s declares is not known"):format(s.drift.target),
      "luamig check tells why"
  end },
  { function(s)
    return s.drift ~= nil and #s.drift.objects > 0
  end, function(s)
    return ("the database is not what %s declares"):format(s.drift.target),
      "luamig check shows the difference"
  end },
  { function()
    return true
  end, function()
    return "up to date", nil
  end },
}

local function verdict_of(s, self)
  for _, pair in ipairs(verdicts) do
    if pair[1](s) then
      return pair[2](s, self)
    end
  end
end

local function ids_of(list)
  local ids = {}
  for i, item in ipairs(list) do
    ids[i] = item.id
  end
  return ids
end

local function as_json(s, verdict, try, giving_up)
  local out = {}
  for name, item in pairs(s) do
    out[name] = item
  end
  out.unfinished = table.move(s.unfinished, 1, #s.unfinished, 1, {}) -- without names of columns
  out.pending = ids_of(s.pending)
  out.edited = ids_of(s.edited)
  out.slipped = ids_of(s.slipped)
  out.verdict = verdict
  out.try = try
  out.give_up = giving_up
  return out
end

local PENDING_SHOWN <const> = 10

local function print_pending(report, runner, pending)
  for i = 1, math.min(#pending, PENDING_SHOWN) do
    report.out("             " .. runner.step_text(pending[i]))
  end
  if #pending > PENDING_SHOWN then
    report.out(("             … and %d more"):format(#pending - PENDING_SHOWN))
  end
end

local function field(report, label, text)
  if text then
    report.out(("%-12s %s"):format(label .. ":", text))
  end
end

local function print_place(report, s)
  field(report, "database", ("%s on %s (%s, PostgreSQL %s)"):format(s.database, s.host, s.user,
    s.server))
  field(report, "environment", s.environment)
  field(report, "current", rows_text(s.current))
  field(report, #s.heads > 1 and "heads" or "head", rows_text(s.heads))
  field(report, "standby", s.is_standby and "read-only" or nil)
  field(report, "pooler", s.is_pooled and "between here and the server" or nil)
  field(report, "running", s.holder and ("another luamig: pid %d (%s)"):format(s.holder.pid,
    s.holder.role or "?") or nil)
end

local function print_drift(report, drift)
  local objects = drift and drift.objects or {}
  for i = 1, math.min(#objects, OBJECTS_SHOWN) do
    field(report, "differs", objects[i])
  end
  if #objects > OBJECTS_SHOWN then
    field(report, "differs", ("… and %d more"):format(#objects - OBJECTS_SHOWN))
  end
end

local function print_work(report, s)
  field(report, "pending", #s.pending > 0 and tostring(#s.pending) or nil)
  print_pending(report, require("luamig.runner"), s.pending)
  for _, open in ipairs(s.unfinished) do
    field(report, "unfinished", ("%s of %s, %d part%s committed"):format(open.direction,
      open.revision, open.segments, open.segments == 1 and "" or "s"))
  end
  for _, rev in ipairs(s.edited) do
    field(report, "edited", rev.file)
  end
  for _, rev in ipairs(s.slipped) do
    field(report, "never run", rev.file)
  end
  print_drift(report, s.drift)
end

-- With -v, the stored text of what was begun and not finished.
local function print_stored(self)
  for _, open in ipairs(self.state.unfinished) do
    local segments = self.state:segments(open.revision, open.direction)
    local text = segments[1] and segments[1].script
    if text then
      self.report.out(("\nthe script of %s when it was begun:\n"):format(open.revision))
      self.report.raw(text)
    end
  end
end

function status.run(ctx)
  local self = require("luamig.migration").open(ctx, "luamig status")
  local s = gather(self)
  local verdict, try = verdict_of(s, self)
  local giving_up = #s.unfinished > 0 and self:ways_on(s.unfinished[1]) or nil
  local again = require("luamig.command_line").again
  try = try and again(ctx.options, try)
  giving_up = giving_up and again(ctx.options, giving_up)
  if ctx.options.json then
    ctx.report.json(as_json(s, verdict, try, giving_up))
    return 0
  end
  print_place(ctx.report, s)
  print_work(ctx.report, s)
  field(ctx.report, "verdict", verdict)
  field(ctx.report, "try", try)
  field(ctx.report, "give up", giving_up)
  if ctx.options.verbose > 0 then
    print_stored(self)
  end
  return 0
end

return status
