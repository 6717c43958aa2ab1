--- One revision on trial: up; down, which must lead back; up again, which must lead to the same.

local clock = require("luamig.core.clock")
local database = require("luamig.roundtrip.database")
local diff = require("luamig.diff")
local difference = require("luamig.roundtrip.difference")
local fault = require("luamig.fault")
local show = require("luamig.diff.show")
local snapshot = require("luamig.snapshot")

local trial = {}

---What became of a step; the reports are made of these.
---@class luamig.roundtrip.Result
---@field revision string|nil  nil: of the whole way
---@field step "up"|"down"|"up again"|"data"|"all the way down"|"all the way up"
---@field status "passed"|"failed"|"skipped"|"irreversible"
---@field ms integer|nil
---@field message string|nil   what is wrong, or why it was skipped; one line
---@field lines string[]|nil   more of it
---@field missing string[]|nil what the downgrade does not do, as calls of operations
---@field warning string|nil   it passed, but the user should know
---@field fault table|nil      what the step raised
---@field direction string|nil "upgrade" or "downgrade", where the step does not tell
---@field file string|nil
---@field line integer|nil

-- Columns may come back in another order: only a new table could have them in the old one.
local LOOSELY <const> = { column_order = false }

local words_down = {
  gone = "missing after the downgrade", new = "left behind", before = "was", after = "is",
}
local words_again = {
  gone = "made by the first upgrade only", new = "made by the second upgrade only",
  before = "first", after = "then",
}

---What differs between two states; nil when nothing does.
---@param words table  of luamig.roundtrip.difference
---@return string[]|nil lines
function trial.differences(before, after, words)
  if snapshot.equal(before, after, LOOSELY) then
    return nil
  end
  return difference.lines(difference.list(before, after), words)
end

trial.words_down, trial.words_again = words_down, words_again

