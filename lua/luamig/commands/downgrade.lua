local command_line = require("luamig.command_line")
local downgrade = {
  name = "downgrade",
  summary = "Undoes revisions down to a target: the revision to end at.",
  accepts = { sql = true, dry_run = true, ephemeral = true },
}

function downgrade.setup(parser)
  parser:argument("target", "the revision to end at: base, an id or prefix, -N (undo N), ID-N, "
    .. "BRANCH@base; FROM:TO with --sql"):argname("TARGET")
  parser:option("--backup", "run pg_dump into this file or folder first"):argname("FILE")
  parser:flag("--trace", "with --dry-run: print the locks, rewrites and scans of each statement")
end

function downgrade.run(ctx)
  local target = ctx.options.target
  local command = command_line.of(ctx, "downgrade", target,
    ctx.options.dry_run and "--dry-run" or nil)
  return require("luamig.migrate").run(ctx, "downgrade", target, command)
end

return downgrade
