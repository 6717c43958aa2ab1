--- A project and a database together: what upgrade, downgrade and stamp need before they begin.
-- The connection, the version rows, the runner lock, and everything that should stop or warn.

local about = require("luamig.core.about")
local config = require("luamig.config")
local database = require("luamig.database")
local fault = require("luamig.fault")
local revision = require("luamig.revision")
local state = require("luamig.state")

local migration = {}

local Migration = {}
Migration.__index = Migration

---Opens the database of a command and reads its state. Raises: connection, lock, graph, …
---@param ctx table  luamig.session
---@param command string  as the user typed it, for the line `try`
---@param options? { lock?: boolean }  lock = true: become the one runner
function migration.open(ctx, command, options)
  local is_locking = options and options.lock
  local graph, by_id = ctx:graph() -- defects of the files come before those of the connection
  local cfg = ctx:config()
  local self = setmetatable({
    ctx = ctx,
    cfg = cfg,
    report = ctx.report,
    x = ctx.options.x or {},
    command = command,
    hostname = about.hostname,
    luamig = about.luamig,
    graph = graph,
    by_id = by_id,
  }, Migration)
  self.conn = ctx:connect()
  local names = { "applied", "journal_open" }
  if is_locking then
    names[3] = "lock"
  end
  self.state = state.read(self.conn, cfg, names)
  if is_locking then
    self:check_writable()
    self:take_lock()
  end
  return self
end

function Migration:check_writable()
  if self.state.session.standby then
    fault.raise({
      kind = "connection",
      message = "the server is a read-only standby",
      detail = ("%s:%s is in recovery"):format(self.conn:info().host, self.conn:info().port),
      state = "nothing changed",
      try = "connect to the primary; with several hosts: ?target_session_attrs=read-write",
    })
  end
end

function Migration:take_lock()
  if self.state.is_pooled then
    self.report.warn("the connection goes through a pooler: no lock keeps a second luamig out, for "
      .. "that needs one session (pool_mode = session, or a direct connection); the version rows "
      .. "are still checked in every transaction")
  end
  local wait_ms = self.ctx.options.lock_wait or config.milliseconds(self.cfg.lock_wait)
  self.state:lock(wait_ms, function(holder)
    self.report.info("waiting for another luamig: " .. holder)
  end)
end

---A new connection to the same database, after the first one was lost.
function Migration:reconnect()
  local conn = database.connect(self.ctx)
  if self.cfg.role and not self.state.is_pooled then
    conn:exec("SELECT pg_catalog.set_config('role', $1, false)", { self.cfg.role })
  end
  return conn
end

local function unknown_detail(self, id)
  local record = self.state:last_record(id)
  if not record then
    return "the version table has it, the history does not know it"
  end
  return ("%s at %s by %s"):format(record.direction == "upgrade" and "applied" or record.direction,
    record.finished, record.role)
end

---What can be done about a row that no file has.
---@param id string
---@return string hint, string try
function Migration:way_out(id)
  if self.state:last_record(id) then
    return "another branch of the project was deployed here, or a file was removed; its stored "
      .. "text can undo it", "luamig downgrade -1, or bring the file back"
  end
  local head = #self.graph:ids() > 0 and " --head base" or ""
  return "if it is Alembic's, a file with this id takes its place; what it did stays as it is",
    ("bring the file back, or: luamig new 'as it is' --rev-id %s%s"):format(id, head)
end

---Stops when the database is at a revision that no file has.
function Migration:check_rows()
  local unknown = self.graph:unknown(self.state.rows)
  if #unknown == 0 then
    return
  end
  local details = {}
  for i, id in ipairs(unknown) do
    details[i] = ("%s: %s"):format(id, unknown_detail(self, id))
  end
  local hint, try = self:way_out(unknown[1])
  fault.raise({
    kind = "graph",
    message = ("Can't locate revision identified by '%s'"):format(table.concat(unknown, "', '")),
    detail = "the database is at a revision that these files do not have\n"
      .. table.concat(details, "\n"),
    hint = hint,
    state = "nothing changed",
    try = try,
  })
end

local function stored_revision(self, id)
  local stored = self.state:script(id)
  if not stored then
    self:check_rows()
  end
  return revision.parse(stored.script, ("<stored %s>"):format(id), self.cfg)
end

