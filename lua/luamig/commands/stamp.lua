local command_line = require("luamig.command_line")
local fault = require("luamig.fault")
local types = require("luamig.types")

local stamp = {
  name = "stamp",
  summary = "Sets the version rows without running scripts.",
  accepts = { sql = true },
}

function stamp.setup(parser)
  parser:argument("revisions", "head, heads, base, ids; FROM:TO with --sql"):args("+")
    :argname("REV")
  parser:flag("--purge", "forget every row first, also of revisions that no file has")
end

local function rows_text(rows)
  return #rows > 0 and table.concat(rows, ", ") or "<base>"
end

local function stamp_sql(ctx, targets)
  if ctx.options.purge then
    fault.raise({ kind = "usage", message = "Can't use --purge with --sql mode" })
  end
  local graph = ctx:graph()
  local from, to = targets[1]:match("^(.-):(.*)$")
  local rows = from and graph:resolve(from, { direction = "read" }) or {}
  if from then
    targets = { to }
  end
  local move = graph:stamp(rows, targets, { purge = false })
  ctx.report.raw(require("luamig.offline").stamp(ctx, move, rows))
  return 0
end

local function write(self, move, is_purging)
  local conn, sql = self.conn, self.state.sql
  local null = require("luamig.value").null
  self.state:ensure()
  conn:send("BEGIN")
  if is_purging then
    conn:send(sql.purge)
    conn:send(sql.journal_clear_all)
  end
  local added = is_purging and move.rows or move.add
  conn:send(sql.move, { types.text(is_purging and {} or move.remove, "text[]"),
    types.text(added, "text[]") })
  for _, id in ipairs(added) do
    conn:send(sql.record, { id, "stamp", self.hostname, self.luamig, null, null, null, n = 7 })
  end
  conn:send("COMMIT", nil, { expect = "COMMIT" })
  conn:sync()
end

local function say(self, before, after)
  if self.report.is_json() then
    self.report.json({ before = before, current = after })
  else
    self.report.info(("running stamp_revision %s -> %s"):format(rows_text(before),
      rows_text(after)))
  end
end

function stamp.run(ctx)
  local targets = ctx.options.revisions
  if ctx.options.sql then
    return stamp_sql(ctx, targets)
  end
  local command = command_line.of(ctx, "stamp", table.unpack(targets))
  local self = require("luamig.migration").open(ctx, command, { lock = true })
  local is_purging = ctx.options.purge
  if not is_purging then
    self:check_rows()
    self:check_unfinished({}, "upgrade")
  end
  local rows = is_purging and {} or self.state.rows
  local move = self.graph:stamp(rows, targets, { purge = is_purging or false })
  if self.cfg.protected then
    require("luamig.confirm").ask(ctx, ("environment '%s' is protected: its version will be set "
      .. "to %s"):format(self.cfg.environment, rows_text(move.rows)), self.conn:info().database,
      command)
  end
  if not is_purging and #move.remove == 0 and #move.add == 0 then
    ctx.report.info("nothing to do: the database is at " .. rows_text(rows))
    return 0
  end
  write(self, move, is_purging)
  say(self, self.state.rows, move.rows)
  return 0
end

return stamp
