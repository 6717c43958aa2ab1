local show = { name = "show", summary = "Shows revisions in full." }

function show.setup(parser)
  parser:argument("revisions", "id, prefix, label, head, heads, current, ID-1 …"):args("+")
    :argname("REV")
end

function show.run(ctx)
  local graph, by_id = ctx:graph()
  local ids, rows = {}, nil
  for _, text in ipairs(ctx.options.revisions) do
    rows = rows or graph:needs_rows(text) and ctx:rows() or nil
    local found = graph:resolve(text, { current = rows, direction = "read" })
    table.move(found, 1, #found, #ids + 1, ids)
  end
  local book = require("luamig.entry").book(graph, by_id, rows)
  if ctx.options.json then
    local list = book:json_list(ids)
    for i, id in ipairs(ids) do
      list[i].comment = by_id[id].comment
      list[i].text = by_id[id].text
      list[i].sha256 = by_id[id].sha256
    end
    ctx.report.json(list)
    return 0
  end
  for _, id in ipairs(ids) do
    ctx.report.lines(book:block(by_id[id]))
    if ctx.options.verbose > 0 then
      ctx.report.raw(by_id[id].text)
    end
  end
end

return show
