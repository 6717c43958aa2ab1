local fault = require("luamig.fault")

local check = {
  name = "check",
  summary = "Is everything sound and applied? Graph, scripts, edited files, pending revisions.",
  accepts = { ephemeral = true },
  rehearses = true,
}

function check.setup(parser)
  parser:flag("--offline", "only what needs no database: the graph and the scripts")
end

local function compile_all(graph, by_id)
  local change = require("luamig.change")
  local revision = require("luamig.revision")
  for _, id in ipairs(graph:ids()) do
    local rev = revision.compile(by_id[id])
    if rev.change and not rev.irreversible then
      change.inverse(rev, { server_version = 150000, revision = id, direction = "downgrade" })
    end
  end
end

local function check_edited(self)
  local edited = self:edited()
  if #edited == 0 then
    return
  end
  local parts = {}
  for _, rev in ipairs(edited) do
    local stored = self.state:script(rev.id)
    parts[#parts + 1] = stored and require("luamig.textdiff").unified(stored.script, rev.text,
      { before = "applied " .. stored.finished:gsub("%.%d+", ""), after = rev.file })
      or rev.file
  end
  fault.raise({
    kind = "edited",
    message = #edited == 1 and edited[1].file .. " was edited after it was applied"
      or ("%d files were edited after they were applied"):format(#edited),
    detail = table.concat(parts, "\n"),
    file = edited[1].file,
    revision = edited[1].id,
    try = "bring the applied text back and put the change into a new revision",
  })
end

local function check_pending(self)
  local steps = self:steps("upgrade", "heads")
  if #steps == 0 then
    return
  end
  local ids = {}
  for i, step in ipairs(steps) do
    ids[i] = step.id
  end
  fault.raise({
    kind = "pending",
    message = "Target database is not up to date",
    detail = ("not applied: %s"):format(table.concat(ids, ", ")),
    try = "luamig upgrade heads",
  })
end

local function check_slipped(self)
  local slipped = self:slipped()
  if #slipped > 0 then
    fault.raise({
      kind = "graph",
      message = slipped[1].file .. " counts as applied, for a later revision is, but was never run",
      revision = slipped[1].id,
      try = ("luamig rebase %s --onto HEAD"):format(slipped[1].id),
    })
  end
end

-- The database must be what the project declares, when it declares anything.
local function check_target(self)
  if not self.cfg.target then
    return nil
  end
  local drift, show = require("luamig.drift"), require("luamig.diff.show")
  local comparison, target = drift.compare(self)
  local result = comparison:there()
  if not drift.is_none(result) then
    local count = #result.changes + #result.unsupported
    fault.raise({
      kind = "pending",
      message = ("the database is not what %s declares: %d difference%s"):format(target, count,
        count == 1 and "" or "s"),
      detail = show.ops(result):gsub("\n$", ""),
      try = "luamig revision --autogenerate -m 'what changes'",
    })
  end
  return target
end

function check.run(ctx)
  local graph, by_id = ctx:graph()
  compile_all(graph, by_id)
  local target
  if not ctx.options.offline then
    local self = require("luamig.migration").open(ctx, "luamig check")
    self:check_rows()
    self:check_unfinished({}, "upgrade")
    check_edited(self)
    check_slipped(self)
    check_pending(self)
    target = check_target(self)
  end
  local count = #graph:ids()
  if ctx.options.json then
    ctx.report.json({ ok = true, revisions = count, target = target })
  else
    ctx.report.out(("%s sound%s"):format(count == 1 and "1 revision:" or count .. " revisions: all",
      ctx.options.offline and "" or "; the database is at head")
      .. (target and (" and what %s declares"):format(target) or ""))
  end
  return 0
end

return check
