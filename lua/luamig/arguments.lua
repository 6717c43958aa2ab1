--- Reads the command line with argparse: global options stand before or after the command.

local fault = require("luamig.fault")
local commands = require("luamig.commands")

local arguments = {}

-- Global options that take a value, as they may be written.
local takes_value = {
  ["-c"] = true, ["--config"] = true, ["--env"] = true, ["--url"] = true, ["-x"] = true,
  ["--color"] = true, ["--wait"] = true, ["--lock-wait"] = true,
}

-- argparse takes "-1" for an option; as a target it is a word. The mark is taken off again.
local MARK <const> = "\1"

local function marked(words)
  local out = {}
  for i, word in ipairs(words) do
    out[i] = word:find("^%-%d") and MARK .. word or word
  end
  return out
end

local function unmarked(value)
  if type(value) == "string" then
    return (value:gsub("^" .. MARK, ""))
  elseif type(value) == "table" then
    for key, item in pairs(value) do
      value[key] = unmarked(item)
    end
  end
  return value
end

local function is_value_option(word)
  if word:sub(1, 2) == "--" then
    return takes_value[word] -- "--env=x" holds its own value
  end
  -- A cluster such as -vc FILE takes the next word when its last letter needs one.
  for i = 2, #word do
    if takes_value["-" .. word:sub(i, i)] then
      return i == #word
    end
  end
  return false
end

---The word that names the command, or nil.
---@param words string[]
---@return string|nil word, integer|nil index
function arguments.command_word(words)
  local i = 1
  while words[i] do
    local word = words[i]
    if word:sub(1, 1) ~= "-" or word == "-" then
      return word, i
    end
    i = i + (is_value_option(word) and 2 or 1)
  end
  return nil
end

local function pair_of(text)
  local key, value = text:match("^([^=]*)=?(.*)$")
  if key == "" then
    return nil, ("'%s' has no name before its value; write -x key=value"):format(text)
  end
  return { key = key, value = value }
end

local function store_pair(result, _, pair)
  result.x = result.x or {}
  result.x[pair.key] = pair.value
end

local function duration(text)
  local ms = require("luamig.config").milliseconds(text)
  if not ms then
    return nil, ("'%s' is no duration; write 30s, 5min or 1h"):format(text)
  end
  return ms
end

local function add_globals(parser)
  parser:group("Global options",
    parser:option("-c --config", "project file (default: ./luamig.lua, ./migrations/luamig.lua)")
      :argname("FILE"),
    parser:option("--env", "environment of the project file"):argname("NAME"),
    parser:option("--url", "database to work on"):argname("URL"),
    parser:option("-x", "value for scripts: op.context.x.KEY"):argname("KEY=VALUE"):count("*")
      :convert(pair_of):action(store_pair):init(nil),
    parser:flag("--sql", "print the SQL instead of running it"),
    parser:flag("--dry-run", "run it all, then roll it back"),
    parser:flag("--json", "results and errors as JSON"),
    parser:flag("-q --quiet", "no progress lines"),
    parser:flag("-v --verbose", "more detail; twice for every statement"):count("0-2")
      :target("verbose"),
    parser:option("--color", "auto, always or never"):argname("WHEN")
      :choices({ "auto", "always", "never" }),
    parser:flag("-y --yes", "answer yes to every question"),
    parser:option("--wait", "wait for the database to come up"):argname("DURATION")
      :convert(duration),
    parser:option("--lock-wait", "wait for another luamig to finish"):argname("DURATION")
      :convert(duration),
    parser:flag("--ephemeral", "work on a throwaway PostgreSQL"),
    parser:flag("--version", "print the version"),
    parser:flag("-h --help", "print help"))
end

