--- The only module that prints. Results go to stdout, everything said about the work to stderr.

local fault = require("luamig.fault")

local report = {}

local EPIPE <const> = 32

local state = { color = "auto", verbosity = 0, is_json = false, is_quiet = false }

local escapes = { bold = "1", dim = "2", red = "31", green = "32", yellow = "33", cyan = "36" }

---@param options { json?: boolean, quiet?: boolean, verbose?: integer, color?: string }
function report.setup(options)
  state.is_json = options.json or false
  state.is_quiet = options.quiet or false
  state.verbosity = options.verbose or 0
  state.color = options.color or "auto"
  state.colored = nil
end

---@return boolean
function report.is_json()
  return state.is_json
end

---@return integer  how many times -v was given
function report.verbosity()
  return state.verbosity
end

---@param stream "stdout"|"stderr"|"stdin"
---@return boolean
function report.is_terminal(stream)
  local descriptors = { stdin = 0, stdout = 1, stderr = 2 }
  return require("luamig.core.terminal").is_terminal(descriptors[stream])
end

local function is_set(name)
  local value = os.getenv(name)
  return value ~= nil and value ~= "" and value ~= "0"
end

local function is_colored(stream)
  if state.color == "always" then
    return true
  elseif state.color == "never" then
    return false
  elseif is_set("CLICOLOR_FORCE") then
    return true
  elseif is_set("NO_COLOR") or os.getenv("TERM") == "dumb" then
    return false
  end
  return report.is_terminal(stream)
end

---Text in a colour, when the stream takes colours.
---@param stream "stdout"|"stderr"
---@param color "bold"|"dim"|"red"|"green"|"yellow"|"cyan"
function report.styled(stream, color, text)
  state.colored = state.colored or {}
  if state.colored[stream] == nil then
    state.colored[stream] = is_colored(stream)
  end
  if not state.colored[stream] then
    return text
  end
  return ("\27[%sm%s\27[0m"):format(escapes[color], text)
end

-- The first write that failed is remembered: a later flush has nothing left to complain of.
local function keep_failure(ok, message, code)
  if not ok and not state.failure then
    state.failure = { message = message, code = code }
  end
end

-- What was drawn over itself makes room for a line that stays.
local function live_clear()
  if state.has_live then
    state.has_live = nil
    io.stderr:write("\r\27[K")
  end
end

local function write(stream, text)
  live_clear()
  if stream == "stdout" then
    keep_failure(io.stdout:write(text, "\n"))
  else
    io.stderr:write(text, "\n")
  end
end

---A line of the result.
---@param line? string
function report.out(line)
  write("stdout", line or "")
end

---Lines of the result, written at once.
---@param lines string[]
function report.lines(lines)
  if #lines > 0 then
    write("stdout", table.concat(lines, "\n"))
  end
end

---Text of the result as it is, without a line end of its own (an offline script).
function report.raw(text)
  keep_failure(io.stdout:write(text))
end

local function encode(value)
  return require("luamig.json").encode(value)
end

---The result as one JSON document. An empty table is an empty list.
function report.json(value)
  write("stdout", encode(value))
end

local levels = { info = "INFO ", warn = "WARN " }

local function log(level, color, line)
  if state.is_json then
    write("stderr", encode({ level = level, message = line }))
  else
    write("stderr", report.styled("stderr", color, levels[level]) .. " " .. line)
  end
end

---A line about the work in progress; --quiet drops it.
function report.info(line)
  if not state.is_quiet then
    log("info", "green", line)
  end
end

---Whether progress may be drawn over itself: on a terminal, unless --quiet or --json.
---@return boolean
function report.is_live()
  return not state.is_quiet and not state.is_json and report.is_terminal("stderr")
end

