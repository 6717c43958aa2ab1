local fault = require("luamig.fault")

local merge = { name = "merge", summary = "Writes a revision that joins several heads." }

function merge.setup(parser)
  parser:argument("revisions", "what to join (default: all heads)"):args("*"):argname("REV")
  parser:option("-m --message", "what it is for (default: merge A and B)"):argname("TEXT")
  parser:option("--rev-id", "its id, instead of the next one"):argname("ID")
  parser:option("--branch-label", "a name for what begins here"):argname("LABEL"):count("*")
    :target("labels")
  parser:flag("--splice", "let it join revisions that others follow already")
  parser:option("--version-path", "the versions folder to write to, when there are several")
    :argname("DIR")
  parser:flag("-e --edit", "open the file in the editor")
end

local function usage(message, hint)
  fault.raise({ kind = "usage", message = message, hint = hint })
end

local function resolved(graph, texts)
  local out, seen = {}, {}
  for _, text in ipairs(texts) do
    for _, id in ipairs(graph:resolve(text, { direction = "read" })) do
      if seen[id] then
        usage(("revision %s is named twice: by '%s' and by '%s'"):format(id, seen[id], text))
      end
      seen[id] = text
      out[#out + 1] = id
    end
  end
  return out
end

-- All ids that come before one: its parents, and theirs.
local function is_before(by_id, early, late)
  local waiting, seen = { late }, {}
  while #waiting > 0 do
    local id = table.remove(waiting)
    for _, parent in ipairs(by_id[id].down) do
      if parent == early then
        return true
      elseif not seen[parent] then
        seen[parent] = true
        waiting[#waiting + 1] = parent
      end
    end
  end
  return false
end

local function check(ctx, graph, by_id, down)
  if #down < 2 then
    usage(#down == 1 and ("there is one revision only to join: %s"):format(down[1])
      or "there is no revision to join",
      #ctx.options.revisions == 0 and "heads are joined when there are several: luamig heads"
      or "name two or more")
  end
  for _, id in ipairs(down) do
    local children = graph:children(id)
    if #children > 0 and not ctx.options.splice then
      usage(("revision %s is no head: %s follows it already"):format(id,
        table.concat(children, ", ")), "--splice joins it all the same")
    end
    for _, other in ipairs(down) do
      if other ~= id and is_before(by_id, id, other) then
        usage(("revision %s comes before %s already; there is nothing to join"):format(id, other))
      end
    end
  end
end

function merge.run(ctx)
  local options = ctx.options
  local draft = require("luamig.draft")
  local new
  do
    local lock <close> = require("luamig.files").lock(ctx:config().dir) -- luacheck: no unused
    local graph, by_id = ctx:graph()
    local down = #options.revisions > 0 and resolved(graph, options.revisions) or graph:heads()
    check(ctx, graph, by_id, down)
    new = draft.make(ctx, {
      message = options.message or "merge " .. table.concat(down, " and "),
      id = options.rev_id,
      down = down,
      labels = options.labels,
      version_path = options.version_path,
      body = {
        upgrade = { "-- nothing to do: this revision only joins the others" },
        downgrade = {},
      },
    })
    draft.write(new)
  end
  draft.announce(ctx, new)
  if options.edit then
    require("luamig.editor").open({ new.path })
  end
end

return merge
