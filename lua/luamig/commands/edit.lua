local edit = { name = "edit", summary = "Opens revisions in the editor ($VISUAL, $EDITOR)." }

function edit.setup(parser)
  parser:argument("revisions", "id, prefix, label, head, current … (default: head)"):args("*")
    :argname("REV")
end

local function is_relative_to_database(text)
  return text:find("current", 1, true) ~= nil or text:find("^[+-]%d") ~= nil
end

local function revisions_of(ctx)
  local graph, by_id = ctx:graph()
  local texts = #ctx.options.revisions > 0 and ctx.options.revisions or { "head" }
  local revisions, seen, rows = {}, {}, nil
  for _, text in ipairs(texts) do
    rows = rows or is_relative_to_database(text) and ctx:rows() or nil
    local ids = graph:resolve(text, { current = rows, direction = "read" })
    if #ids == 0 then
      require("luamig.fault").raise({
        kind = "usage",
        message = ("'%s' names no revision file"):format(text),
      })
    end
    for _, id in ipairs(ids) do
      if not seen[id] then
        seen[id] = true
        revisions[#revisions + 1] = by_id[id]
      end
    end
  end
  return revisions
end

-- Said at once what `upgrade` would say later.
local function check(ctx, revisions)
  local revision = require("luamig.revision")
  for _, rev in ipairs(revisions) do
    local edited = revision.compile(revision.load(rev.path, ctx:config()))
    if edited.text == rev.text then
      ctx.report.say(rev.file .. " is as it was")
    end
  end
  revision.graph(ctx:config())
end

function edit.run(ctx)
  local revisions = revisions_of(ctx)
  local paths = {}
  for i, rev in ipairs(revisions) do
    paths[i] = rev.path
  end
  require("luamig.editor").open(paths)
  check(ctx, revisions)
end

return edit
