--- The module `op` that scripts see. Every function comes from a description: arguments are
-- checked, a record is made, the description renders statements, and the executor takes them.
--
-- A description has one of
--   render(args, context) -> statements   pure; the executor runs them
--   call(args, executor, origin) -> …     what is not a list of statements: queries, blocks
--   construct(args) -> value              values and parts; needs no executor

local call = require("luamig.call")
local fault = require("luamig.fault")
local nearest = require("luamig.nearest")
local operations = require("luamig.operations")
local origin = require("luamig.origin")
local shape = require("luamig.shape")
local value = require("luamig.value")

local op = {}

local DEFAULT_VERSION = 150000 -- offline, until a setting says otherwise

local current -- the executor of the running upgrade() or downgrade()
local registered = {}

---Runs a function with the operations bound to an executor.
---@param executor table
---@return any ...  what the function returns
function op.with(executor, fn, ...)
  local previous = current
  local restore <close> = setmetatable({}, { -- luacheck: no unused
    __close = function()
      current = previous
    end,
  })
  current = executor
  return fn(...)
end

---The executor at hand. Raises: operation, outside upgrade() and downgrade().
---@param name string  of the operation that needs it
function op.executor(name)
  if not current then
    local place = origin.capture(1) or {}
    fault.raise({
      kind = "operation",
      message = ("op.%s was called outside upgrade() and downgrade()"):format(name),
      origin = name,
      file = place.file,
      line = place.line,
    })
  end
  return current
end

-- A call that failed fails the revision, also when the script looks away with pcall.
local function fail(f)
  if current and current.fail then
    current:fail(f)
  end
  error(f, 0)
end

-- Faults made before anything was sent know the place of the call.
local function complete(f, description, place)
  if fault.is(f) then
    fault.complete(f, { file = place.file, line = place.line, origin = description.name })
  end
  fail(f)
end

local function guarded(description, place, fn, ...)
  local ok, result = pcall(fn, ...)
  if not ok then
    complete(result, description, place)
  end
  return result
end

local function context_of(executor)
  local context = executor.context or {}
  if context.server_version then
    return context
  end
  return setmetatable({ server_version = DEFAULT_VERSION }, { __index = context })
end

local function run(description, args, executor, place)
  local statements = guarded(description, place, description.render, args, context_of(executor))
  local result
  for _, statement in ipairs(statements) do
    statement.op = description.name
    statement.origin = place
    if statement.transactional == nil then
      statement.transactional = true
    end
    result = executor:run(statement)
  end
  return result
end

local function perform(description, args, place)
  local executor = op.executor(description.name)
  if description.record ~= false and executor.on_record then
    executor:on_record({ op = description.name, args = args, origin = place })
  end
  if description.runs_function then
    return description.call(args, executor, place) -- errors inside name their own places
  elseif description.call then
    return guarded(description, place, description.call, args, executor, place)
  end
  return run(description, args, executor, place)
end

-- Whoever leaves out an argument or gives one too many has another order of them in mind.
local function is_about_order(message)
  return message:find("argument %d+: it takes ")
    or message:find("argument %d+ %([%w_]+%): expected [^:]*, got nothing$")
    or message:find(": expected a list, found a named field$")
    or message:find(": expected options ")
end

local function check(description, given)
  local ok, result = pcall(call.check, description, given)
  if ok then
    return result
  elseif fault.is(result) and is_about_order(result.message) then
    fault.complete(result, { hint = require("luamig.description").signature(description) })
  end
  error(result, 0)
end

local function invoke(description, level, ...)
  local given = table.pack(...)
  local place = origin.capture(level + 1) or {}
  if not description.construct then
    op.executor(description.name)
  end
  if given[1] == op then
    complete(fault.new({
      kind = "operation",
      message = ("op.%s is called with a dot, not with a colon"):format(description.name),
    }), description, place)
  end
  local args = guarded(description, place, check, description, given)
  if description.construct then
    return guarded(description, place, description.construct, args)
  end
  return perform(description, args, place)
end

local function build(description)
  return function(...)
    return invoke(description, 1, ...)
  end
end

---Runs a record, as made by a call: `{ op = "drop_table", args = { name = "t" } }`.
---@param record table
function op.invoke(record)
  local place = origin.capture(1) or {}
  local is_record = type(record) == "table" and type(record.op) == "string"
  local description = is_record and operations.get(record.op)
  if not description or description.construct then
    fault.raise({
      kind = "operation",
      message = is_record and ("invoke: there is no operation '%s'"):format(record.op)
        or "invoke: argument 1: expected { op = …, args = … }, got " .. shape.found(record),
      origin = "invoke",
      file = place.file,
      line = place.line,
    })
  end
  op.executor(record.op)
  local args = guarded(description, place, call.check_named, description, record.args or {})
  return perform(description, args, record.origin or place)
end

---Makes an operation of one's own: `op.name(…)` calls the function, which calls other operations.
---@param name string
---@param fn function
function op.register(name, fn)
  local place = origin.capture(1) or {}
  local message
  if type(name) ~= "string" or not name:find("^[%a_][%w_]*$") then
    message = "register: argument 1: expected a name of letters, digits and _, got "
      .. shape.found(name)
  elseif type(fn) ~= "function" then
    message = "register: argument 2: expected a function, got " .. shape.found(fn)
  elseif operations.get(name) or rawget(op, name) or name == "context" then
    message = ("register: op.%s is an operation of luamig already"):format(name)
  end
  if message then
    fault.raise({
      kind = "operation",
      message = message,
      origin = "register",
      file = place.file,
      line = place.line,
    })
  end
  registered[name] = fn
end

---Names of everything that a script can say after `op.`, sorted.
---@return string[]
function op.names()
  local names = operations.names()
  for _, name in ipairs({ "none", "null", "context", "invoke", "register" }) do
    names[#names + 1] = name
  end
  for name in pairs(registered) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

local function unknown(name)
  local place = origin.capture(2) or {}
  local near = type(name) == "string" and nearest.of(name, op.names())
  fail(fault.new({
    kind = "script",
    message = ("there is no op.%s"):format(tostring(name)),
    hint = near and ("did you mean op.%s?"):format(near) or nil,
    file = place.file,
    line = place.line,
  }))
end

op.none = value.none
op.null = value.null

return setmetatable(op, {
  __index = function(_, name)
    if name == "context" then
      return op.executor("context").context
    elseif registered[name] then
      return registered[name]
    end
    local description = type(name) == "string" and operations.get(name)
    if not description then
      return unknown(name)
    end
    local fn = build(description)
    rawset(op, name, fn)
    return fn
  end,
  __newindex = function(_, name)
    local place = origin.capture(1) or {}
    fault.raise({
      kind = "script",
      message = ("op.%s cannot be assigned"):format(tostring(name)),
      hint = "op.register makes an operation of your own",
      file = place.file,
      line = place.line,
    })
  end,
})