---Makes revisions of the stored texts of rows that no file has, so that they can be undone.
---Raises: graph, when a text is not stored.
function Migration:adopt_stored()
  local unknown = self.graph:unknown(self.state.rows)
  if #unknown == 0 then
    return
  end
  local list = revision.scan(self.cfg)
  local known = {}
  for _, rev in ipairs(list) do
    known[rev.id] = true
  end
  while #unknown > 0 do
    local id = table.remove(unknown)
    if not known[id] then
      local rev = stored_revision(self, id)
      known[id] = true
      list[#list + 1] = rev
      table.move(rev.down, 1, #rev.down, #unknown + 1, unknown)
      self.report.warn(("revision %s has no file; its stored text is used"):format(id))
    end
  end
  self.graph, self.by_id = require("luamig.core.graph").new(list), {}
  for _, rev in ipairs(list) do
    self.by_id[rev.id] = rev
  end
end

---Revisions whose file is not what was applied, in order.
---@return luamig.Revision[]
function Migration:edited()
  local out = {}
  for _, id in ipairs(self.graph:applied(self.state.rows)) do
    local rev, record = self.by_id[id], self.state.applied[id]
    if rev and record and record.direction == "upgrade" and record.sha256
      and record.sha256 ~= rev.sha256 then
      out[#out + 1] = rev
    end
  end
  return out
end

local function nearest_entries(self, id, follow, is_applied)
  local waiting, seen, found = { id }, {}, {}
  while #waiting > 0 do
    for _, other in ipairs(follow(table.remove(waiting))) do
      if is_applied[other] and not seen[other] then
        seen[other] = true
        if self.state.applied[other] then
          found[#found + 1] = self.state.applied[other]
        else
          waiting[#waiting + 1] = other
        end
      end
    end
  end
  return found
end

local function any_upgrade(entries)
  for _, entry in ipairs(entries) do
    if entry.direction == "upgrade" then
      return true
    end
  end
  return false
end

---Revisions that count as applied because one above them is, and that were never run: files that
---slipped in below. What was stamped, or adopted from Alembic, is none of them.
---@return luamig.Revision[]
function Migration:slipped()
  local ids = self.graph:applied(self.state.rows)
  local is_applied, out = {}, {}
  for _, id in ipairs(ids) do
    is_applied[id] = true
  end
  for _, id in ipairs(ids) do
    if not self.state.applied[id] then
      local above = nearest_entries(self, id, function(other)
        return self.graph:children(other)
      end, is_applied)
      local below = nearest_entries(self, id, function(other)
        return self.by_id[other].down
      end, is_applied)
      if any_upgrade(above) and any_upgrade(below) then
        out[#out + 1] = self.by_id[id]
      end
    end
  end
  return out
end

---Tells of files edited after they were applied, and of files that were never run.
function Migration:warn()
  for _, rev in ipairs(self:edited()) do
    self.report.warn(("%s was edited after it was applied; luamig check shows the difference")
      :format(rev.file))
  end
  for _, rev in ipairs(self:slipped()) do
    self.report.warn(("%s counts as applied, for a later revision is, but was never run; "
      .. "luamig rebase %s --onto HEAD puts it in line"):format(rev.file, rev.id))
  end
end

-- The command that goes on with a revision that is half done.
local function resuming(self, open)
  local rev = self.by_id[open.revision]
  if not rev then
    return ("bring the file of %s back and run luamig status"):format(open.revision)
  elseif open.direction == "upgrade" then
    return "luamig upgrade " .. open.revision
  end
  return "luamig downgrade " .. (rev.down[1] or "base")
end

-- And the one that takes it for never begun, once its work is undone by hand.
local function forgetting(self)
  local rows = #self.state.rows > 0 and table.concat(self.state.rows, " ") or "base"
  return "luamig stamp --purge " .. rows
end

---What can be done about a revision that is half done.
---@return string giving_up, string try
function Migration:ways_on(open)
  return ("undo by hand what it committed (luamig status -v shows its text), then: %s"):format(
    forgetting(self)), resuming(self, open)
end

---Stops when a revision is half done and the steps do not begin with finishing it.
---@param steps luamig.Step[]
---@param direction string
function Migration:check_unfinished(steps, direction)
  local planned = {}
  for _, step in ipairs(steps) do
    planned[step.id] = true
  end
  for _, open in ipairs(self.state.unfinished) do
    if open.direction ~= direction or not planned[open.revision] then
      local verb = open.direction == "upgrade" and "applied" or "undone"
      local giving_up, try = self:ways_on(open)
      fault.raise({
        kind = "partial",
        message = ("revision %s is partly %s: it has to be finished first"):format(open.revision,
          verb),
        hint = "to give it up, " .. giving_up,
        state = "nothing changed",
        try = try,
      })
    end
  end
end

---The plan of the graph as steps.
---@return luamig.Step[]
function Migration:steps(direction, target)
  local plan = self.graph[direction](self.graph, self.state.rows, target)
  local steps = {}
  for i, item in ipairs(plan) do
    steps[i] = {
      id = item.id,
      rev = self.by_id[item.id],
      direction = direction,
      remove = item.remove,
      add = item.add,
      rows = item.rows,
    }
  end
  return steps
end

return migration
