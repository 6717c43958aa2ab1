--- The way through the revisions: each on trial where it stands, then all the way down, and up.
-- A revision that fails does not end the walk: the database is brought to the state behind it, and
-- the next one is tried.

local clock = require("luamig.core.clock")
local creations = require("luamig.roundtrip.creations")
local database = require("luamig.roundtrip.database")
local fault = require("luamig.fault")
local loss = require("luamig.roundtrip.loss")
local trial = require("luamig.roundtrip.trial")

local walk = {}

local Walk = {}
Walk.__index = Walk

local GROUP_SIZE <const> = 64
local WRONG_GUESSES <const> = 2 -- until none is made any more

---@class luamig.roundtrip.WalkOptions
---@field place table      luamig.roundtrip.place
---@field project table    of luamig.roundtrip.database
---@field items luamig.roundtrip.Item[]
---@field rows? { rows: integer, seed: integer, fill: function }  try each revision with rows, too
---@field tell fun(result: luamig.roundtrip.Result)
---@field on_revision fun(id: string)  all has been told of it
---@field on_unfilled fun(list: table[])  tables that could not be filled

---@param options luamig.roundtrip.WalkOptions
function walk.new(options)
  local self = setmetatable({
    place = options.place,
    project = options.project,
    items = options.items,
    rows = options.rows,
    tell = options.tell,
    on_revision = options.on_revision,
    on_unfilled = options.on_unfilled,
    applied = {}, -- ids that are applied, in their order
    failed = {},  -- ids whose upgrade fails, and those that need them
    waiting = {}, -- ids to apply untested, before the next one is tested
    group = {},   -- ids that only create, to be tried together
    wrong_guesses = 0,
  }, Walk)
  self.scratch = database.new({ place = self.place, project = self.project })
  self.creations = creations.new(self.scratch)
  return self
end

-- The state of the database; read when it is not known.
function Walk:current()
  self.value = self.value or self.scratch:snapshot()
  return self.value
end

