local fault = require("luamig.fault")

local rebase = { name = "rebase", summary = "Puts a branch that is not applied onto another head." }

function rebase.setup(parser)
  parser:argument("revision", "a revision of the branch that moves"):args("?"):argname("REV")
  parser:option("--onto", "the head that it shall follow (default: the only other one)")
    :argname("REV")
  parser:flag("--offline", "do not ask the database whether the branch is applied")
end

local function one(graph, text, what)
  local ids = graph:resolve(text, { direction = "read" })
  if #ids ~= 1 then
    fault.raise({
      kind = "usage",
      message = ("%s '%s' names %s; one is needed"):format(what, text,
        #ids == 0 and "no revision" or ("%d revisions: %s"):format(#ids, table.concat(ids, ", "))),
    })
  end
  return ids[1]
end

-- The younger branch is the one to move: the other is likelier to be out in the world.
local function created(by_id, id)
  return by_id[id].text:match("\n%-%-+%s*Create Date:%s*(%d[^\n]*)") or ""
end

local function propose(graph, by_id, heads)
  local plans = require("luamig.rebase")
  local a = plans.plan(graph, by_id, heads[1], heads[2])
  local b = plans.plan(graph, by_id, heads[2], heads[1])
  local younger = created(by_id, a.id) > created(by_id, b.id) and a or b
  local detail = {}
  for _, plan in ipairs({ a, b }) do
    detail[#detail + 1] = ("luamig rebase %s puts %s onto %s"):format(plan.id,
      by_id[plan.id].file, plan.onto)
  end
  fault.raise({
    kind = "usage",
    message = ("there are two heads, %s and %s: which branch moves?"):format(heads[1], heads[2]),
    detail = table.concat(detail, "\n"),
    hint = "or a revision joins them: luamig merge",
    try = "luamig rebase " .. younger.id,
  })
end

-- The plan, or nil when there is nothing to do.
local function plan_of(ctx, graph, by_id)
  local options = ctx.options
  if options.revision then
    local id = one(graph, options.revision, "the revision")
    local plans = require("luamig.rebase")
    local onto = options.onto and one(graph, options.onto, "--onto")
      or plans.other_head(graph, by_id, id)
    return plans.plan(graph, by_id, id, onto)
  elseif options.onto then
    fault.raise({ kind = "usage", message = "--onto needs the revision that moves" })
  end
  local heads = graph:heads()
  if #heads > 2 then
    fault.raise({
      kind = "usage",
      message = "Multiple heads are present: " .. table.concat(heads, ", "),
      try = "luamig rebase REV --onto REV",
    })
  elseif #heads == 2 then
    propose(graph, by_id, heads)
  end
  return nil
end

-- Without an answer nothing moves; the error says how to go on.
local function with_way_round(fn, ...)
  local ok, value = pcall(fn, ...)
  if ok then
    return value
  elseif fault.is(value) then
    local without = "--offline moves it without asking the database"
    value.hint = value.hint and value.hint .. "\n" .. without or without
    fault.complete(value, { state = "no file was changed" })
  end
  return error(value, 0)
end

-- What was never run although it counts as applied is what a rebase puts in line.
local function is_applied(migration, id)
  for _, rev in ipairs(migration:slipped()) do
    if rev.id == id then
      return false
    end
  end
  local known = {}
  for _, row in ipairs(migration.state.rows) do
    known[#known + 1] = migration.by_id[row] and row or nil
  end
  for _, applied in ipairs(migration.graph:applied(known)) do
    if applied == id then
      return true
    end
  end
  return false
end

-- An embedded server that was never started has nothing applied; it is not made for the question.
local function has_database(ctx)
  local url = require("luamig.config").url(ctx:config(), ctx.options)
  local home = require("luamig.database").home(ctx:config())
  return url ~= "embedded" or require("lfs").attributes(home .. "/pg", "mode") ~= nil
end

local function check_unapplied(ctx, rev)
  if not with_way_round(has_database, ctx) then
    return
  end
  local migration = with_way_round(require("luamig.migration").open, ctx, "luamig rebase")
  local what = is_applied(migration, rev.id) and "applied"
  for _, open in ipairs(migration.state.unfinished) do
    what = what or open.revision == rev.id and "partly applied"
  end
  if what then
    fault.raise({
      kind = "refused",
      message = ("revision %s is %s in the database; it cannot move"):format(rev.id, what),
      file = rev.file,
      state = "no file was changed",
      hint = "move the other branch, or join them: luamig merge",
    })
  end
end

-- The new texts, and the graph as it will be: a dependency may stand against the move.
local function edited(ctx, plan)
  local revision = require("luamig.revision")
  local list, changed = {}, {}
  for _, edit in ipairs(plan.edits) do
    local rev = ctx.by_id[edit.id]
    local text = require("luamig.rebase").edited(require("luamig.files").read(rev.path), rev,
      edit.onto)
    local after = revision.parse(text, rev.file, ctx:config())
    after.path = rev.path
    changed[edit.id] = after
    edit.text, edit.rev = text, rev
  end
  for id, rev in pairs(ctx.by_id) do
    list[#list + 1] = changed[id] or rev
  end
  table.sort(list, function(a, b)
    return a.path < b.path
  end)
  require("luamig.core.graph").new(list)
end

local function move(ctx, plan)
  edited(ctx, plan)
  for _, edit in ipairs(plan.edits) do
    require("luamig.files").replace(edit.rev.path, edit.text)
    edit.text = nil
  end
  for _, edit in ipairs(plan.edits) do
    require("luamig.hooks").run(ctx:config(), "after_write", edit.rev.path)
  end
end

local function as_json(plan)
  local list = {}
  for i, edit in ipairs(plan.edits) do
    list[i] = {
      revision = edit.id,
      file = edit.rev.file,
      down_revision = { edit.onto },
      was = edit.rev.down,
    }
  end
  return { revision = plan.id, onto = plan.onto, edits = list }
end

local function say(ctx, plan)
  if ctx.options.json then
    ctx.report.json(as_json(plan))
  elseif #plan.edits == 0 then
    ctx.report.out(("%s follows %s already"):format(plan.id, plan.onto))
  end
  if #plan.edits > 0 and ctx.options.offline then
    ctx.report.say("no database was asked whether it has been applied (--offline)")
  end
  for _, edit in ipairs(ctx.options.json and {} or plan.edits) do
    ctx.report.out(("%s follows %s now, not %s: %s"):format(edit.id, edit.onto,
      edit.rev.down[1] or "nothing", edit.rev.file))
  end
end

function rebase.run(ctx)
  local lock <close> = require("luamig.files").lock(ctx:config().dir) -- luacheck: no unused
  local graph, by_id = ctx:graph()
  local plan = plan_of(ctx, graph, by_id)
  if not plan then
    ctx.report.say("there is no second head; nothing to do")
    return 0
  end
  if #plan.edits > 0 then
    if not ctx.options.offline then
      check_unapplied(ctx, by_id[plan.id])
    end
    move(ctx, plan)
  end
  say(ctx, plan)
end

return rebase
