local history = { name = "history", summary = "Lists the revisions, newest first." }

function history.setup(parser)
  parser:option("-r --rev-range", "only these: A:B, A: or :B, both ends included")
    :argname("A:B"):target("range")
  parser:flag("-i --indicate-current", "mark what the database is at"):target("indicate")
  parser:option("-n --limit", "at most this many"):argname("COUNT"):convert(math.tointeger)
  parser:flag("--reverse", "oldest first")
end

-- The graph gives an order in which parents come first; history is read from the end.
local function ids_shown(graph, options, rows)
  local ids = options.range and graph:range(options.range, { current = rows, direction = "read" })
    or graph:ids()
  local out = {}
  local count = math.min(#ids, options.limit or #ids)
  for i = 1, count do
    out[i] = ids[#ids - i + 1]
  end
  if options.reverse then
    for i = 1, count // 2 do
      out[i], out[count - i + 1] = out[count - i + 1], out[i]
    end
  end
  return out
end

function history.run(ctx)
  local options = ctx.options
  local graph, by_id = ctx:graph()
  local is_relative = options.range and graph:needs_rows(options.range)
  local rows = (options.indicate or is_relative) and ctx:rows() or nil
  local book = require("luamig.entry").book(graph, by_id, options.indicate and rows or nil)
  local ids = ids_shown(graph, options, rows)
  if options.json then
    ctx.report.json(book:json_list(ids))
    return 0
  end
  local parts = { parents = true, tree = true, doc = true }
  local lines = {}
  for _, id in ipairs(ids) do
    if options.verbose > 0 then
      local block = book:block(by_id[id])
      table.move(block, 1, #block, #lines + 1, lines)
    else
      lines[#lines + 1] = book:line(by_id[id], parts)
    end
  end
  ctx.report.lines(lines)
end

return history
