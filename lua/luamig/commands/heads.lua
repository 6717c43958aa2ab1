local heads = { name = "heads", summary = "Lists the revisions that nothing follows." }

function heads.setup(parser)
  parser:flag("--resolve-dependencies", "leave out heads that another revision depends on")
    :target("effective")
end

function heads.run(ctx)
  local graph, by_id = ctx:graph()
  local book = require("luamig.entry").book(graph, by_id)
  local ids = graph:heads(ctx.options.effective)
  if ctx.options.json then
    ctx.report.json(book:json_list(ids))
    return 0
  end
  for _, id in ipairs(ids) do
    if ctx.options.verbose > 0 then
      ctx.report.lines(book:block(by_id[id]))
    else
      ctx.report.out(book:line(by_id[id], { heads = true }))
    end
  end
end

return heads
