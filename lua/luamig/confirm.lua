--- What asks before it is done: anything in a protected environment, and a downgrade that drops
-- tables or columns with rows in them.

local change = require("luamig.change")
local fault = require("luamig.fault")
local op = require("luamig.op")
local quote = require("luamig.quote")
local recording = require("luamig.executor.recording")
local revision = require("luamig.revision")

local confirm = {}

local function refuse(why, command)
  fault.raise({
    kind = "refused",
    message = why,
    hint = "there is nobody to ask: a terminal is needed, or --yes",
    state = "nothing changed",
    try = command .. " --yes",
  })
end

---Asks for the name of the database; returns when it was typed, or with --yes.
---Raises: refused.
---@param ctx table
---@param why string      what will happen, one sentence
---@param database string
---@param command string  for the line `try`
function confirm.ask(ctx, why, database, command)
  if ctx.options.yes then
    return
  end
  local answer = ctx.report.ask(("%s\nType the name of the database (%s) to go on: "):format(why,
    database))
  if answer == nil then
    refuse(why, command)
  elseif answer ~= database then
    fault.raise({ kind = "refused", message = "not confirmed", state = "nothing changed",
      try = command })
  end
end

local function recorded(rev, context)
  if rev.change then
    return change.inverse(rev, context)
  end
  local executor = recording.new(context)
  op.with(executor, revision.call, rev, "downgrade")
  return executor.records
end

-- The operations of a downgrade, or nil when they cannot be known without running it.
-- Raises what is wrong with the script.
local function records_of(rev, context)
  local ok, records = pcall(recorded, rev, context)
  if ok then
    return records
  elseif fault.is(records) and records.is_read then
    return nil
  end
  if fault.is(records) then
    fault.complete(records, { state = "nothing changed" })
  end
  error(records, 0)
end

local function column_name(column)
  return type(column) == "table" and column.name or column
end

local probes = {
  drop_table = function(args)
    return ("table %s"):format(args.name), "SELECT EXISTS (SELECT FROM %s) AS has_rows",
      args.name
  end,
  drop_column = function(args)
    local name = column_name(args.column)
    return ("column %s.%s"):format(args.table, name),
      "SELECT EXISTS (SELECT FROM %s WHERE " .. quote.ident(name):gsub("%%", "%%%%")
        .. " IS NOT NULL) AS has_rows", args.table
  end,
}

local ABSENT <const> = { ["42P01"] = true, ["42703"] = true, ["3F000"] = true }

-- Whether there is anything to lose; a table that is not there yet has nothing.
local function has_rows(conn, settings, sql)
  local txn = require("luamig.core.txn")
  local ok, rows = pcall(function()
    txn.begin(conn, settings)
    return conn:exec(sql)
  end)
  txn.rollback(conn)
  if ok then
    return rows[1].has_rows
  elseif fault.is(rows) and ABSENT[rows.sqlstate or ""] then
    return false
  end
  error(rows, 0) -- a question without an answer is no permission
end

---What a downgrade would lose: tables and columns that hold values now, or scripts that cannot be
---looked into.
---@param migration table
---@param steps luamig.Step[]
---@param settings table  of transactions
---@return string[]
function confirm.losses(migration, steps, settings)
  local losses = {}
  local context = { server_version = migration.conn:info().server_version,
    naming = migration.cfg.naming, x = migration.x, direction = "downgrade" }
  for _, step in ipairs(steps) do
    local records = records_of(step.rev, context)
    if not records then
      losses[#losses + 1] = ("whatever %s drops (it reads from the database, so luamig cannot "
        .. "tell)"):format(step.rev.file)
    end
    for _, record in ipairs(records or {}) do
      local probe = probes[record.op]
      if probe then
        local what, sql, name = probe(record.args)
        if has_rows(migration.conn, settings, sql:format(quote.name(name))) then
          losses[#losses + 1] = what
        end
      end
    end
  end
  return losses
end

return confirm
