--- Texts of `luamig help`: the overview, and what is found for a word.

local commands = require("luamig.commands")
local fault = require("luamig.fault")

local help = {}

local function padded(rows)
  local width = 0
  for _, row in ipairs(rows) do
    width = math.max(width, #row[1])
  end
  local lines = {}
  for i, row in ipairs(rows) do
    lines[i] = ("  %-" .. width .. "s  %s"):format(row[1], row[2])
  end
  return lines
end

-- Rows of all groups get one width, so that the summaries stand in one column.
local function command_lines()
  local rows, places = {}, {}
  for _, group in ipairs(commands.groups) do
    for _, command in ipairs(commands.list) do
      if command.group == group.name and not command.hidden and commands.has(command.name) then
        local names = { command.name, table.unpack(command.aliases or {}) }
        rows[#rows + 1] = { table.concat(names, ", "), command.summary }
        places[#rows] = group.title
      end
    end
  end
  local lines, title = {}, nil
  for i, line in ipairs(padded(rows)) do
    if places[i] ~= title then
      title = places[i]
      lines[#lines + 1] = ""
      lines[#lines + 1] = title
    end
    lines[#lines + 1] = line
  end
  return lines
end

local function topic_lines()
  local rows = {}
  for i, topic in ipairs(require("luamig.topics").list()) do
    rows[i] = { topic.name, topic.summary }
  end
  rows[#rows + 1] = { "op, op.NAME", "all operations of scripts; one of them" }
  return { "", "Topics (luamig help TOPIC)", table.unpack(padded(rows)) }
end

---@return string
function help.overview()
  local lines = {
    "luamig applies migrations written in Lua to PostgreSQL.",
    "",
    "Usage: luamig [OPTION]… COMMAND …",
  }
  local body = command_lines()
  table.move(body, 1, #body, #lines + 1, lines)
  local topics = topic_lines()
  table.move(topics, 1, #topics, #lines + 1, lines)
  lines[#lines + 1] = ""
  lines[#lines + 1] = require("luamig.arguments").global_help()
  return table.concat(lines, "\n")
end

local function operations_text()
  return require("luamig.op_help").list()
end

-- Raises: usage, when there is no such operation.
local function operation_text(word)
  return word:find("^op%.") and require("luamig.op_help").text(word) or nil
end

---Every word that `luamig help` answers to, without the names of operations.
---@return string[]
function help.words()
  local words = commands.names()
  for _, name in ipairs(require("luamig.topics").names()) do
    words[#words + 1] = name
  end
  words[#words + 1] = "op"
  return words
end

local function command_text(word)
  local command = commands.find(word)
  if not command or command.hidden or not commands.has(command.name) then
    return nil
  end
  return require("luamig.arguments").command_help(command.name)
end

local function unknown(word)
  local nearest = require("luamig.nearest")
  local near = word:find("^%a+%d+$")
    and nearest.of(word:upper(), require("luamig.lint.registry").ids())
    or nearest.of(word, help.words())
  if not near and require("luamig.operations").get(word) then
    near = "op." .. word
  end
  fault.raise({
    kind = "usage",
    message = ("there is no help on '%s'"):format(word),
    hint = near and ("did you mean '%s'?"):format(near) or nil,
    try = near and "luamig help " .. near
      or word:find("^%a+%d+$") and "luamig help rules" or "luamig help",
  })
end

local function rule_text(word)
  return word:find("^%a+%d+$") and require("luamig.lint.help").rule(word) or nil
end

---The text on a command, a topic, "op", "op.NAME" or a rule of lint.
---Raises: usage (nothing is known of it).
---@param word string
---@return string
function help.text(word)
  if word == "op" then
    return operations_text()
  elseif word == "topics" or word == "commands" then
    return help.overview()
  end
  local command, topic = command_text(word), require("luamig.topics").text(word)
  if command and topic then -- `revision` is a command and the file that it writes
    return command .. "\n\n" .. topic
  end
  return command or topic or operation_text(word) or rule_text(word) or unknown(word)
end

return help
