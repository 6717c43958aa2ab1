local fault = require("luamig.fault")

local revision = { name = "revision", summary = "Writes a new revision file.", rehearses = true }

function revision.setup(parser)
  parser:argument("words", "what changes, in a few words: add email to users"):args("*")
    :argname("TEXT")
  parser:option("-m --message", "the same, as an option"):argname("TEXT")
  parser:option("--rev-id", "its id, instead of the next one"):argname("ID")
  parser:option("--head", "the revision that it follows (default: the only head); base begins anew")
    :argname("REV")
  parser:flag("--splice", "let it follow a revision that others follow already")
  parser:option("--branch-label", "a name for what begins here"):argname("LABEL"):count("*")
    :target("labels")
  parser:option("--depends-on", "a revision that must be applied first"):argname("REV"):count("*")
    :target("depends_on")
  parser:option("--version-path", "the versions folder to write to, when there are several")
    :argname("DIR")
  parser:flag("--autogenerate", "write what the target differs in")
  parser:flag("-e --edit", "open the file in the editor")
end

local function usage(message, hint, try)
  fault.raise({ kind = "usage", message = message, hint = hint, try = try })
end

local function message_of(ctx)
  local options = ctx.options
  local words = table.concat(options.words, " ")
  if options.message and words ~= "" then
    usage(("the message is there twice: -m '%s' and '%s'"):format(options.message, words))
  end
  local message = options.message or (words ~= "" and words) or ctx.report.ask("what changes? ")
  if not message then
    usage("the message is missing", nil, "luamig revision -m 'add email to users'")
  end
  return message
end

local function only_head(graph)
  local heads = graph:heads()
  if #heads > 1 then
    fault.raise({
      kind = "graph",
      message = "Multiple heads are present: " .. table.concat(heads, ", "),
      hint = "--head REV names the one to follow",
      try = "luamig merge",
    })
  end
  return heads
end

-- The ids that the new revision follows: one, or none for a new beginning.
local function parents(ctx, graph)
  local head = ctx.options.head
  if not head then
    return only_head(graph)
  end
  local down = graph:resolve(head, { direction = "read" })
  if #down > 1 then
    usage(("--head %s means %d revisions: %s"):format(head, #down, table.concat(down, ", ")), nil,
      ("luamig merge %s"):format(table.concat(down, " ")))
  end
  local children = down[1] and graph:children(down[1]) or {}
  if #children > 0 and not ctx.options.splice then
    usage(("revision %s is no head: %s %s it already"):format(down[1],
      table.concat(children, ", "), #children == 1 and "follows" or "follow"),
      "--splice begins another branch there")
  end
  return down
end

local function body_of(message)
  return require("luamig.prefill").of(message) or {
    upgrade = { "-- the change, as calls of op; all of them: luamig help op" },
    downgrade = { "-- and the way back" },
  }
end

-- In a fresh clone, and after an update of luamig, the editor lacks its file; that it cannot be
-- written is no reason to fail.
local function renew_editor_file(config)
  local scaffold = require("luamig.scaffold")
  if scaffold.has_editor(config.dir) then
    pcall(scaffold.renew_meta, config.dir)
  end
end

-- What the target differs in; nil when it differs in nothing, which is said.
local function generated_body(ctx)
  local generated = require("luamig.autogenerate").run(ctx)
  if generated.body then
    return generated.body
  elseif generated.is_blocked then
    ctx.report.say("nothing that a revision could do; no file is written")
  else
    ctx.report.say("nothing to do: the database is what the target declares; no file is written")
  end
  return nil
end

function revision.run(ctx)
  local options = ctx.options
  local message = message_of(ctx)
  local body = not options.autogenerate and body_of(message) or generated_body(ctx)
  if not body then
    return 0
  end
  local draft = require("luamig.draft")
  local new
  do
    local lock <close> = require("luamig.files").lock(ctx:config().dir) -- luacheck: no unused
    new = draft.make(ctx, {
      message = message,
      id = options.rev_id,
      down = parents(ctx, (ctx:graph())),
      labels = options.labels,
      depends_on = options.depends_on,
      version_path = options.version_path,
      body = body,
    })
    draft.write(new)
  end
  renew_editor_file(ctx:config())
  draft.announce(ctx, new)
  if options.edit then
    require("luamig.editor").open({ new.path })
  end
end

return revision