-- Below this state there is no way down.
function Walk:set_floor(why)
  self.floor = { count = #self.applied, value = self:current(), why = why }
end

-- A copy of the database that nobody is connected to, to start from again.
function Walk:keep_reference()
  if self.reference then
    self.reference:drop()
  end
  self.reference = database.new({ place = self.place, project = self.project })
  self.scratch:disconnect()
  self.reference:clone(self.scratch)
  self.reference.roles = self.place:roles()
  self.scratch:connect()
end

local function up_moves(ids, first)
  local moves = {}
  for i = first, #ids do
    moves[#moves + 1] = { ids[i], "upgrade" }
  end
  return moves
end

local function bring_back(self)
  if self.reference then
    self.place:drop_roles_but(self.reference.roles)
    self.scratch:copy(self.reference)
  else
    self.place:drop_roles_but(self.place.first_roles)
    self.scratch:create()
  end
  local f = self.scratch:run(self.scratch:steps(up_moves(self.applied, #self.scratch.applied + 1)))
  if f then
    error(f, 0)
  end
end

-- Ways to the state behind the last revision, the quickest first.
local ways = {
  function(self)
    self.scratch:drop()
    bring_back(self)
  end,
  function(self)
    self.scratch:drop()
    if self.reference then
      self.reference:drop()
      self.reference = nil
    end
    bring_back(self)
  end,
  function(self)
    self.scratch:forget()
    self.reference = nil
    self.place:renew()
    bring_back(self)
  end,
}

---Makes the database anew, as it is behind the revisions that are applied.
---Raises: whatever the revisions raise now, although they were applied before.
function Walk:restore()
  local last
  for i, way in ipairs(ways) do
    if i < #ways or self.place:is_throwaway() then
      local ok, f = pcall(way, self)
      if ok then
        self:keep_reference()
        return
      elseif not fault.is(f) or f.kind == "interrupted" then
        error(f, 0)
      end
      last = f
    end
  end
  last.message = ("the scratch database could not be brought back to %s: %s"):format(
    self.applied[#self.applied] or "<base>", last.message)
  error(last, 0)
end

-- A revision that this one needs and whose upgrade fails.
function Walk:obstacle(id)
  if next(self.failed) then
    for _, step in ipairs(self.project.graph:upgrade({}, id)) do
      if self.failed[step.id] then
        return step.id
      end
    end
  end
  return nil
end

function Walk:pass_over(id, obstacle)
  self.failed[id] = true
  self.tell({ revision = id, step = "up", status = "skipped",
    message = ("not tested: it needs %s, which cannot be applied"):format(obstacle) })
  self.on_revision(id)
end

function Walk:advance_reference()
  if #self.reference.applied == #self.applied then
    return
  end
  local ok, f = pcall(function()
    self.reference:connect()
    local first = #self.reference.applied + 1
    return self.reference:run(self.reference:steps(up_moves(self.applied, first)))
  end)
  if ok and not f then
    self.reference:disconnect()
    self.reference.roles = self.place:roles()
  elseif ok or fault.is(f) and f.kind ~= "interrupted" then
    self:keep_reference() -- it made what belongs to the server and is there already: a role
  else
    error(f, 0)
  end
end

-- Applies those that are not tested.
function Walk:apply_waiting()
  while #self.waiting > 0 do
    local ids = self.waiting
    self.waiting = {}
    local steps = self.scratch:steps(up_moves(ids, 1))
    local before = #self.scratch.applied
    local f = self.scratch:run(steps)
    local done = #self.scratch.applied - before
    table.move(ids, 1, done, #self.applied + 1, self.applied)
    self.value = nil
    if f then
      self:cannot_apply(ids, done + 1, f)
    end
  end
end

function Walk:cannot_apply(ids, i, f)
  local rev = self.project.by_id[ids[i]]
  self.failed[rev.id] = true
  self.tell(trial.failure(rev, "up", "upgrade", f))
  self.on_revision(rev.id)
  if f.is_partial_here or not self.scratch:is_alive() then
    self:restore()
  end
  for k = i + 1, #ids do
    self:wait_for(ids[k])
  end
end

function Walk:wait_for(id)
  local obstacle = self:obstacle(id)
  if obstacle then
    self:pass_over(id, obstacle)
  else
    self.waiting[#self.waiting + 1] = id
  end
end

-- Before the trial: what a trial leaves on the server besides databases must not be in the way.
function Walk:try_rows(id)
  local result, unfilled = loss.run(self.reference, id, self:current(), self.rows)
  self.on_unfilled(unfilled)
  self.place:drop_roles_but(self.reference.roles)
  return result
end

-- What came of the rows counts when the revision comes back without them.
function Walk:tell_rows(id, result, outcome)
  if outcome.is_undone then
    self.tell(result)
  else
    self.tell({ revision = id, step = "data", status = "skipped",
      message = outcome.is_irreversible and "irreversible" or "it fails without rows" })
  end
end

-- What becomes of the walk by an outcome.
function Walk:go_on(id, outcome)
  if outcome.is_applied then
    self.applied[#self.applied + 1] = id
    self.value = outcome.value
  else
    self.failed[id] = true
  end
  if not outcome.is_clean then
    self:restore()
  end
  if outcome.is_applied and not (outcome.is_undone and outcome.is_clean) then
    self:set_floor(("%s %s"):format(id, outcome.is_irreversible and "is irreversible"
      or "does not come back"))
  end
end

---Tries one revision.
---@return boolean  whether it comes back
function Walk:try(id)
  local rows_result = self.rows and self:try_rows(id)
  local outcome = trial.run(self.scratch, id, self:current(), self.tell)
  if rows_result then
    self:tell_rows(id, rows_result, outcome)
  end
  self:go_on(id, outcome)
  if self.rows then
    self:advance_reference()
  end
  self.on_revision(id)
  return outcome.is_undone and outcome.is_clean
end

local function group_steps(self, ids)
  local moves = {}
  for _, id in ipairs(ids) do
    moves[#moves + 1] = { id, "upgrade" }
    moves[#moves + 1] = { id, "downgrade" }
    moves[#moves + 1] = { id, "upgrade" }
  end
  return self.scratch:steps(moves)
end

local function is_proved(self, steps)
  self.creations:begin()
  if self.scratch:run(steps, { each = true }) or not self.creations:is_proved() then
    return false
  end
  local rows = table.move(self.scratch.rows, 1, #self.scratch.rows, 1, {})
  table.sort(rows)
  return table.concat(rows, "\n") == table.concat(self.scratch:stored_rows(), "\n")
end

local group_words <const> = { "up", "down", "up again" }

local function tell_group(self, steps)
  for i, step in ipairs(steps) do
    self.tell({ revision = step.id, step = group_words[(i - 1) % 3 + 1], status = "passed",
      ms = step.ms })
    if i % 3 == 0 then
      self.applied[#self.applied + 1] = step.id
      self.on_revision(step.id)
    end
  end
end

-- One that nothing is proved of; when it comes back all the same, the guess was wrong.
function Walk:try_unproved(id)
  if self:try(id) then
    self.wrong_guesses = self.wrong_guesses + 1
    self.creations.is_usable = self.creations.is_usable and self.wrong_guesses < WRONG_GUESSES
  end
end

-- Those that can be applied; the others are told of.
function Walk:without_obstacle(ids)
  local out = {}
  for _, id in ipairs(ids) do
    local obstacle = self:obstacle(id)
    if obstacle then
      self:pass_over(id, obstacle)
    else
      out[#out + 1] = id
    end
  end
  return out
end

-- All at once; when that proves nothing, each half, down to the one that it is for.
function Walk:try_group(given)
  local ids = self:without_obstacle(given)
  if #ids > 0 and self.creations.is_usable then
    local steps = group_steps(self, ids)
    if is_proved(self, steps) then
      self.value = nil
      tell_group(self, steps)
      return
    end
    self:restore()
  end
  if #ids == 1 then
    self:try_unproved(ids[1])
  elseif #ids > 1 then
    local half = #ids // 2
    self:try_group(table.move(ids, 1, half, 1, {}))
    self:try_group(table.move(ids, half + 1, #ids, 1, {}))
  end
end

---Tries the group.
function Walk:flush()
  local ids = self.group
  self.group = {}
  self:try_group(ids)
end

function Walk:visit(item)
  if not item.is_tested then
    self:flush()
    self:wait_for(item.id)
    return
  end
  if #self.waiting > 0 then
    self:apply_waiting()
    self:set_floor("what is before is not tested")
    if self.rows then
      self:advance_reference()
    end
  end
  local is_plain = not self.rows and self.creations:is_plain(self.scratch:fresh(item.id))
  if not is_plain or #self.group == GROUP_SIZE then
    self:flush()
  end
  local obstacle = self:obstacle(item.id)
  if obstacle then
    self:pass_over(item.id, obstacle)
  elseif is_plain then
    self.group[#self.group + 1] = item.id
  else
    self:try(item.id)
  end
end

local function down_moves(self)
  local moves = {}
  for i = #self.applied, self.floor.count + 1, -1 do
    moves[#moves + 1] = { self.applied[i], "downgrade" }
  end
  return moves
end

-- Runs one direction of the whole way; returns whether it leads where it should.
function Walk:whole(step, moves, expected, words, message)
  self.scratch:forget_session()
  local start = clock.now_ms()
  local f = self.scratch:run(self.scratch:steps(moves))
  local ms = clock.now_ms() - start
  if f then
    self.tell({ step = step, status = "failed", ms = ms, fault = f, file = f.file, line = f.line,
      message = f.revision and ("%s: %s"):format(f.revision, f.message) or f.message })
    return false
  end
  local lines = trial.differences(expected, self.scratch:snapshot(), words)
  local bound = self.floor.why and "not all of it: " .. self.floor.why or nil
  self.tell({ step = step, status = lines and "failed" or "passed", ms = ms, lines = lines,
    message = lines and message or bound })
  return not lines
end

---All the way down, which must lead to where it began, and up, which must lead to the same end.
function Walk:whole_way()
  local moves = down_moves(self)
  if #moves == 0 then
    if self.floor.why and #self.applied > 0 then
      self.tell({ step = "all the way down", status = "skipped", message = self.floor.why })
    end
    return
  end
  if self.reference then -- roles that go on the way down must have nothing anywhere
    self.reference:drop()
    self.reference = nil
  end
  local top, ids = self:current(), table.move(self.applied, 1, #self.applied, 1, {})
  if self:whole("all the way down", moves, self.floor.value, trial.words_down,
    "the last downgrade does not lead to where the first upgrade began") then
    self:whole("all the way up", up_moves(ids, self.floor.count + 1), top, trial.words_again,
      "the second way up leads to another schema than the first")
  end
end

---Walks all the way. Raises: interrupted, connection; server and refused (no scratch database).
function Walk:run()
  self.scratch:create()
  self:set_floor(nil)
  if self.rows then
    self:keep_reference()
  end
  for _, item in ipairs(self.items) do
    self:visit(item)
  end
  self:flush()
  self:whole_way()
end

return walk
