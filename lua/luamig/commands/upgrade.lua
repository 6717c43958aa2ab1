local command_line = require("luamig.command_line")

local upgrade = {
  name = "upgrade",
  summary = "Applies revisions up to a target.",
  accepts = { sql = true, dry_run = true, ephemeral = true },
}

function upgrade.setup(parser)
  parser:argument("target", "head, heads, an id or prefix, +N, ID+N, BRANCH@head; FROM:TO with "
    .. "--sql"):args("?"):argname("TARGET")
  parser:option("--backup", "run pg_dump into this file or folder first"):argname("FILE")
  parser:flag("--trace", "with --dry-run: print the locks, rewrites and scans of each statement")
  parser:option("--allow", "in a protected environment: run it although lint calls it an error")
    :argname("RULE"):count("*")
end

function upgrade.run(ctx)
  if #ctx.options.allow > 0 then
    require("luamig.lint.guard").allowed(ctx.options.allow)
  end
  local target = ctx.options.target or "head"
  local command = command_line.of(ctx, "upgrade", target,
    ctx.options.dry_run and "--dry-run" or nil)
  return require("luamig.migrate").run(ctx, "upgrade", target, command)
end

return upgrade
