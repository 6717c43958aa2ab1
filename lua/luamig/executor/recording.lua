--- The executor that keeps what it gets: for tests, for `change()`, for reading a plan.

local fault = require("luamig.fault")

local Recording = {}
Recording.__index = Recording

local recording = {}

---@param context? table  what scripts see as op.context
function recording.new(context)
  return setmetatable({
    kind = "recording",
    context = context or { server_version = 150000 },
    statements = {},
    records = {},
    notes = {},
  }, Recording)
end

function Recording:on_record(record)
  self.records[#self.records + 1] = record
end

function Recording:run(statement)
  self.statements[#self.statements + 1] = statement
end

function Recording.query(_, statement)
  local origin = statement.origin or {}
  fault.raise({
    kind = "operation",
    message = ("line %s reads from the database, which is not there while operations are recorded")
      :format(origin.line or "?"),
    origin = statement.op,
    file = origin.file,
    line = origin.line,
    statement = statement.sql,
    is_read = true,
  })
end

function Recording.begin() end

function Recording.commit() end

function Recording.rollback() end

function Recording:note(text)
  self.notes[#self.notes + 1] = text
end

function Recording.savepoint(_, fn)
  return fn()
end

function Recording.autocommit(_, fn)
  return fn()
end

function Recording.step(_, _, fn)
  return fn()
end

---The text of every statement.
---@return string[]
function Recording:sql()
  local texts = {}
  for i, statement in ipairs(self.statements) do
    texts[i] = statement.sql
  end
  return texts
end

return recording
