--- Runs the hooks of the project file and says which one failed, and on which of its lines.

local fault = require("luamig.fault")

local hooks = {}

local LEVELS_AT_MOST <const> = 200 -- an overflown stack is not looked at as a whole

-- The innermost line of the project file on the stack of an error.
local function line_in(file)
  local source = "@" .. file
  for level = 2, LEVELS_AT_MOST do
    local info = debug.getinfo(level, "Sl")
    if not info then
      return nil
    elseif info.source == source and info.currentline > 0 then
      return info.currentline
    end
  end
  return nil
end

local function explain(config, name, value)
  if fault.is(value) then
    return fault.complete(value, { origin = "hooks." .. name })
  end
  local line = line_in(config.file)
  local message = type(value) == "string" and value or tostring(value)
  if line then -- Lua puts the place in front; it is shown on a line of its own
    local start = ":" .. line .. ": "
    local at = message:find(start, 1, true)
    message = at and message:sub(at + #start) or message
  end
  return fault.new({
    kind = "script",
    message = ("the hook %s failed: %s"):format(name, message),
    file = config.file,
    line = line,
    hook = name,
  })
end

-- `return os.execute("stylua " .. path)` gives nil, "exit", 1 when the program fails.
local function program_failure(config, name, results)
  local ok, how, code = results[2], results[3], results[4]
  if not ok and (how == "exit" or how == "signal") then
    fault.raise({
      kind = "script",
      message = ("the hook %s failed: its program ended with %s %s"):format(name,
        how == "exit" and "exit status" or "signal", tostring(code)),
      file = config.file,
      hook = name,
    })
  end
end

---Runs a hook, if the project has it. A hook fails by an error, or by returning what os.execute
---returns of a program that failed. Raises: script.
---@param config luamig.Config
---@param name string  "after_write", "before_upgrade" …
---@param ... any       what the hook is given
function hooks.run(config, name, ...)
  local hook = config.hooks[name]
  if not hook then
    return
  end
  local results = table.pack(xpcall(hook, function(value)
    return explain(config, name, value)
  end, ...))
  if not results[1] then
    error(results[2], 0)
  end
  if results.n > 2 then
    program_failure(config, name, results)
  end
end

---@return boolean
function hooks.has(config, name)
  return config.hooks[name] ~= nil
end

---Runs on_error for an error that is on its way to the user. What goes wrong in the hook itself is
---told along with it and never in its place.
---@param config luamig.Config
---@param f table  the fault
---@param info table  revision, direction, environment …
function hooks.on_error(config, f, info)
  local ok, second = pcall(hooks.run, config, "on_error", f, info)
  if not ok then
    local text = "then " .. tostring(second)
    f.context = f.context and f.context .. "\n" .. text or text
  end
end

return hooks
