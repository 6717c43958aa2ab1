local branches = { name = "branches", summary = "Lists the revisions that several others follow." }

local function as_json(book, ids)
  local list = book:json_list(ids)
  for i, id in ipairs(ids) do
    list[i].branches_into = book.children[id]
  end
  return list
end

function branches.run(ctx)
  local graph, by_id = ctx:graph()
  local book = require("luamig.entry").book(graph, by_id)
  local ids = graph:branches()
  local is_verbose = ctx.options.verbose > 0
  if ctx.options.json then
    ctx.report.json(as_json(book, ids))
    return 0
  end
  for _, id in ipairs(ids) do
    if is_verbose then
      local block = book:block(by_id[id])
      ctx.report.lines(block)
    else
      ctx.report.out(book:line(by_id[id], { tree = true }))
    end
    for _, child in ipairs(book.children[id]) do
      local line = book:line(by_id[child], { doc = is_verbose })
      ctx.report.out((" "):rep(#id) .. " -> " .. line)
    end
    ctx.report.out()
  end
end

return branches
