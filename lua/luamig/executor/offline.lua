--- The executor that writes a script for psql instead of running anything.

local fault = require("luamig.fault")
local quote = require("luamig.quote")
local value = require("luamig.value")

local offline = {}

local Offline = {}
Offline.__index = Offline

---@class luamig.executor.OfflineOptions
---@field lines string[]     where the script goes
---@field context table
---@field settings string[]  what follows each BEGIN
---@field session string[]   the same for what runs outside a transaction
---@field resets string[]    what ends those
---@field lock_timeout string

---@param options luamig.executor.OfflineOptions
function offline.new(options)
  return setmetatable({
    kind = "offline",
    context = options.context,
    lines = options.lines,
    settings = options.settings,
    session = options.session,
    resets = options.resets,
    lock_timeout = options.lock_timeout,
    depth = 0,
  }, Offline)
end

local function put(self, text)
  self.lines[#self.lines + 1] = text
end

---A statement with its semicolon and an empty line behind it.
function Offline:statement(text)
  put(self, text .. ";\n")
end

---A statement of luamig's own, whose one row nobody wants to see: psql keeps it in variables.
function Offline:silent(text)
  put(self, text .. " \\gset luamig_\n")
end

function Offline:begin()
  if not self.is_open then
    self:statement("BEGIN")
    for _, setting in ipairs(self.settings) do
      self:statement(setting)
    end
    self.is_open = true
  end
end

---Sets for the session what a transaction sets for itself: for what runs outside of one.
function Offline:begin_session()
  if not self.has_session then
    for _, setting in ipairs(self.session) do
      self:statement(setting)
    end
    self.has_session = true
  end
end

---Takes that back at the end of the script.
function Offline:end_session()
  if self.has_session then
    for _, reset in ipairs(self.resets) do
      self:statement(reset)
    end
    self.has_session = false
  end
end

function Offline:commit()
  if self.is_open then
    self:statement("COMMIT")
    self.is_open = false
  end
  self.has_boundary = false
end

-- Text that psql would take for a variable or a command of its own is not possible in SQL, but for
-- a colon before a name, which it leaves alone inside quotes only.
local function literal(text)
  return (text == nil or text == value.null) and "NULL" or quote.string(tostring(text))
end

-- SQL with parameters keeps its text: the server fills them in.
local function with_parameters(self, statement)
  local params, values = statement.params, {}
  local count = params.n or #params
  if count == 0 then
    return self:statement(statement.sql)
  end
  for i = 1, count do
    values[i] = type(params[i]) == "boolean" and tostring(params[i]) or literal(params[i])
  end
  self:statement("PREPARE luamig_statement AS " .. statement.sql)
  self:statement(("EXECUTE luamig_statement(%s)"):format(table.concat(values, ", ")))
  self:statement("DEALLOCATE luamig_statement")
end

local function put_statement(self, statement)
  if statement.params then
    with_parameters(self, statement)
  else
    self:statement(statement.sql)
  end
end

-- Some statements wait for their lock as long as it takes.
local function put_with_lock_timeout(self, statement, set)
  if statement.lock_timeout == false then
    self:statement(set .. "lock_timeout = 0")
    put_statement(self, statement)
    self:statement(set .. "lock_timeout = " .. quote.string(self.lock_timeout))
  else
    put_statement(self, statement)
  end
end

local function settle_boundary(self, statement)
  if self.has_boundary and not statement.boundary_after then
    self:commit()
  end
  self.has_boundary = self.has_boundary or statement.boundary_after
end

function Offline:run(statement)
  settle_boundary(self, statement)
  if statement.transactional == false or self.is_autocommit then
    self:commit()
    self:begin_session()
    put_with_lock_timeout(self, statement, "SET ")
    return
  end
  self:begin()
  put_with_lock_timeout(self, statement, "SET LOCAL ")
end

---Raises: operation, always: there is no database to read from.
function Offline.query(_, statement)
  local origin = statement.origin or {}
  fault.raise({
    kind = "operation",
    message = ("line %s reads from the database, which --sql does not have"):format(
      origin.line or "?"),
    hint = "write what depends on the rows as SQL, or run the revision online",
    origin = statement.op,
    file = origin.file,
    line = origin.line,
    statement = statement.sql,
    state = "nothing was printed",
  })
end

function Offline:copy(statement, next_chunk)
  settle_boundary(self, statement)
  self:begin()
  local pieces = { statement.sql .. ";\n" }
  for chunk in next_chunk do
    pieces[#pieces + 1] = chunk
  end
  pieces[#pieces + 1] = "\\.\n"
  put(self, table.concat(pieces))
  if self.is_autocommit then
    self:commit()
  end
end

function Offline:autocommit(fn)
  self:commit()
  local before = self.is_autocommit
  self.is_autocommit = true
  fn()
  self.is_autocommit = before
end

function Offline:step(name, fn)
  self:commit()
  self:note("step " .. name)
  fn()
  self:commit()
end

function Offline:savepoint(fn)
  self:begin()
  self.depth = self.depth + 1
  local name = ("luamig_%d"):format(self.depth)
  self:statement("SAVEPOINT " .. name)
  local result = table.pack(fn())
  self:statement("RELEASE SAVEPOINT " .. name)
  self.depth = self.depth - 1
  return table.unpack(result, 1, result.n)
end

---A comment in the script.
function Offline:note(text)
  put(self, "-- " .. text:gsub("\n", "\n-- ") .. "\n")
end

require("luamig.executor.batches").extend_offline(Offline)

return offline
