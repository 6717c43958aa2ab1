--- The command line: finds the command, runs it, turns a fault into a message and an exit status.

local fault = require("luamig.fault")
local report = require("luamig.report")

local cli = {}

local welcome = [[
luamig applies migrations written in Lua to PostgreSQL.

  luamig new TEXT        write a revision
  luamig upgrade         apply what is pending
  luamig downgrade -1    undo the last revision
  luamig status          where the database stands
  luamig help            everything else
]]

local function print_welcome()
  report.raw(welcome)
  local config = require("luamig.config")
  local ok, _, file = pcall(config.find)
  report.out("")
  if ok then
    report.out(("Project: %s"):format(file))
  else
    report.out("There is no luamig.lua here; start with: luamig init")
  end
  return 0
end

local function run_command(call)
  report.rehearse(call.module.rehearses and "once" or nil)
  local ctx <close> = require("luamig.session").new(call.options, report)
  return call.module.run(ctx) or 0
end

local given = {} -- options of the command line, once it is parsed

local function dispatch(words)
  if #words == 0 then
    return print_welcome()
  end
  local call = require("luamig.arguments").parse(words)
  local options = call.options
  given = options
  report.setup(options)
  if options.help then
    report.out(call.entry and require("luamig.arguments").command_help(call.entry.name)
      or require("luamig.help").overview())
    return 0
  elseif options.version or not call.entry then
    local name = options.version and "version" or "help"
    call = { module = require("luamig.commands." .. name), options = options }
  end
  return run_command(call)
end

-- Before the words are parsed (or when they cannot be), errors already follow --json and --color.
local function presentation(words)
  local options = {}
  for i, word in ipairs(words) do
    if word == "--json" then
      options.json = true
    elseif word == "--color" then
      options.color = words[i + 1]
    elseif word:find("^%-%-color=") then
      options.color = word:match("=(.*)$")
    end
  end
  return options
end

---Runs one command line. Everything that can go wrong is printed here, once.
---@param words string[]
---@return integer  exit status
function cli.main(words)
  report.setup(presentation(words))
  local ok, result = xpcall(dispatch, function(value)
    return fault.is(value) and value or debug.traceback(tostring(value), 2)
  end, words)
  if ok then
    ok, result = report.finish(), result
    return ok and result or 1
  elseif fault.is(result) then
    local again, commands = require("luamig.command_line").again, require("luamig.commands")
    for _, field in ipairs({ "hint", "try" }) do
      result[field] = result[field] and again(given, result[field], commands.find)
    end
    report.fault(result)
    return fault.exit_status(result)
  elseif tostring(result):find("^not enough memory") then
    report.fault(fault.new({ kind = "memory", message = "not enough memory" }))
    return 1
  end
  report.defect(result)
  return 1
end

return cli