-- An option that was not written to its end: argparse looks for slips of the pen only.
local function longer_option(parser, message)
  local word = message:match("^unknown option '(%-%-[^']+)'")
  while word and parser do
    for _, option in ipairs(parser._options) do
      for _, alias in ipairs(option._aliases) do
        if alias:sub(1, #word) == word then
          return ("did you mean '%s'?"):format(alias)
        end
      end
    end
    parser = parser._parent
  end
  return nil
end

-- argparse names an argument by its field; people know it by the name that the help gives it.
local function as_in_help(parser, message)
  local name = message:match("argument '([^']+)'")
  for _, argument in ipairs(parser._arguments) do
    if argument._name == name and argument._argname then
      return (message:gsub("argument '[^']+'", "argument " .. argument._argname, 1))
    end
  end
  return message
end

local function on_error(parser, message)
  local what, tip = message:match("^(.-)\n(Did you mean.*)$")
  if message:find("^unknown option '%-.'") then
    tip = nil -- one letter is near to every other one
  end
  local name = parser:_get_fullname(true)
  fault.raise({
    kind = "usage",
    message = as_in_help(parser, what or message):gsub("'" .. MARK, "'"),
    hint = longer_option(parser, message) or tip and tip:gsub("^D", "d") or nil,
    try = ("luamig %s--help"):format(name ~= "" and name .. " " or ""),
  })
end

local function new_parser()
  local parser = require("argparse")("luamig"):add_help(false)
  parser:help_description_margin(32):help_max_width(100):usage_max_width(90)
  parser:require_command(false)
  parser.error = on_error
  add_globals(parser)
  return parser
end

local function add_command(parser, entry, module)
  local names = entry.name
  if entry.aliases then
    names = names .. " " .. table.concat(entry.aliases, " ")
  end
  local command = parser:command(names, module.summary or entry.summary):summary(entry.summary)
  command:hidden(entry.hidden or false)
  command:add_help(false)
  command:target("is_command") -- by its name it would pass for an option: `help` for --help
  if module.setup then
    module.setup(command)
  end
  return command
end

---A parser with every command of this build, for help and completion.
function arguments.full_parser()
  local parser = new_parser()
  for _, entry in ipairs(commands.list) do
    local module = commands.module(entry.name)
    if module and not entry.hidden then
      add_command(parser, entry, module)
    end
  end
  return parser
end

local function unknown_command_raise(word)
  local near = require("luamig.nearest").of(word, commands.names())
  fault.raise({
    kind = "usage",
    message = ("there is no command '%s'"):format(word),
    hint = near and ("did you mean '%s'?"):format(near) or nil,
    try = near and "luamig " .. near .. " --help" or "luamig help",
  })
end

local function module_of(entry)
  return commands.module(entry.name) or fault.raise({
    kind = "usage",
    message = ("the command '%s' is not built in yet"):format(entry.name),
  })
end

-- argparse gives every spelling of an option a line; luamig's are short enough for one.
local function option_label(option)
  local words = { table.concat(option._public_aliases, ", "),
    table.unpack(option:_get_argument_list()) }
  return { table.concat(words, " ") }
end

local function argument_label(argument)
  return { argument._argname or argument._name }
end

local function help_text(parser)
  for _, option in ipairs(parser._options) do
    option._get_label_lines = option_label
  end
  for _, argument in ipairs(parser._arguments) do
    argument._get_label_lines = argument_label
  end
  return parser:get_help()
end

---The parser of one command, global options included: what completion looks at.
---@return table|nil parser, table|nil command, luamig.CommandName|nil entry
function arguments.command_parser(word)
  local entry = commands.find(word)
  local module = entry and commands.module(entry.name)
  if not module then
    return nil
  end
  local parser = new_parser()
  return parser, add_command(parser, entry, module), entry
end

---The help text of one command.
---@return string
function arguments.command_help(word)
  local entry = commands.find(word)
  if not entry then
    unknown_command_raise(word)
  end
  local text = help_text(add_command(new_parser(), entry, module_of(entry)))
  return text .. "\n\nGlobal options: luamig help"
end

---The help text of the global options.
function arguments.global_help()
  local text = help_text(new_parser())
  return text:match("(Global options:.*)$") or text
end

local per_command = { sql = "--sql", dry_run = "--dry-run", ephemeral = "--ephemeral" }

local function check_accepted(entry, module, options)
  if options.sql and options.dry_run then
    fault.raise({ kind = "usage", message = "'--sql' prints and '--dry-run' runs: one of them",
      try = ("luamig %s --help"):format(entry.name) })
  end
  for name, written in pairs(per_command) do
    if options[name] and not (module.accepts and module.accepts[name]) then
      fault.raise({
        kind = "usage",
        message = ("'%s' has no meaning for 'luamig %s'"):format(written, entry.name),
        try = ("luamig %s --help"):format(entry.name),
      })
    end
  end
end

local function contains(words, word)
  for _, each in ipairs(words) do
    if each == word then
      return true
    end
  end
  return false
end

-- Of a command with `passes_on`, what stands behind that word belongs to another program: options
-- too, unless it has none by that name and luamig has. A `--` of the user's own parts them as well.
local function passed_on(words, module, index)
  local _, at = arguments.command_word({ table.unpack(words, index + 1) })
  at = at and index + at
  if not at or words[at] ~= module.passes_on.word or contains(words, "--") then
    return words
  end
  local own, other, i = { table.unpack(words, 1, at) }, { "--" }, at + 1
  while words[i] do
    local is_own = module.passes_on.own[words[i]:match("^%-%-[%w-]+") or ""]
    local list = is_own and own or other
    local count = is_own and takes_value[words[i]] and 2 or 1
    table.move(words, i, i + count - 1, #list + 1, list)
    i = i + count
  end
  return table.move(other, 1, #other, #own + 1, own)
end

---@class luamig.Call
---@field entry? luamig.CommandName
---@field module? table
---@field options table

---Reads the words of a command line. Raises: usage.
---@param words string[]
---@return luamig.Call
function arguments.parse(words)
  local word, index = arguments.command_word(words)
  local parser = new_parser()
  local entry, module
  if word then
    entry = commands.find(word)
    if not entry then
      unknown_command_raise(word)
    end
    module = module_of(entry)
    add_command(parser, entry, module)
    words = module.passes_on and passed_on(words, module, index) or words
  end
  for _, given in ipairs(words) do
    if given == "-h" or given == "--help" then -- whatever else is there or missing
      return { entry = entry, module = module, options = { help = true } }
    elseif given == "--" then
      break
    end
  end
  local options = unmarked(parser:parse(marked(words)))
  options.x = options.x or {}
  options.verbose = options.verbose or 0
  if module then
    check_accepted(entry, module, options)
  end
  return { entry = entry, module = module, options = options }
end

return arguments