-- What would lead from one state to another, as lines of a script.
local function missing(project, from, to)
  local path = project.cfg.search_path
  local result = diff.between(from, to, {
    column_order = false,
    plain_schema = type(path) == "table" and path[1] or "public",
    naming = project.cfg.naming,
  })
  local lines = {}
  for line in table.concat(show.body(result, true), "\n"):gmatch("[^\n]+") do
    lines[#lines + 1] = line
  end
  return lines
end

---The line where a direction of a revision begins.
---@param rev luamig.Revision
---@param direction "upgrade"|"downgrade"
---@return integer|nil
function trial.line_of(rev, direction)
  local ok, fn = pcall(function() -- of a file that does not load, no line is known
    return rev[direction] or rev.change
  end)
  local info = ok and fn and debug.getinfo(fn, "S")
  return info and info.linedefined > 0 and info.linedefined or nil
end

---A result of a step that raised a fault.
---@return luamig.roundtrip.Result
function trial.failure(rev, step, direction, f)
  return {
    revision = rev.id,
    step = step,
    status = "failed",
    message = f.message,
    fault = f,
    direction = direction,
    file = f.file or rev.file,
    line = f.line or trial.line_of(rev, direction),
  }
end

local Trial = {}
Trial.__index = Trial

-- Runs a step, as a command of its own would, and takes the time of it.
local function timed(self, step)
  self.scratch:forget_session()
  local start = clock.now_ms()
  local f = self.scratch:run({ step })
  return f, clock.now_ms() - start
end

function Trial:passed(step, ms, more)
  local result = { revision = self.id, step = step, status = "passed", ms = ms }
  for name, v in pairs(more or {}) do
    result[name] = v
  end
  self.tell(result)
end

function Trial:failed(step, direction, f, ms)
  local result = trial.failure(self.rev, step, direction, f)
  result.ms = ms
  self.tell(result)
end

function Trial:differs(step, direction, fields)
  fields.revision, fields.step, fields.status = self.id, step, "failed"
  fields.file, fields.line = self.rev.file, trial.line_of(self.rev, direction)
  self.tell(fields)
end

function Trial:skipped(step, why)
  self.tell({ revision = self.id, step = step, status = "skipped", message = why })
end

local function is_whole(self, f)
  return not f.is_partial_here and self.scratch:is_alive()
end

local function rows_text(rows)
  return #rows > 0 and table.concat(rows, ", ") or "<base>"
end

-- The version rows are written with a check of their own; they are read all the same.
local function rows_defect(self, rows)
  local stored = self.scratch:stored_rows()
  local expected = table.move(rows, 1, #rows, 1, {})
  table.sort(expected)
  if rows_text(stored) == rows_text(expected) then
    return nil
  end
  return ("the version rows are %s, and should be %s"):format(rows_text(stored),
    rows_text(expected))
end

-- Returns what the revision leads to, or nil when it failed.
function Trial:up()
  local step = self.scratch:up(self.id)
  self.rev = step.rev
  local f, ms = timed(self, step)
  if f then
    self.is_clean = is_whole(self, f)
    self:failed("up", "upgrade", f, ms)
    self:skipped("down", "the upgrade failed")
    self:skipped("up again", "the upgrade failed")
    return nil
  end
  self.is_applied = true
  self.first = self.scratch:snapshot()
  self:passed("up", ms)
  return self.first
end

-- Told by op.irreversible() inside downgrade(), or by the header.
local function reason_of(rev, f)
  if rev.irreversible then
    return rev.irreversible
  end
  return f.origin == "irreversible" and (f.message:gsub("^.-cannot be undone: ", "")) or nil
end

function Trial:not_undone(f, ms)
  local reason = f.kind == "refused" and reason_of(self.rev, f)
  if reason then
    self.is_irreversible = true
    self.tell({ revision = self.id, step = "down", status = "irreversible", message = reason,
      file = f.file or self.rev.file, line = f.line })
    self:skipped("up again", "irreversible")
    return
  end
  self:failed("down", "downgrade", f, ms)
  self:skipped("up again", "the downgrade failed")
end

-- Goes down without touching the database when the file says that there is no way.
local function try_down(self, step)
  local ok, f = pcall(database.check, step)
  if not ok then
    if not fault.is(f) then
      error(f, 0)
    end
    return f, 0
  end
  return timed(self, step)
end

-- An empty downgrade() leaves everything: then the way back to "up" is one row.
local function undid_nothing(self, step, after)
  if not snapshot.equal(self.first, after) then
    return false
  end
  self.scratch:take_back(step)
  self.scratch.rows = self.rows_up
  self.scratch.applied[#self.scratch.applied + 1] = self.id
  return true
end

-- Returns whether it led back.
function Trial:down()
  local step = self.scratch:down(self.id)
  local f, ms = try_down(self, step)
  if f then
    self.is_clean = is_whole(self, f)
    self:not_undone(f, ms)
    return false
  end
  local after = self.scratch:snapshot()
  local message = rows_defect(self, step.rows)
  local lines = trial.differences(self.before, after, words_down)
  if not message and not lines then
    self:passed("down", ms)
    return true
  end
  if lines and undid_nothing(self, step, after) then
    self.is_clean = true
    message = "the downgrade undoes nothing of the upgrade"
  end
  self:differs("down", "downgrade", {
    message = message or "the schema after the downgrade is not the one before the upgrade",
    lines = lines,
    missing = lines and missing(self.scratch.project, after, self.before),
    ms = ms,
  })
  self:skipped("up again", "the downgrade did not lead back")
  return false
end

function Trial:again()
  local step = self.scratch:up(self.id)
  local f, ms = timed(self, step)
  if f then
    self:failed("up again", "upgrade", f, ms)
    return false
  end
  local lines = trial.differences(self.first, self.scratch:snapshot(), words_again)
  local message = rows_defect(self, step.rows)
    or lines and "the second upgrade leads to another schema than the first"
  if message then
    self:differs("up again", "upgrade", { message = message, lines = lines, ms = ms })
    return false
  end
  self:passed("up again", ms)
  return true
end

---@class luamig.roundtrip.Outcome
---@field is_applied boolean       the upgrade succeeded
---@field is_undone boolean        the downgrade led back
---@field is_irreversible boolean
---@field is_clean boolean         the database is as the upgrade leaves it; when that failed, as it
---  was before
---@field value table|nil          of luamig.snapshot: what the upgrade leads to

---Runs a revision up, down and up again. Raises: interrupted, connection (of the snapshots).
---@param scratch table  luamig.roundtrip.database, where the revision is the next
---@param id string
---@param before table    of luamig.snapshot: that state
---@param tell fun(result: luamig.roundtrip.Result)
---@return luamig.roundtrip.Outcome
function trial.run(scratch, id, before, tell)
  local self = setmetatable({
    scratch = scratch, id = id, before = before, tell = tell,
    is_applied = false, is_clean = false, is_irreversible = false, is_undone = false,
  }, Trial)
  if self:up() then
    self.rows_up = scratch.rows
    if self:down() then
      self.is_undone = true
      self.is_clean = self:again()
    end
  end
  return {
    is_applied = self.is_applied,
    is_undone = self.is_undone,
    is_irreversible = self.is_irreversible,
    is_clean = self.is_clean,
    value = self.first,
  }
end

return trial
