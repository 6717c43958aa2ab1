local fault = require("luamig.fault")

local plan = {
  name = "plan",
  summary = "Tells what the pending revisions will do: locks, rewrites, scans and durations, "
    .. "measured on a throwaway server.",
  rehearses = true,
}

function plan.setup(parser)
  parser:argument("target", "head, an id, +N … (default head); FROM:TO without asking the database")
    :args("?"):argname("TARGET")
  parser:option("--from", "begin here, without asking the database: base, an id …")
    :argname("REV")
  parser:option("--server", "measure in a database made on this server, not on a throwaway one")
    :argname("URL")
  parser:option("--stats", "sizes of production, made by --export-stats"):argname("FILE")
  parser:option("--export-stats", "write the sizes of the tables of this database, no data; - for "
    .. "stdout"):argname("FILE")
  parser:option("--html", "write one page that needs nothing else"):argname("FILE")
end

local function export(ctx, path)
  local stats = require("luamig.plan.stats").export(ctx:connect())
  local text = require("luamig.json").encode(stats) .. "\n"
  if path == "-" then
    ctx.report.raw(text)
    return
  end
  require("luamig.files").write(path, text)
  local count = 0
  for _ in pairs(stats.tables) do
    count = count + 1
  end
  ctx.report.info(("wrote the sizes of %d table%s to %s"):format(count, count == 1 and "" or "s",
    path))
end

-- Where to begin, and the target: FROM:TO says both.
local function bounds_of(ctx, graph)
  local from, target = ctx.options.from, ctx.options.target or "head"
  local first, last = target:match("^(.*):(.*)$")
  if first and from then
    fault.raise({ kind = "usage", message = "--from and FROM:TO say the same",
      try = ("luamig plan %s"):format(target) })
  elseif first then
    graph:range(target, { direction = "read" }) -- the older end comes first
    from, target = first ~= "" and first or "base", last ~= "" and last or "head"
  end
  return from, target
end

local relative = { ["+"] = true, ["-"] = true }

-- A target that is not there is told before a server is asked.
local function check_target(graph, target)
  if not relative[target:sub(1, 1)] then
    graph:resolve(target, { direction = "upgrade" })
  end
end

local function rows_of(ctx, graph, from)
  if from then
    return graph:resolve(from, { direction = "read" })
  end
  local ok, rows = pcall(ctx.rows, ctx)
  if ok then
    return rows
  elseif fault.is(rows) then
    fault.complete(rows, { hint = "--from base plans from an empty database without asking it" })
  end
  error(rows, 0)
end

local function make(ctx)
  local options, graph = ctx.options, ctx:graph()
  local from, target = bounds_of(ctx, graph)
  check_target(graph, target)
  if options.html then
    require("luamig.files").check_place(options.html)
  end
  local stats = options.stats and require("luamig.plan.stats").read(options.stats)
  local rows, ids = rows_of(ctx, graph, from), {}
  for i, step in ipairs(graph:upgrade(rows, target)) do
    ids[i] = step.id
  end
  if #ids == 0 then
    return { revisions = {}, note = ("nothing to do: %s %s"):format(
      from and "it begins at" or "the database is at",
      #rows > 0 and table.concat(rows, ", ") or "<base>") }
  end
  return require("luamig.plan").run(ctx, { base = graph:applied(rows), ids = ids, stats = stats,
    server = options.server })
end

function plan.run(ctx)
  local options = ctx.options
  if options.export_stats then
    return export(ctx, options.export_stats)
  end
  local made = make(ctx)
  if options.html then
    require("luamig.files").write(options.html, require("luamig.plan.html").page(made))
  end
  if options.json then
    ctx.report.json(made)
  else
    ctx.report.lines(require("luamig.plan.table").lines(made))
  end
  local last = made.revisions[#made.revisions]
  return last and last.failure and 1 or 0
end

return plan
