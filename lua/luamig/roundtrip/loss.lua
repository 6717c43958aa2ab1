--- One revision on trial with rows: a copy of the database is filled, the revision runs up and down
-- on it, and every column that is there before and afterwards must hold the same values, unless the
-- revision declares data_loss.

local clock = require("luamig.core.clock")
local database = require("luamig.roundtrip.database")
local fault = require("luamig.fault")
local trial = require("luamig.roundtrip.trial")
local values = require("luamig.roundtrip.values")

local loss = {}

local DATA_EXCEPTION <const>, CONSTRAINT_VIOLATION <const> = "22", "23"

local function result(rev, status, fields)
  fields.revision, fields.step, fields.status = rev.id, "data", status
  return fields
end

-- What an upgrade may rightly expect of the rows of a real database, generated ones need not keep.
local function is_of_the_rows(f)
  local class = (f.sqlstate or ""):sub(1, 2)
  return f.kind == "server" and (class == DATA_EXCEPTION or class == CONSTRAINT_VIOLATION)
end

local function not_applied(rev, f)
  if not is_of_the_rows(f) then
    return trial.failure(rev, "data", "upgrade", f)
  end
  local why = ("the upgrade does not take generated rows: %s"):format(f.message)
  return result(rev, "skipped", { message = why, warning = why, file = f.file, line = f.line }), f
end

local function not_undone(rev, f)
  if f.kind == "refused" then
    return result(rev, "skipped", { message = "irreversible" })
  end
  local failed = trial.failure(rev, "data", "downgrade", f)
  failed.message = "the downgrade fails on rows: " .. f.message
  return failed
end

local function compared(rev, losses)
  if #losses == 0 then
    return result(rev, "passed", {
      warning = rev.data_loss and "data_loss is declared, but no value was lost" or nil,
    })
  end
  local lines = {}
  for _, each in ipairs(losses) do
    local more = values.lines(each)
    table.move(more, 1, #more, #lines + 1, lines)
  end
  if rev.data_loss then
    return result(rev, "passed", { message = "lost as declared: " .. rev.data_loss,
      lines = lines })
  end
  return result(rev, "failed", {
    message = "values are not the same after the downgrade",
    lines = lines,
    hint = 'when they cannot come back, say so: data_loss = "what is lost"',
    file = rev.file,
    line = trial.line_of(rev, "downgrade"),
  })
end

local function check(step)
  local ok, f = pcall(database.check, step)
  if not ok and not fault.is(f) then
    error(f, 0)
  end
  return not ok and f or nil
end

-- Returns a result, and the fault of an upgrade that does not take the rows.
local function run(copy, id, before)
  local up = copy:up(id)
  local kept = values.keep(copy.conn, before)
  local f = copy:run({ up })
  if f then
    return not_applied(up.rev, f)
  end
  local down = copy:down(id)
  f = check(down) or copy:run({ down })
  if f then
    return not_undone(down.rev, f)
  end
  return compared(down.rev, kept:losses())
end

-- Rows of extreme values come later than plain ones, so fewer may be taken.
local fewer <const> = { 3, 1 }

local function try(reference, id, before, options, rows)
  local copy <close> = database.new({ place = reference.place, project = reference.project })
  copy:copy(reference)
  local filled = options.fill(copy.conn, before, { rows = rows, seed = options.seed })
  copy:settle_rows()
  local told, refusal = run(copy, id, before)
  return told, refusal, filled.unfilled
end

---Tries a revision with rows; with fewer, when its upgrade does not take them all.
---Raises: interrupted, connection.
---@param reference table  luamig.roundtrip.database, disconnected: the state before the revision
---@param id string
---@param before table  of luamig.snapshot: that state
---@param options { rows: integer, seed: integer, fill: function }  fill: as luamig.generate has it
---@return luamig.roundtrip.Result
---@return { identity: string, why: string }[]  tables that could not be filled
function loss.run(reference, id, before, options)
  local start = clock.now_ms()
  local told, refusal, unfilled = try(reference, id, before, options, options.rows)
  for _, rows in ipairs(fewer) do
    if refusal and rows < options.rows then
      local first = refusal
      told, refusal = try(reference, id, before, options, rows)
      if not refusal then
        told.warning = told.warning or ("tested with %d row%s of each table, for the upgrade does "
          .. "not take %d: %s"):format(rows, rows == 1 and "" or "s", options.rows, first.message)
      end
    end
  end
  told.ms = clock.now_ms() - start
  return told, unfilled
end

return loss
