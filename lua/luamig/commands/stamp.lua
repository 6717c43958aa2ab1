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
  local sql = self.state.sql
  local null = require("luamig.value").null
  local wire = require("luamig.wire").new(self.conn)
  local added = is_purging and move.rows or move.add
  local function send(name, params)
    wire:send({ sql = sql[name], params = params })
  end
  self.state:queue_missing(wire)
  wire:send({ sql = "BEGIN" })
  if is_purging then
    send("purge")
    send("journal_clear_all")
  end
  send("move", { types.text(is_purging and {} or move.remove, "text[]"),
    types.text(added, "text[]") })
  for _, id in ipairs(added) do
    send("record", { id, "stamp", self.hostname, self.luamig, null, null, null, n = 7 })
  end
  wire:send({ sql = "COMMIT" }, nil, "COMMIT")
  local ok, f = pcall(wire.sync, wire)
  if not ok then
    require("luamig.core.txn").rollback(self.conn)
    if fault.is(f) then
      fault.complete(f, { state = "nothing changed" })
    end
    error(f, 0)
  end
end

local function say(self, before, after, is_nothing)
  if self.report.is_json() then
    self.report.json({ before = before, current = after })
  elseif is_nothing then
    self.report.info("nothing to do: the database is at " .. rows_text(before))
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
    say(self, rows, rows, true)
    return 0
  end
  write(self, move, is_purging)
  say(self, self.state.rows, move.rows)
  return 0
end

return stamp