---A line of progress that takes the place of the one before, on a terminal only; nil takes it away.
---@param line string|nil
function report.live(line)
  if not report.is_live() then
    return
  elseif not line then
    return live_clear()
  end
  local columns = require("luamig.core.terminal").columns(2) or 80
  if utf8.len(line) and utf8.len(line) >= columns then
    line = line:sub(1, (utf8.offset(line, columns - 1) or #line + 1) - 1)
  end
  io.stdout:flush()
  io.stderr:write("\r", line, "\27[K")
  io.stderr:flush()
  state.has_live = true
end

---Something the user should know of although the work goes on.
function report.warn(line)
  log("warn", "yellow", line)
end

---A line that only -v (level 1) or -vv (level 2) shows.
---@param level integer
function report.debug(level, line)
  if state.verbosity < level then
    return
  elseif state.is_json then
    write("stderr", encode({ level = "debug", message = (line:gsub("^ +", "")) }))
  else
    write("stderr", report.styled("stderr", "dim", line))
  end
end

local MOST_PRINTED <const> = 20 -- lines of scripts that run more than once, unless -v is given

---How often scripts run by what follows: a command that runs each several times, only to see what
---it does, shows every line that they print once; "never": what they print is shown elsewhere.
---@param mode "once"|"never"|nil  nil: they run once, all is shown
---@return "once"|"never"|nil  what it was
function report.rehearse(mode)
  local before = state.rehearsal
  state.rehearsal = mode
  return before
end

local function is_shown(line)
  if not state.rehearsal then
    return true
  elseif state.rehearsal == "never" or state.is_quiet or (state.printed or {})[line] then
    return false
  end
  state.printed = state.printed or {}
  state.printed[line] = true
  state.printed_count = (state.printed_count or 0) + 1
  if state.printed_count == MOST_PRINTED + 1 and state.verbosity == 0 then
    report.info("the scripts print more lines than these: -v shows all")
  end
  return state.printed_count <= MOST_PRINTED or state.verbosity > 0
end

---What a script prints: on stderr, so that it never gets into a result.
function report.script_print(...)
  local pieces = table.pack(...)
  for i = 1, pieces.n do
    pieces[i] = tostring(pieces[i])
  end
  local line = table.concat(pieces, "\t")
  if is_shown(line) then
    write("stderr", state.is_json and encode({ level = "print", message = line }) or line)
  end
end

---Plain text for people that is no result (next steps after `init`).
function report.say(line)
  if not state.is_quiet and not state.is_json then
    write("stderr", line or "")
  end
end

-- Ctrl-C is an answer too, and so is the end of the input.
local function no_answer()
  io.stderr:write("\n")
  local count = require("luamig.core.clock").interrupts()
  if count > 0 then
    fault.raise({ kind = "interrupted", message = "interrupted", state = "nothing changed" })
  end
  return ""
end

---Asks and returns the answer without its line end, or nil when there is nobody to answer.
---Raises: interrupted.
---@param prompt string
---@return string|nil
function report.ask(prompt)
  if not report.is_terminal("stdin") then
    return nil
  end
  io.stderr:write(prompt)
  return io.stdin:read("l") or no_answer()
end

local function labelled(lines, label, text)
  if not text or text == "" then
    return
  end
  local head = ("  %-6s "):format(label .. ":")
  for line in (tostring(text) .. "\n"):gmatch("(.-)\n") do
    lines[#lines + 1] = (head .. line):gsub("%s+$", "")
    head = (" "):rep(#head)
  end
end

-- Text of a server or a script must not drive the terminal.
local function harmless(text)
  return (tostring(text):gsub("[%z\1-\8\11-\31\127]", "?"))
end

local function place(f)
  if not f.file then
    return nil
  end
  local at = f.line and ("%s:%d"):format(f.file, f.line) or f.file
  return f.origin and at .. "  op." .. tostring(f.origin):gsub("^op%.", "") or at
end

local function statement_lines(lines, f)
  local columns = require("luamig.core.terminal").columns(2)
  local excerpt = require("luamig.excerpt")
  local indent = f.indent or 0
  local text, position = (" "):rep(indent) .. f.statement, f.position and f.position + indent
  for _, line in ipairs(excerpt.lines(text, position, (columns or 100) - 4)) do
    lines[#lines + 1] = "    " .. harmless(line)
  end
end

---The lines of an error, without colour; the first one is its headline.
---@return string[]
function report.fault_lines(f)
  local code = f.sqlstate and (" (%s)"):format(f.sqlstate) or ""
  local lines = {}
  for line in (harmless(f.message) .. code .. "\n"):gmatch("(.-)\n") do
    lines[#lines + 1] = (#lines > 0 and "  " or "error: ") .. line
  end
  local at = place(f)
  if at then
    lines[#lines + 1] = "  " .. at
  end
  if f.statement then
    statement_lines(lines, f)
  end
  for _, label in ipairs({ "detail", "hint", "context", "state", "try" }) do
    labelled(lines, label, f[label] and harmless(f[label]))
  end
  return lines
end

local fields = {
  "kind", "message", "sqlstate", "detail", "hint", "context", "constraint", "statement",
  "position", "file", "line", "revision", "direction", "applied", "state", "try", "origin",
}

---An error as it is printed with --json.
---@return table
function report.fault_table(f)
  local out = { exit_status = fault.exit_status(f) }
  for _, name in ipairs(fields) do
    out[name] = f[name] or nil
  end
  return { error = out }
end

---Prints an error, once.
function report.fault(f)
  io.stdout:flush()
  if state.is_json then
    write("stderr", encode(report.fault_table(f)))
    return
  end
  for i, line in ipairs(report.fault_lines(f)) do
    if i == 1 then
      line = report.styled("stderr", "red", "error:") .. line:sub(7)
    elseif line:find("^ +%^$") then
      line = report.styled("stderr", "red", line)
    end
    write("stderr", line)
  end
end

---A Lua error of luamig's own: never the user's doing.
function report.defect(traceback)
  io.stdout:flush()
  if state.is_json then
    local message = "internal error: " .. traceback
    write("stderr", encode({ error = { kind = "defect", message = message, exit_status = 1 } }))
    return
  end
  write("stderr", report.styled("stderr", "red", "internal error:") .. " " .. traceback)
  write("stderr", "  this is a defect of luamig, not of your script; please report it")
end

---Ends the output: a result that could not be written (a full disk) is no success.
---@return boolean
function report.finish()
  keep_failure(io.stdout:flush())
  local failure = state.failure
  if not failure or failure.code == EPIPE then
    return true -- EPIPE: the reader has seen enough: luamig history | head
  end
  write("stderr", "error: the result could not be written: " .. tostring(failure.message))
  return false
end

return report
