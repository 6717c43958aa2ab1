local current = { name = "current", summary = "Shows the revisions that the database is at." }

function current.setup(parser)
  parser:flag("--check-heads", "exit 3 unless the database is at every head"):target("check_heads")
end

local function pending_raise(count)
  require("luamig.fault").raise({
    kind = "pending",
    message = "Database is not on all head revisions",
    detail = ("%d revision%s not applied"):format(count, count == 1 and " is" or "s are"),
    try = "luamig upgrade heads",
  })
end

local function as_json(book, by_id, rows)
  local list = {}
  for i, id in ipairs(rows) do
    list[i] = by_id[id] and book:json(by_id[id]) or { revision = id, is_unknown = true }
  end
  return list
end

local function print_row(ctx, book, rev, id)
  if not rev then
    ctx.report.out(id .. " (not in these files)")
  elseif ctx.options.verbose > 0 then
    ctx.report.lines(book:block(rev))
  else
    ctx.report.out(book:line(rev, { heads = true, tree = true }))
  end
end

function current.run(ctx)
  ctx:expect_connection()
  local graph, by_id = ctx:graph()
  local entry = require("luamig.entry")
  local rows = ctx:rows()
  local unknown = graph:unknown(rows)
  -- Lines have no mark "(current)", as Alembic's have none.
  local book = entry.book(graph, by_id, ctx.options.json and rows or nil)
  local shown = graph:current(rows) -- with the ends of branches that a dependency implies
  table.move(unknown, 1, #unknown, #shown + 1, shown)
  if ctx.options.json then
    ctx.report.json(as_json(book, by_id, shown))
  else
    for _, id in ipairs(shown) do
      print_row(ctx, book, by_id[id], id)
    end
  end
  if #unknown > 0 then
    ctx.report.warn(("the database is at a revision that these files do not have: %s"):format(
      table.concat(unknown, ", ")))
  end
  if ctx.options.check_heads then
    local count = #unknown > 0 and #unknown or #graph:upgrade(rows, "heads")
    if count > 0 then
      pending_raise(count)
    end
  end
  return 0
end

return current
