--- Runs the real binary, as a user's shell would.

local clock = require("luamig.core.clock")
local lfs = require("lfs")

local cli = {}

local WAIT_MS <const> = 20000

local function quoted(text)
  return "'" .. tostring(text):gsub("'", "'\\''") .. "'"
end

local function read(path)
  local file = io.open(path, "rb")
  if not file then
    return nil
  end
  local text = file:read("a")
  file:close()
  return text
end

local function environment(env)
  local pieces = { "env -u DATABASE_URL -u LUAMIG_CONFIG -u PGDATABASE -u PGHOST -u PGUSER "
    .. "-u VISUAL -u EDITOR -u NO_COLOR -u CLICOLOR_FORCE" }
  for name, value in pairs(env or {}) do
    pieces[#pieces + 1] = name .. "=" .. quoted(value)
  end
  return table.concat(pieces, " ")
end

local Process = {}
Process.__index = Process

local function new_process(options)
  local folder = os.tmpname()
  os.remove(folder)
  assert(lfs.mkdir(folder))
  return setmetatable({ folder = folder, options = options or {} }, Process)
end

-- The process writes its own number, then becomes the program: signals reach the program itself.
local function shell_text(self, words)
  local options, at = self.options, self.folder
  local arguments = {}
  for i, word in ipairs(words) do
    arguments[i] = quoted(word)
  end
  local program = options.program or assert(os.getenv("LUAMIG"), "LUAMIG names the binary")
  local input = options.stdin and at .. "/in" or "/dev/null"
  if options.stdin then
    local file = assert(io.open(input, "wb"))
    file:write(options.stdin)
    file:close()
  end
  return ("cd %s && { %s sh -c 'echo $$ > %s/pid; exec \"$0\" \"$@\"' %s %s > %s/out 2> %s/err "
    .. "< %s; echo $? > %s/ended; mv %s/ended %s/status; }"):format(
    quoted(options.cwd or lfs.currentdir()), environment(options.env), at, quoted(program),
    table.concat(arguments, " "), at, at, input, at, at, at)
end

---Waits until a condition holds, looking every few milliseconds; fails after a while.
---@generic T
---@param condition fun(): T
---@param what string
---@return T
function cli.eventually(condition, what)
  local finish = clock.now_ms() + WAIT_MS
  repeat
    local value = condition()
    if value then
      return value
    end
    clock.sleep_ms(5)
  until clock.now_ms() > finish
  error("did not happen in time: " .. what, 2)
end

---Starts the binary and goes on.
---@param words string[]
---@param options? { cwd?: string, env?: table, stdin?: string, program?: string }
function cli.start(words, options)
  local self = new_process(options)
  os.execute("( " .. shell_text(self, words) .. " ) > /dev/null 2>&1 &")
  self.pid = math.tointeger(tonumber((cli.eventually(function()
    local text = read(self.folder .. "/pid")
    return text and text:find("\n") and text
  end, "the start of a process"))))
  return self
end

---@param name string  "INT", "TERM", "KILL", "STOP", "CONT"
function Process:signal(name)
  return os.execute(("kill -%s %d 2> /dev/null"):format(name, self.pid)) == true
end

function Process:has_ended()
  return read(self.folder .. "/status") ~= nil
end

function Process:output()
  return read(self.folder .. "/out"), read(self.folder .. "/err")
end

---@return { status: integer, stdout: string, stderr: string }
function Process:wait()
  local status = cli.eventually(function()
    return read(self.folder .. "/status")
  end, "the end of a process")
  local result = { status = math.tointeger(tonumber(status)) }
  result.stdout, result.stderr = self:output()
  for _, name in ipairs({ "pid", "out", "err", "in", "status" }) do
    os.remove(self.folder .. "/" .. name)
  end
  lfs.rmdir(self.folder)
  return result
end

---Runs the binary to its end.
---@param words string[]
---@param options? { cwd?: string, env?: table, stdin?: string, program?: string }
---@return { status: integer, stdout: string, stderr: string }
function cli.run(words, options)
  local self = new_process(options)
  os.execute(shell_text(self, words))
  return self:wait()
end

---Runs a text of bash; `$LUAMIG` is the binary.
---@param script string
---@param options? { cwd?: string, env?: table, stdin?: string }
---@return { status: integer, stdout: string, stderr: string }
function cli.sh(script, options)
  local given = { program = "bash" }
  for name, value in pairs(options or {}) do
    given[name] = value
  end
  return cli.run({ "-c", script }, given)
end

return cli
